/* members.h - the subscribers of one channel: a list in the order in which they came, more or less, and an index by
 * connection, so that one joins and leaves in the same time whatever their number. No lock of its own: the
 * channel's mutex guards it.
 *
 * The order matters: connections that were made one after the other lie side by side in memory, the kernel's part
 * of them too, and whoever sends to all of them is quicker that way.
 *
 * It holds no reference to a connection: whoever ends leaves first.
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
    uint64_t has; /* the place in the channel's row up to which it has all; this and the form are the owner's */
    uint8_t form; /* of enum channel_form */
};

/* All zero is an empty one. */
struct members {
    struct member *list;
    uint32_t count;
    uint32_t *index;   /* by a hash of the connection: where it is in the list, from 1 on; 0: the place is free */
    uint32_t capacity; /* of the index: 0 or a power of two; the list has room for three quarters of that */
};

/* NULL if it is not a member. The next change may move it. */
struct member *members_get(const struct members *members, const struct weir_conn *conn);
struct subscription *members_find(const struct members *members, const struct weir_conn *conn);

/* Makes sure that members_add() finds room. Returns -1 if memory is out. */
int members_reserve(struct members *members);

/* One that is no member yet; returns its place, which the next call may move. */
struct member *members_add(struct members *members, struct weir_conn *conn, struct subscription *subscription);

/* One that is a member; the last of the list takes its place. Gives memory back when few are left. */
void members_remove(struct members *members, const struct weir_conn *conn);

void members_release(struct members *members);

#endif
