/* target.h - prepares a URL for many connections: its address and its request. Made before the threads start, and
 * only read afterwards.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_LOAD_TARGET_H
#define WEIR_BENCH_LOAD_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "client/client_handshake.h"
#include "commands/bench/settings.h"

/* The placeholder for the room's number in a URL's path or query. It is never shorter than that number. */
extern const char target_room[];

enum { TARGET_LINE_MAX = URL_TARGET_MAX + 64 };

struct target {
    const char *text; /* the URL */
    struct sockaddr_storage address;
    socklen_t address_size;
    char
        key[CLIENT_HANDSHAKE_KEY_SIZE]; /* one key for all connections, because any key costs the server the same */
    char *request;
    size_t request_size;
    size_t line_size; /* size of the request's first line, the only one that can contain a room */
};

/* Makes one target for each URL, in the heap. Returns NULL with *error filled if a name does not resolve or a
 * header is malformed. Of a name's several addresses, uses the first that accepts a connection. */
struct target *targets_create(const struct settings *settings, struct weir_client_error *error);
void targets_release(struct target *targets, unsigned count);

/* Writes the first line of the request for a client in this room. Returns its size. */
size_t target_line(const struct target *target, unsigned room, char line[TARGET_LINE_MAX]);

/* Returns the options that the request was made with, to check the answer against. */
struct weir_client_options target_options(const struct settings *settings);

/* True if the target is this machine, by an address of 127.0.0.0/8. */
bool target_is_loopback(const struct target *target);

#endif
