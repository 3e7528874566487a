/* sources.c - see sources.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct config_sources sources_init(void) {
    return (struct config_sources){.path = DEFAULT_CONFIG, .environment = environ};
}

int sources_add_setting(struct config_sources *sources, const char *command, char *setting) {
    char **settings = realloc((void *)sources->settings, (sources->setting_count + 1) * sizeof *settings);
    if (settings == NULL) {
        fprintf(stderr, "%s: out of memory\n", command);
        return -1;
    }
    settings[sources->setting_count++] = setting;
    sources->settings = settings;
    return 0;
}

void sources_release(struct config_sources *sources) {
    free((void *)sources->settings);
    *sources = (struct config_sources){.path = NULL};
}
