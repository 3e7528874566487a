/* plugin.h - loads, starts and stops plug-ins, the handlers from shared objects (include/weir/plugin.h). Only the
 * main thread calls these functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_PLUGIN_H
#define WEIR_SERVER_PLUGIN_H

#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

#include <weir/plugin.h>

#include "server/config/config.h"

/* Identifies one version of a file. All zero: the file does not exist. */
struct plugin_file {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

/* A plug-in that serves one route. All zero: no plug-in. */
struct plugin {
    void *object;
    const struct weir_plugin *table;
    void *context; /* as its `start` callback stored it */
    bool started;
    struct plugin_file file; /* the version that was loaded */
};

/* Loads the shared object that the route's handler names, and checks its declarations. Returns 0, or -1 with one
 * line in `error` that names the file and line of the route. */
int plugin_load(struct plugin *plugin, const struct config *config, const struct config_route *route, char *error,
                size_t error_size);

/* Starts a loaded plug-in after its options have been read (plugin_read_options()). Returns 0, or -1 with one line
 * in `error`. */
int plugin_start(struct plugin *plugin, weir_server *server, const struct config_route *route, char *error,
                 size_t error_size);

/* Returns true if the handler's file is a different version from the loaded one, or no longer exists. A process
 * cannot load another version under the same name while one is loaded. */
bool plugin_has_changed(const struct plugin *plugin, const char *handler);

/* Stops the plug-in if it was started, and unloads it. Does nothing if there is none. */
void plugin_unload(struct plugin *plugin);

#endif
