/* plugin.c - see plugin.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/plugin.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/config/value.h"
#include "server/core/turn.h"
#include "server/plugin_options.h"
#include "server/sized.h"

/* --- Errors ------------------------------------------------------------------------------------------------ */

struct place {
    struct config_location at;
    char *error;
    size_t size;
};

static int fail(const struct place *place, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(const struct place *place, const char *format, ...) {
    char why[CONFIG_ERROR_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    return config_fail(place->at, place->error, place->size, "%s", why);
}

/* --- Life -------------------------------------------------------------------------------------------------- */

static int check_table(const struct weir_plugin *table, const char *path, const struct place *place) {
    if (table == NULL)
        return fail(place, "handler: %s exports no weir_plugin; it is not a weir plug-in", path);
    if (table->abi != WEIR_PLUGIN_ABI)
        return fail(place, "handler: %s was compiled for plug-in ABI %u, this weir has %d; compile it again", path,
                    table->abi, WEIR_PLUGIN_ABI);
    if (table->handler == NULL || table->name == NULL || value_text_error(table->name, strlen(table->name)) != NULL)
        return fail(place, "handler: %s has a weir_plugin without a handler, or without a name that is text", path);
    const char *wrong = handler_copy(NULL, table->handler);
    if (wrong != NULL)
        return fail(place, "handler: %s: %s", path, wrong);
    return 0;
}

static struct plugin_file look_at_file(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0)
        return (struct plugin_file){0};
    return (struct plugin_file){status.st_dev, status.st_ino, status.st_size, status.st_mtim};
}

bool plugin_has_changed(const struct plugin *plugin, const char *handler) {
    const struct plugin_file now = look_at_file(handler + strlen("plugin:")), *then = &plugin->file;
    return now.device != then->device || now.inode != then->inode || now.size != then->size ||
           now.changed.tv_sec != then->changed.tv_sec || now.changed.tv_nsec != then->changed.tv_nsec;
}

int plugin_load(struct plugin *plugin, const struct config *config, const struct config_route *route, char *error,
                size_t error_size) {
    const struct place place = {config_handler_location(route), error, error_size};
    const char *path = route->handler + strlen("plugin:");
    *plugin = (struct plugin){.file = look_at_file(path)};
    plugin->object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (plugin->object == NULL && access(path, F_OK) != 0)
        return fail(&place,
                    "handler: plug-in does not load: there is no %s; a relative path begins at the folder of "
                    "the ini file",
                    path);
    if (plugin->object == NULL)
        return fail(&place, "handler: plug-in does not load: %s", dlerror());
    plugin->table = dlsym(plugin->object, "weir_plugin");
    if (check_table(plugin->table, path, &place) == 0 &&
        plugin_check_declared(plugin->table, path, config, route, error, error_size) == 0)
        return 0;
    plugin_unload(plugin);
    return -1;
}

int plugin_start(struct plugin *plugin, weir_server *server, const struct config_route *route, char *error,
                 size_t error_size) {
    const struct place place = {config_handler_location(route), error, error_size};
    const struct weir_options options = {plugin->table, route};
    char reason[256] = "it did not say why";
    turn.callback = (struct callback){.name = "start", .pattern = route->pattern, .handler = route->handler};
    int result = plugin->table->start == NULL
                     ? 0
                     : plugin->table->start(server, &options, &plugin->context, reason, sizeof reason);
    turn.callback = (struct callback){0};
    if (result != 0)
        return fail(&place, "plug-in %s did not start: %s", plugin->table->name, reason);
    plugin->started = true;
    return 0;
}

void plugin_unload(struct plugin *plugin) {
    if (plugin->started && plugin->table->stop != NULL) {
        turn.callback = (struct callback){.name = "stop", .handler = plugin->table->name};
        plugin->table->stop(plugin->context);
        turn.callback = (struct callback){0};
    }
    if (plugin->object != NULL)
        dlclose(plugin->object);
    *plugin = (struct plugin){0};
}
