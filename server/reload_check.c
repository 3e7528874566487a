/* reload_check.c - see reload_check.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/reload_check.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "server/log/log.h"

/* --- Files ------------------------------------------------------------------------------------------------- */

static bool is_empty_now(struct config_location location) {
    struct stat status;
    return location.line > 0 && stat(location.source, &status) == 0 && S_ISREG(status.st_mode) &&
           status.st_size == 0;
}

static int fail_empty(const char *file, char *error, size_t error_size) {
    snprintf(error, error_size,
             "%s is empty, but it had routes or channels before. Nothing has changed. Write the file and reload, "
             "or remove "
             "it if this is intended",
             file);
    return -1;
}

int reload_check(const struct config *before, const struct config *after, char *error, size_t error_size) {
    for (size_t i = 0; i < before->route_count; i++)
        if (is_empty_now(before->routes[i].location))
            return fail_empty(before->routes[i].location.source, error, error_size);
    for (size_t i = 0; i < before->channel_rule_count; i++)
        if (is_empty_now(before->channel_rules[i].location))
            return fail_empty(before->channel_rules[i].location.source, error, error_size);
    if (before->route_count == 0 || after->route_count > 0)
        return 0;
    snprintf(
        error, error_size,
        "the new configuration has no routes; the current one has %zu. Nothing has changed. Complete the files and "
        "reload, or restart the server if this is intended",
        before->route_count);
    return -1;
}

/* --- Plug-ins ---------------------------------------------------------------------------------------------- */

/* One file may serve many routes, and is reported once. */
static bool is_first_of_its_file(const struct route_table *table, size_t place) {
    for (size_t i = 0; i < place; i++)
        if (table->served[i]->plugin.object == table->served[place]->plugin.object)
            return false;
    return true;
}

void reload_note_plugins(const struct route_table *table, char *text, size_t text_size) {
    for (size_t i = 0; i < table->entries.count; i++) {
        const struct served_route *served = table->served[i];
        if (served->plugin.object == NULL || !is_first_of_its_file(table, i) ||
            !plugin_has_changed(&served->plugin, served->handler))
            continue;
        log_event(LOG_SERVER, LOG_WARNING, "reload",
                  LOG_FIELDS(LOG_TEXT("route", served->route.pattern), LOG_TEXT("handler", served->handler),
                             LOG_TEXT("note", "the file has changed, but the loaded plug-in stays in use; "
                                              "restart the server to load the new one")));
        size_t used = strlen(text);
        snprintf(text + used, text_size - used, "; restart the server to load the new %s", served->handler);
    }
}
