/* option_print.c - converts the value in an option's field to text, and prints types for people. It depends on the
 * type alone and knows no option by name.
 *
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <string.h>

#include "server/config/options.h"
#include "server/config/value.h"

void option_print_number(const struct option *option, uint64_t number, char text[32]) {
    if (option->type == OPTION_DURATION)
        value_print_duration(number, text);
    else if (option->type == OPTION_SIZE)
        value_print_size(number, text);
    else
        snprintf(text, 32, "%" PRIu64, number);
}

static uint64_t stored_number(const struct option *option, const void *field) {
    if (option->type == OPTION_DURATION)
        return *(const uint64_t *)field;
    return option->type == OPTION_SIZE ? *(const size_t *)field : *(const unsigned *)field;
}

static void print_list(char *const *list, FILE *out) {
    for (size_t i = 0; list[i] != NULL; i++)
        fprintf(out, "%s%s", i == 0 ? "" : ", ", list[i]);
}

void option_print(const struct option *option, const void *base, FILE *out) {
    const void *field = (const char *)base + option->offset;
    char text[32];
    unsigned choice;
    switch (option->type) {
    case OPTION_BOOLEAN:
        fputs(*(const bool *)field ? "yes" : "no", out);
        break;
    case OPTION_CHOICE:
        memcpy(&choice, field, sizeof choice);
        fputs(option->choices[choice], out);
        break;
    case OPTION_ADDRESSES:
    case OPTION_SUBPROTOCOLS:
    case OPTION_ORIGINS:
    case OPTION_NETWORKS:
    case OPTION_CHANNELS:
        if (**(char *const *const *)field == NULL) /* a word like none or inherit */
            fputs(option->default_value, out);
        print_list(*(char *const *const *)field, out);
        break;
    case OPTION_HANDLER:
        fputs(*(const char *const *)field, out);
        break;
    case OPTION_PATH:
    case OPTION_CHANNEL:
        fputs(*(const char *const *)field != NULL ? *(const char *const *)field : option->default_value, out);
        break;
    case OPTION_SECRET:
        fputs(option->default_value, out);
        break;
    default:
        option_print_number(option, stored_number(option, field), text);
        fputs(text, out);
    }
}

void option_print_type(const struct option *option, FILE *out) {
    static const char *const names[] = {
        [OPTION_INTEGER] = "number",
        [OPTION_SIZE] = "size",
        [OPTION_DURATION] = "duration",
        [OPTION_BOOLEAN] = "yes or no",
        [OPTION_CHOICE] = "one of ",
        [OPTION_ADDRESSES] = "ADDRESS:PORT, [ADDRESS]:PORT or PORT; separate several with commas",
        [OPTION_SUBPROTOCOLS] = "none, or names separated by commas",
        [OPTION_ORIGINS] =
            "same-host, *, null, SCHEME://HOST[:PORT] with * as a wildcard, \"VALUE\"; several, by comma",
        [OPTION_NETWORKS] = "none, or ADDRESS/BITS separated by commas",
        [OPTION_HANDLER] = "echo, broadcast, relay, pubsub or plugin:PATH",
        [OPTION_CHANNEL] = "none, or a name that may contain {parameters}",
        [OPTION_CHANNELS] = "names, or beginnings of names followed by *; separate several with commas",
        [OPTION_PATH] = "a file's path, or ",
        [OPTION_SECRET] = "none, or 16 to 256 printable characters without blanks",
    };
    if (option->type == OPTION_ADDRESSES && strcmp(option->default_value, "none") == 0)
        fputs("none, or ", out);
    fputs(names[option->type], out);
    if (option->type == OPTION_CHOICE)
        print_list((char *const *)option->choices, out);
    if (option->type == OPTION_PATH)
        fputs(option->default_value, out);
    if (option->max > 0) {
        char min[32], max[32];
        option_print_number(option, option->min, min);
        option_print_number(option, option->max, max);
        fprintf(out, ", %s to %s", min, max);
    }
    if (option->restart)
        fputs("; needs a restart", out);
}
