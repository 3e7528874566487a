/* configure.c - builds a server's configuration, and builds it again for a reload. It comes from config_sources, or
 * from the calls that an embedding program has made, which are repeated in their order.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/server_private.h"

struct configure_step {
    char *section; /* NULL: the step loads a file */
    char *key;     /* or the path of that file */
    char *value;
};

static void free_step(struct configure_step *step) {
    free(step->section);
    free(step->key);
    free(step->value);
}

void server_forget_steps(weir_server *server) {
    for (size_t i = 0; i < server->step_count; i++)
        free_step(&server->steps[i]);
    free(server->steps);
    server->steps = NULL;
    server->step_count = 0;
}

static int take_step(struct config *config, const struct configure_step *step, char *error, size_t error_size) {
    return step->section == NULL ? config_load(config, step->key, error, error_size)
                                 : config_set(config, step->section, step->key, step->value, error, error_size);
}

/* Takes a step, and records it unless it fails. */
static int add_step(weir_server *server, const char *section, const char *key, const char *value) {
    struct configure_step *steps = realloc(server->steps, (server->step_count + 1) * sizeof *steps);
    struct configure_step step = {0};
    if (steps != NULL) {
        server->steps = steps;
        step.section = section == NULL ? NULL : strdup(section);
        step.key = strdup(key);
        step.value = value == NULL ? NULL : strdup(value);
    }
    if (step.key == NULL || (section != NULL && step.section == NULL) || (value != NULL && step.value == NULL)) {
        free_step(&step);
        snprintf(server->error, sizeof server->error, "out of memory");
        return -1;
    }
    if (take_step(server->config, &step, server->error, sizeof server->error) != 0) {
        free_step(&step);
        return -1;
    }
    steps[server->step_count++] = step;
    return 0;
}

int weir_server_load(weir_server *server, const char *path) {
    return add_step(server, NULL, path, NULL);
}

int weir_server_set(weir_server *server, const char *section, const char *key, const char *value) {
    return add_step(server, section, key, value);
}

int server_configure(weir_server *server, const struct config_sources *sources, struct config_errors *errors) {
    struct config *config = errors != NULL ? config_build_all(sources, errors)
                                           : config_build(sources, server->error, sizeof server->error);
    if (config == NULL && errors != NULL)
        snprintf(server->error, sizeof server->error, "out of memory");
    if (config == NULL)
        return -1;
    config_destroy(server->config);
    server->config = config;
    server->sources = sources;
    return 0;
}

int weir_server_configure(weir_server *server, const char *file, const char *const *environment,
                          const char *const *settings) {
    struct config_sources sources = {.path = file,
                                     .environment = (char *const *)(uintptr_t)environment,
                                     .settings = (char *const *)(uintptr_t)settings};
    while (settings != NULL && settings[sources.setting_count] != NULL)
        sources.setting_count++;
    server->own_sources = sources;
    if (server_configure(server, &server->own_sources, NULL) != 0)
        return -1;
    server_forget_steps(server);
    return 0;
}

/* Takes over `config`, which may be NULL. */
static struct config *repeat_steps(const weir_server *server, struct config *config, char *error,
                                   size_t error_size) {
    for (size_t i = 0; config != NULL && i < server->step_count; i++)
        if (take_step(config, &server->steps[i], error, error_size) != 0) {
            config_destroy(config);
            return NULL;
        }
    return config;
}

struct config *server_configuration(const weir_server *server, char *error, size_t error_size) {
    struct config *config =
        server->sources != NULL ? config_build(server->sources, error, error_size) : config_create();
    config = repeat_steps(server, config, error, error_size);
    if (config != NULL && config_check(config, error, error_size) == 0)
        return config;
    config_destroy(config);
    return NULL;
}
