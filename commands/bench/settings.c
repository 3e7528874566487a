/* settings.c - see settings.h. Each option is a row of a table; settings_check.c checks how they combine after
 * all are read, and has the help.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/settings.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/bench/settings_check.h"
#include "commands/bench/settings_value.h"
#include "commands/commands.h"
#include "commands/usage.h"

enum { ERROR_SIZE = 512, CLIENTS_MAX = 1000000, THREADS_MAX = 256 };

static const char *const scenarios[] = {"echo", "rate", "broadcast", "idle", "connect"};
enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

const char *scenario_name(enum scenario scenario) {
    return scenarios[scenario];
}

static const char *const expectations[] = {"echo", "any", "none"};
enum { EXPECTATIONS = sizeof expectations / sizeof *expectations };

const char *expectation_name(enum expectation expect) {
    return expectations[expect];
}

/* --- The table --------------------------------------------------------------------------------------------- */

enum type {
    COUNT,    /* unsigned */
    NUMBER,   /* double */
    DURATION, /* double, seconds */
    SIZE,     /* size_t */
    TEXT,     /* const char *, as the user wrote it */
    LIST,     /* const char **: appends a text */
    YES,      /* bool: true if the option is given */
    NO,       /* bool: false if the option is given */
    SCENARIO,
    EXPECT,
    RANGE,
    SOURCES,
    CONDITION,
    MERGE,
    HELP
};

struct row {
    const char *name;
    enum type type;
    size_t field;
    double least, most; /* bounds of a number */
};

#define FIELD(name) offsetof(struct settings, name)

/* clang-format off */
static const struct row rows[] = {
    {"scenario",    SCENARIO,  0,                   0,     0},
    {"expect",      EXPECT,    0,                   0,     0},
    {"clients",     COUNT,     FIELD(clients),      1,     CLIENTS_MAX},
    {"rooms",       COUNT,     FIELD(rooms),        1,     CLIENTS_MAX},
    {"publishers",  COUNT,     FIELD(publishers),   1,     CLIENTS_MAX},
    {"window",      COUNT,     FIELD(window),       1,     1 << 20},
    {"rate",        NUMBER,    FIELD(rate),         0.001, 1e9},
    {"ramp",        NUMBER,    FIELD(ramp),         0,     1e9},
    {"duration",    DURATION,  FIELD(duration),     0.001, 30 * 86400.0},
    {"warmup",      DURATION,  FIELD(warmup),       0,     30 * 86400.0},
    {"timeout",     DURATION,  FIELD(timeout),      0.001, 86400},
    {"threads",     COUNT,     FIELD(threads),      1,     THREADS_MAX},
    {"size",        RANGE,     0,                   0,     0},
    {"max-size",    SIZE,      FIELD(max_size),     1,     1 << 30},
    {"binary",      NO,        FIELD(text),         0,     0},
    {"compress",    YES,       FIELD(compress),     0,     0},
    {"message-file", TEXT,     FIELD(message_file), 0,     0},
    {"header",      LIST,      FIELD(headers),      0,     0},
    {"subprotocol", LIST,      FIELD(subprotocols), 0,     0},
    {"origin",      TEXT,      FIELD(origin),       0,     0},
    {"auth",        TEXT,      FIELD(auth),         0,     0},
    {"source",      SOURCES,   0,                   0,     0},
    {"json",        TEXT,      FIELD(json_path),    0,     0},
    {"html",        TEXT,      FIELD(html_path),    0,     0},
    {"fail-if",     CONDITION, 0,                   0,     0},
    {"quiet",       YES,       FIELD(quiet),        0,     0},
    {"merge",       MERGE,     0,                   0,     0},
    {"compare",     YES,       FIELD(compare),      0,     0},
    {"help",        HELP,      0,                   0,     0},
};
/* clang-format on */
enum { ROWS = sizeof rows / sizeof *rows, FIRST_KEY = 256, HELP_ROW = ROWS - 1 };

static bool takes_value(enum type type) {
    return type != YES && type != NO && type != MERGE && type != HELP;
}

/* --- One option -------------------------------------------------------------------------------------------- */

static void *field_of(struct settings *settings, const struct row *row) {
    return (char *)settings + row->field;
}

static const char *set_number(struct settings *settings, const struct row *row, const char *text,
                              char error[ERROR_SIZE]) {
    double number = 0;
    const char *wrong;
    if (row->type == COUNT) {
        unsigned *field = field_of(settings, row);
        wrong = settings_value_count(text, field);
        number = *field;
    } else if (row->type == SIZE) {
        size_t *field = field_of(settings, row);
        wrong = settings_value_size(text, field);
        number = (double)*field;
    } else {
        double *field = field_of(settings, row);
        wrong = row->type == NUMBER ? settings_value_number(text, field) : settings_value_duration(text, field);
        number = *field;
    }
    if (wrong != NULL || (number >= row->least && number <= row->most))
        return wrong;
    snprintf(error, ERROR_SIZE, "is out of bounds; it must be from %.10g to %.10g", row->least, row->most);
    return error;
}

static const char *set_scenario(struct settings *settings, const char *text) {
    for (unsigned i = 0; i < SCENARIOS; i++)
        if (strcmp(text, scenarios[i]) == 0) {
            settings->scenario = (enum scenario)i;
            return NULL;
        }
    return "is not a scenario; there are echo, rate, broadcast, idle and connect";
}

static const char *set_expect(struct settings *settings, const char *text) {
    for (unsigned i = 0; i < EXPECTATIONS; i++)
        if (strcmp(text, expectations[i]) == 0) {
            settings->expect = (enum expectation)i;
            return NULL;
        }
    return "is nothing to expect; there are echo, any and none";
}

static void append(const char *const *list, const char *text) {
    const char **end = (const char **)(uintptr_t)list; /* the list is ours, and read-only for others */
    while (*end != NULL)
        end++;
    *end = text;
}

static const char *set_condition(struct settings *settings, const char *text, char error[ERROR_SIZE]) {
    struct condition *conditions = (struct condition *)(uintptr_t)settings->conditions;
    if (!condition_parse(text, &conditions[settings->condition_count], error, ERROR_SIZE))
        return error;
    settings->condition_count++;
    return NULL;
}

/* Returns NULL, or else what is wrong with the text. */
static const char *set(struct settings *settings, const struct row *row, const char *text, char error[ERROR_SIZE]) {
    switch (row->type) {
    case TEXT:
        *(const char **)field_of(settings, row) = text;
        return NULL;
    case LIST:
        append(*(const char *const **)field_of(settings, row), text);
        return NULL;
    case YES:
    case NO:
        *(bool *)field_of(settings, row) = row->type == YES;
        return NULL;
    case SCENARIO:
        return set_scenario(settings, text);
    case EXPECT:
        return set_expect(settings, text);
    case RANGE:
        return settings_value_range(text, &settings->size_min, &settings->size_max);
    case SOURCES:
        return settings_value_sources(text, (char **)(uintptr_t)settings->sources, &settings->source_count);
    case CONDITION:
        return set_condition(settings, text, error);
    default:
        return set_number(settings, row, text, error);
    }
}

/* --- All options --------------------------------------------------------------------------------------------- */

static int read_options(struct settings *settings, int argc, char **argv, bool *merge) {
    struct option options[ROWS + 1] = {{0}};
    char error[ERROR_SIZE];
    for (int i = 0; i < ROWS; i++)
        options[i] = (struct option){rows[i].name, takes_value(rows[i].type), NULL, FIRST_KEY + i};
    opterr = 0;
    optind = 0; /* glibc: restart from the beginning, even if options were read before */
    for (int key; (key = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        if (key == '?' || key == ':')
            return usage_wrong_option(argv, key, options);
        const struct row *row = key == 'h' ? &rows[HELP_ROW] : &rows[key - FIRST_KEY];
        if (row->type == HELP) {
            settings_help(stdout);
            return STATUS_OK;
        }
        *merge |= row->type == MERGE;
        const char *wrong = row->type != MERGE ? set(settings, row, optarg, error) : NULL;
        if (wrong != NULL) {
            fprintf(stderr, row->type == CONDITION ? "weir bench: --%s %.0s%s\n" : "weir bench: --%s: \"%s\" %s\n",
                    row->name, optarg, wrong);
            return STATUS_USAGE;
        }
    }
    return -1;
}

/* Makes room for as many of each as there are arguments. */
static bool make_lists(struct settings *settings, int argc) {
    size_t room = (size_t)argc + 1;
    settings->headers = calloc(room, sizeof(char *));
    settings->subprotocols = calloc(room, sizeof(char *));
    settings->conditions = calloc(room, sizeof(struct condition));
    settings->sources = calloc(SETTINGS_SOURCES_MAX, sizeof(char *));
    return settings->headers != NULL && settings->subprotocols != NULL && settings->conditions != NULL &&
           settings->sources != NULL;
}

int settings_parse(struct settings *settings, int argc, char **argv) {
    bool merge = false;
    *settings = (struct settings){.clients = 1,
                                  .duration = 10,
                                  .warmup = 1,
                                  .text = true,
                                  .threads = 1,
                                  .timeout = 10,
                                  .size_min = SETTINGS_UNSET,
                                  .size_max = SETTINGS_UNSET};
    if (!make_lists(settings, argc)) {
        fputs("weir bench: out of memory\n", stderr);
        return STATUS_FAILURE;
    }
    int status = read_options(settings, argc, argv, &merge);
    if (status >= 0)
        return status;
    char *const *rest = argv + optind;
    unsigned count = (unsigned)(argc - optind);
    if (merge && settings->compare) {
        fputs("weir bench: --merge and --compare exclude each other\n", stderr);
        return STATUS_USAGE;
    }
    if (merge || settings->compare) {
        settings->merge = rest;
        settings->merge_count = count;
    } else {
        settings->urls = rest;
        settings->url_count = count;
    }
    return settings_check(settings) ? -1 : STATUS_USAGE;
}

void settings_release(struct settings *settings) {
    for (unsigned i = 0; i < settings->source_count; i++)
        free(settings->sources[i]);
    free((void *)(uintptr_t)settings->sources);
    free((void *)(uintptr_t)settings->headers);
    free((void *)(uintptr_t)settings->subprotocols);
    free((void *)(uintptr_t)settings->conditions);
    *settings = (struct settings){0};
}
