/* plugin.h - handlers from shared objects (include/weir/plugin.h). On the main thread only.
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

/* Tells one version of a file from another. All zero: there is none. */
struct plugin_file {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

/* A plug-in at work for one route. All zero is none. */
struct plugin {
    void *object;
    const struct weir_plugin *table;
    void *context; /* what its start gave */
    bool started;
    struct plugin_file file; /* what was loaded */
};

/* Loads the object that the route's handler names and checks what it declares. -1 with one line in `error` that
 * names file and line of the route. */
int plugin_load(struct plugin *plugin, const struct config *config, const struct config_route *route, char *error,
                size_t error_size);

/* Starts a loaded one, once its options have been read (plugin_read_options()). -1 with one line in `error`, also.
 */
int plugin_start(struct plugin *plugin, weir_server *server, const struct config_route *route, char *error,
                 size_t error_size);

/* Whether the file of this handler is another one than was loaded, or is not there any more. A process cannot load
 * another version under the same name while one is at work. */
bool plugin_has_changed(const struct plugin *plugin, const char *handler);

/* Stops it if it was started, and unloads it. */
void plugin_unload(struct plugin *plugin);

#endif
