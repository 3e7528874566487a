/* slash.c - parses the commands that begin with a slash.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/connect/slash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "commands/connect/text.h"
#include "ws/close_code.h"

enum { PING_PAYLOAD_MAX = 125 }; /* RFC 6455, 5.5 */

const char slash_help[] = "/ping [TEXT]            send a ping; its round-trip time is printed\n"
                          "/close [CODE [REASON]]  close the connection (1000)\n"
                          "/binary HEX             send a binary message\n"
                          "//TEXT                  send /TEXT\n"
                          "/help                   this\n";

static void wrong(struct slash *slash, const char *why) {
    slash->kind = SLASH_WRONG;
    snprintf(slash->wrong, sizeof slash->wrong, "%s", why);
}

static void parse_ping(char *rest, size_t size, struct slash *slash) {
    (void)rest;
    slash->kind = SLASH_PING;
    if (size > PING_PAYLOAD_MAX)
        wrong(slash, "a ping has at most 125 bytes");
}

static void parse_binary(char *rest, size_t size, struct slash *slash) {
    slash->kind = SLASH_BINARY;
    if (!text_read_hex(rest, size, &slash->size))
        wrong(slash, "write the bytes in hexadecimal digits: /binary 00ff");
}

static void parse_close(char *rest, size_t size, struct slash *slash) {
    slash->kind = SLASH_CLOSE;
    size_t digits = strspn(rest, "0123456789"), blanks = strspn(rest + digits, " ");
    if (size > 0 && (digits != 4 || (digits + blanks < size && blanks == 0))) {
        wrong(slash, "write it like /close 1000 thank you");
        return;
    }
    slash->code = size == 0 ? CLOSE_NORMAL : (unsigned)strtoul(rest, NULL, 10);
    slash->data = rest + digits + blanks;
    slash->size = size - digits - blanks;
    if (!close_code_sendable(slash->code))
        wrong(slash, "that code may not be sent; 1000 to 1003, 1007 to 1014 and 3000 to 4999 may");
    else if (slash->size > CLOSE_REASON_MAX)
        wrong(slash, "a reason has at most 123 bytes");
    else if (strlen(slash->data) != slash->size || !utf8_valid((const uint8_t *)slash->data, slash->size))
        wrong(slash, "a reason is UTF-8 text");
}

static void parse_help(char *rest, size_t size, struct slash *slash) {
    (void)rest;
    slash->kind = SLASH_HELP;
    if (size > 0)
        wrong(slash, "/help stands alone");
}

static const struct command {
    const char *name;
    void (*parse)(char *rest, size_t size, struct slash *slash);
} commands[] = {{"/ping", parse_ping}, {"/close", parse_close}, {"/binary", parse_binary}, {"/help", parse_help}};

static const struct command *find(const char *name, size_t size) {
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strlen(commands[i].name) == size && memcmp(commands[i].name, name, size) == 0)
            return &commands[i];
    return NULL;
}

void slash_parse(char *line, size_t size, struct slash *slash) {
    *slash = (struct slash){.kind = SLASH_MESSAGE, .data = line, .size = size};
    if (size == 0 || line[0] != '/')
        return;
    if (size > 1 && line[1] == '/') {
        slash->data++;
        slash->size--;
        return;
    }
    size_t name = strcspn(line, " "), rest = name + strspn(line + name, " ");
    const struct command *command = find(line, name);
    if (command == NULL) {
        int shown = name < 40 ? (int)name : 40;
        snprintf(slash->wrong, sizeof slash->wrong,
                 "no command %.*s; /help lists them, and a second slash in front sends the line as it is", shown,
                 line);
        slash->kind = SLASH_WRONG;
        return;
    }
    slash->data = line + rest;
    slash->size = size - rest;
    command->parse(line + rest, slash->size, slash);
}
