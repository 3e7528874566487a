/* plugin.h - a handler in a shared object, loaded by `weir serve`.
 *
 *     [route /light/{status}]
 *     handler = plugin:../build/examples/light.so
 *     delay = 2s
 *
 * The object exports one symbol, `weir_plugin`, a const struct weir_plugin. One object may serve several routes:
 * the server loads it once, and starts it once for each route.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_PLUGIN_H
#define WEIR_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/handler.h>
#include <weir/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes when plug-ins must be compiled again. New callbacks and functions do not change it. */
#define WEIR_PLUGIN_ABI 4

enum weir_option_type {
    WEIR_OPTION_TEXT,
    WEIR_OPTION_INTEGER,  /* 0 to 2^63-1 */
    WEIR_OPTION_BOOLEAN,  /* yes, no */
    WEIR_OPTION_DURATION, /* 500ms, 20s, 5m; read in milliseconds */
    WEIR_OPTION_SIZE,     /* 512, 64KiB, 1MiB; read in bytes */
    WEIR_OPTION_SECRET    /* a text that is never printed; see struct weir_option */
};

/* An option that the plug-in reads from its route's section. Before anything starts, the server checks each value
 * against its type, and reports each option that the route's plug-in does not declare, with its line.
 *
 * A secret called `password` can be set as `password = TEXT`, where `none` means no secret, or better as
 * `password_file = PATH`. That file holds the secret as its only line, and only its owner and group may access it.
 * Neither `weir check` nor the log nor the admin API shows a secret. */
struct weir_option {
    const char *name; /* 1 to 64 letters, digits, _, - and .; not a key that every route has. NULL ends the list */
    enum weir_option_type type;
    const char *default_value; /* as written in the file; NULL: no default, the option then reads as NULL or 0 */
    const char *help;          /* one line */
};

/* The options of one route. Valid only while weir_plugin.start runs, on the thread that runs it. */
typedef struct weir_options weir_options;

/* Returns the value of an option as text: as the file has it, or the default, or NULL if there is neither. Of a
 * secret this is the secret itself, also if it stands in a file. The plug-in must have declared `name`. The string
 * belongs to the server and is valid until `start` returns. */
WEIR_API const char *weir_option_text(const weir_options *options, const char *name);

/* Returns the value of an option as a number: an integer, milliseconds for a duration, bytes for a size, 0 or 1 for
 * a boolean. Returns 0 if the option has neither a value nor a default, and for texts and secrets. The plug-in must
 * have declared `name`. */
WEIR_API uint64_t weir_option_number(const weir_options *options, const char *name);

/* Returns the route's pattern, such as "/light/{status}". The string belongs to the server and is valid until
 * `start` returns. */
WEIR_API const char *weir_option_pattern(const weir_options *options);

struct weir_plugin {
    unsigned abi;                       /* WEIR_PLUGIN_ABI */
    const char *name;                   /* for the log and error messages; never NULL */
    const struct weir_handler *handler; /* the callbacks; never NULL */
    const struct weir_option *options;  /* NULL if there are none */

    /* Optional. Called once for each route, before its first client, on the main thread. Stores in *context what
     * the callbacks receive as their context. Returns 0; or -1 after writing one line to `error`, at most
     * `error_size` bytes with the terminator. Then the server does not start, or the reload changes nothing. */
    int (*start)(weir_server *server, const weir_options *options, void **context, char *error, size_t error_size);

    /* Optional. Called once for each successful start, on the main thread, after the last callback has returned.
     * This happens in a stop; or after a reload has removed the route, its last connection has ended and the last
     * handle has been released. */
    void (*stop)(void *context);
};

extern WEIR_API const struct weir_plugin weir_plugin; /* the shared object defines it */

#ifdef __cplusplus
}
#endif

#endif
