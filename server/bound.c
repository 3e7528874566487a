/* bound.c - the addresses that a server's listeners are bound to, as text.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/server_private.h"

static const char *const no_addresses[] = {NULL};

enum { PORT_SIZE = sizeof ":65535" };

/* Returns a list of `count` addresses, of which none is set yet; NULL if memory is out. */
static char **bound_create(char *const *listen, size_t *count) {
    *count = 0;
    while (listen[*count] != NULL)
        ++*count;
    return calloc(*count + 1, sizeof(char *));
}

/* Returns a configured address with the port that it has got. */
static char *bound_address(const char *configured, uint16_t port) {
    size_t host = (size_t)(strrchr(configured, ':') - configured);
    char *address = malloc(host + PORT_SIZE);
    if (address != NULL)
        sprintf(address, "%.*s:%u", (int)host, configured, (unsigned)port);
    return address;
}

int server_note_addresses(weir_server *server) {
    char *const *listen = server->config->server.listen, *const *admin = server->config->admin.listen;
    size_t listen_count, admin_count;
    char **bound = bound_create(listen, &listen_count), **bound_admin = bound_create(admin, &admin_count);
    bool good = bound != NULL && bound_admin != NULL;
    for (size_t i = 0; good && i < listen_count; i++)
        good = (bound[i] = bound_address(listen[i], http_server_port(server->public_listener, i))) != NULL;
    for (size_t i = 0; good && i < admin_count; i++)
        good = (bound_admin[i] = bound_address(admin[i], admin_port(server->admin, i))) != NULL;
    server_forget_addresses(server);
    server->addresses = (struct weir_addresses){(const char *const *)bound, (const char *const *)bound_admin};
    if (!good)
        snprintf(server->error, sizeof server->error, "start: out of memory");
    return good ? 0 : -1;
}

static void bound_free(const char *const *addresses) {
    if (addresses == no_addresses || addresses == NULL)
        return;
    for (size_t i = 0; addresses[i] != NULL; i++)
        free((char *)(uintptr_t)addresses[i]);
    free((void *)(uintptr_t)addresses);
}

void server_forget_addresses(weir_server *server) {
    bound_free(server->addresses.listen);
    bound_free(server->addresses.admin);
    server->addresses = (struct weir_addresses){no_addresses, no_addresses};
}

const struct weir_addresses *weir_server_addresses(const weir_server *server) {
    return &server->addresses;
}
