/* sources.c - see sources.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/sources.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "commands/usage.h"

struct config_sources sources_init(void) {
    return (struct config_sources){.environment = environ};
}

/* Returns -1 if memory runs out. */
static int sources_add_setting(struct config_sources *sources, char *setting) {
    char **settings = realloc((void *)sources->settings, (sources->setting_count + 2) * sizeof *settings);
    if (settings == NULL)
        return -1;
    settings[sources->setting_count++] = setting;
    settings[sources->setting_count] = NULL;
    sources->settings = settings;
    return 0;
}

int sources_read(struct config_sources *sources, int argc, char **argv, const char *help, bool *quiet,
                 int operands) {
    const bool both = quiet != NULL; /* --list and --quiet */
    const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"set", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},         {both ? "list" : NULL, no_argument, NULL, 'l'},
        {"quiet", no_argument, NULL, 'q'},        {NULL, 0, NULL, 0}};
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, both ? ":c:s:hlq" : ":c:s:h", options, NULL)) != -1;)
        switch (option) {
        case 'c':
            sources->path = optarg;
            break;
        case 's':
            if (sources_add_setting(sources, optarg) == 0)
                break;
            fprintf(stderr, "%s: out of memory\n", argv[0]);
            return STATUS_FAILURE;
        case 'q':
            if (both)
                *quiet = true;
            break;
        case 'l':
            config_list(stdout);
            return STATUS_OK;
        case 'h':
            fputs(help, stdout);
            return STATUS_OK;
        default:
            return usage_wrong_option(argv, option, options);
        }
    if (optind + operands >= argc)
        return -1;
    fprintf(stderr, "%s: unexpected argument \"%s\"; `%s --help` shows the options\n", argv[0],
            argv[optind + operands], argv[0]);
    return STATUS_USAGE;
}

/* A file that exists but cannot be accessed counts as present; reading it reports the error. */
static bool sources_is_there(const char *path) {
    return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

bool sources_find_file(struct config_sources *sources, const char *command) {
    static const char *const files[] = {"conf/weir.ini", "/etc/weir/weir.ini"};
    for (size_t i = 0; sources->path == NULL && i < sizeof files / sizeof *files; i++)
        if (sources_is_there(files[i]))
            sources->path = files[i];
    if (sources->path == NULL)
        fprintf(stderr, "%s: neither ./%s nor %s exists; name an ini file with -c FILE\n", command, files[0],
                files[1]);
    return sources->path != NULL;
}

void sources_release(struct config_sources *sources) {
    free((void *)sources->settings);
    *sources = (struct config_sources){.path = NULL};
}
