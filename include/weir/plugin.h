/* plugin.h - a handler in a shared object, loaded by `weir serve`.
 *
 *     [route /light/{status}]
 *     handler = plugin:../build/examples/light.so
 *     delay = 2s
 *
 * The object exports one symbol, `weir_plugin`, a const struct weir_plugin. One object may serve several routes: it
 * is loaded once and started once for each.
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
#pragma GCC visibility push(default)

/* Changes when a plug-in must be compiled anew. */
#define WEIR_PLUGIN_ABI 3

enum weir_option_type {
    WEIR_OPTION_TEXT,
    WEIR_OPTION_INTEGER,  /* 0 to 2^63-1 */
    WEIR_OPTION_BOOLEAN,  /* yes, no */
    WEIR_OPTION_DURATION, /* 500ms, 20s, 5m; in milliseconds */
    WEIR_OPTION_SIZE,     /* 512, 64KiB, 1MiB; in bytes */
    WEIR_OPTION_SECRET    /* a text that is never printed; see below */
};

/* An option that the plug-in takes from its route's section. The server checks each value against its type, and
 * an option that no plug-in declares is an error with its line, before anything starts.
 *
 * A secret called `password` can be set as `password = TEXT`, `none` for none, or better as `password_file = PATH`:
 * a file that has it as its only line, and that only its owner and group may reach. Neither `weir check` nor the
 * log nor the admin API shows it. */
struct weir_option {
    const char *name; /* letters, digits, _, - and .; not that of a key that every route has. NULL ends the list */
    enum weir_option_type type;
    const char *default_value; /* as it would be written in the file; NULL: none, which is NULL or 0 */
    const char *help;          /* one line */
};

/* The options of one route, while weir_plugin.start runs. The name must be declared. */
typedef struct weir_options weir_options;
const char *weir_option_text(const weir_options *options, const char *name);
uint64_t weir_option_number(const weir_options *options, const char *name); /* milliseconds, bytes, 0 or 1 */
const char *weir_option_pattern(const weir_options *options);               /* the route's pattern */

struct weir_plugin {
    unsigned abi;                       /* WEIR_PLUGIN_ABI */
    const char *name;                   /* for the log */
    const struct weir_handler *handler; /* what to call */
    const struct weir_option *options;  /* NULL if there are none */

    /* Optional: once for each route, before the first client, on the main thread. Stores what the callbacks get as
     * their context. Returns 0; or -1 after writing one line to `error`, and the server does not start. */
    int (*start)(weir_server *server, const weir_options *options, void **context, char *error, size_t error_size);

    /* Optional: once for each successful start, after the last callback has returned: in a stop, or when a reload
     * has taken the route away and its last connection has ended and the last handle has been given back. */
    void (*stop)(void *context);
};

extern const struct weir_plugin weir_plugin; /* what the shared object defines */

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
