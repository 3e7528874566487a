/* target.h - a URL made ready to be connected to many times: its address and its request. Made before the threads
 * start, then only read.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_TARGET_H
#define WEIR_BENCH_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "client/bench/settings.h"
#include "client/opening.h"

/* Stands for the number of a room in a URL's path or query. It never has fewer characters than that number. */
extern const char target_room[];

enum { TARGET_LINE_MAX = URL_TARGET_MAX + 64 };

struct target {
    const char *text; /* the URL */
    struct sockaddr_storage address;
    socklen_t address_size;
    char key[OPENING_KEY_SIZE]; /* one for all connections: any costs the server as much as any other */
    char *request;
    size_t request_size;
    size_t line_size; /* of its first line, the only one where a room can stand */
};

/* One for each URL, in the heap. NULL with *error filled if a name does not resolve or a header is malformed. A
 * name with several addresses is the first of them where somebody listens. */
struct target *targets_create(const struct settings *settings, struct weir_client_error *error);
void targets_release(struct target *targets, unsigned count);

/* Writes the first line of the request of a client in this room. Returns its size. */
size_t target_line(const struct target *target, unsigned room, char line[TARGET_LINE_MAX]);

/* The options that the request was made with, to judge the answer by. */
struct weir_client_options target_options(const struct settings *settings);

/* True if it is this machine by an address of 127.0.0.0/8. */
bool target_is_loopback(const struct target *target);

#endif
