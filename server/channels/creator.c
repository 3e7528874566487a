/* creator.c - see creator.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/creator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "server/channels/channel_table.h"
#include "server/core/memory.h"

enum { NAME_SIZE = 300 /* "user " and the name of a user */ };

/* Prints the address in "192.0.2.7:50124", "[2001:db8::1%eth0]:50124", "192.0.2.7" or "2001:db8::1". */
static void creator_print_address(const char *peer, char text[ADDRESS_TEXT_SIZE]) {
    struct address address;
    bool bracketed = peer[0] == '[';
    bool has_port = bracketed || strchr(peer, ':') == strrchr(peer, ':');
    size_t size = strcspn(peer + bracketed, bracketed ? "]%" : has_port ? ":" : "%");
    snprintf(text, ADDRESS_TEXT_SIZE, "%.*s", (int)size, peer + bracketed);
    if (!address_parse(text, &address))
        return; /* the text stays as it is */
    address = address_of_one_client(&address);
    address_print(&address, text);
}

/* The prefix keeps a user from taking the name of an address. */
static void creator_print_name(const struct weir_conn *client, char name[NAME_SIZE]) {
    const char *user = weir_conn_user(client), *address = conn_string(client, client->client);
    char text[ADDRESS_TEXT_SIZE];
    if (user == NULL)
        creator_print_address(address != NULL ? address : weir_conn_peer(client), text);
    snprintf(name, NAME_SIZE, user != NULL ? "user %s" : "address %s", user != NULL ? user : text);
}

static struct creator *creator_create_locked(struct channels *channels, const char *name, size_t size,
                                             unsigned hash) {
    struct creator *creator = calloc(1, sizeof *creator + size + 1);
    if (creator == NULL)
        return NULL;
    memcpy(creator->name, name, size);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, channels->creators, creator->name, size, hash, creator);
    if (creator->hh.tbl == NULL) {
        free(creator);
        return NULL;
    }
    memory_count_block(creator);
    return creator;
}

struct creator *creator_retain_locked(struct channels *channels, const struct weir_conn *client) {
    char name[NAME_SIZE];
    struct creator *creator;
    mutex_check_held(&channels->mutex);
    if (client == NULL)
        return NULL;
    creator_print_name(client, name);
    size_t size = strlen(name);
    unsigned hash = channel_table_hash(channels, name, size);
    HASH_FIND_BYHASHVALUE(hh, channels->creators, name, size, hash, creator);
    if (creator == NULL)
        creator = creator_create_locked(channels, name, size, hash);
    if (creator != NULL)
        creator->channels++;
    return creator;
}

void creator_release_locked(struct channels *channels, struct creator *creator) {
    mutex_check_held(&channels->mutex);
    if (creator == NULL || --creator->channels > 0)
        return;
    HASH_DEL(channels->creators, creator);
    memory_uncount_block(creator);
    free(creator);
}
