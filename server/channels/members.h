/* members.h - the subscribers of one channel: a list, roughly in the order in which they joined, and an index by
 * connection. Joining and leaving take the same time whatever their number. It has no lock of its own: the
 * channel's mutex guards it.
 *
 * The order matters: connections made one after the other are next to each other in memory, and so is the kernel's
 * part of them. Sending to all of them is faster in that order.
 *
 * It holds no reference to a connection: a connection that ends leaves first.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_MEMBERS_H
#define WEIR_CHANNELS_MEMBERS_H

#include <stddef.h>
#include <stdint.h>

struct weir_conn;
struct subscription;

struct member {
    struct weir_conn *conn;
    struct subscription *subscription;
    uint64_t delivered; /* number of the last delivery that it has; this and the form are the caller's */
    uint8_t form;       /* of enum channel_form */
};

/* All zero is an empty one. */
struct members {
    struct member *list;
    uint32_t count;
    uint32_t *index;   /* by a hash of the connection: its position in the list, from 1 on; 0: the cell is free */
    uint32_t capacity; /* of the index: 0 or a power of two; the list has room for three quarters of that */
};

/* Return NULL if it is not a member. The next change may move what they return. */
struct member *members_get(const struct members *members, const struct weir_conn *conn);
struct subscription *members_find(const struct members *members, const struct weir_conn *conn);

/* Makes room for members_add(). Returns -1 if memory is out. */
int members_reserve(struct members *members);

/* Adds a connection that is not a member yet. Returns its entry, which the next call may move. */
struct member *members_add(struct members *members, struct weir_conn *conn, struct subscription *subscription);

/* Removes a member; the last of the list moves to its position. Frees memory when few are left. */
void members_remove(struct members *members, const struct weir_conn *conn);

void members_release(struct members *members);

#endif
