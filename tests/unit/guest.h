/* guest.h - a client of channels with both its ends: the socket that a test reads from, and the connection that
 * joins. A message that a guest expects and never gets fails the test after a while.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TESTS_UNIT_GUEST_H
#define WEIR_TESTS_UNIT_GUEST_H

#include <stdbool.h>

#include "tests/unit/harness.h"

struct guest {
    int client;
    struct weir_conn *conn; /* with a reference */
};

struct guest guest_connect(struct harness *harness); /* by one thread at a time */
struct guest guest_connect_as(struct harness *harness, const char *user, const char *peer); /* likewise */
struct guest guest_connect_at(struct harness *harness, const char *path);
void guest_leave(struct guest *guest); /* closes properly */

/* Joins without recovery and without an answer. */
enum join_result guest_join(const struct guest *guest, const char *channel, enum channel_form form);

/* Returns whether the guest was subscribed. */
bool guest_unsubscribe(const struct guest *guest, const char *channel);

/* The next message is this one, of this opcode. */
void guest_expect(const struct guest *guest, enum weir_opcode opcode, const void *payload, size_t size);
void guest_expect_text(const struct guest *guest, const char *text);

/* Fails if anything was sent that the guest has not read. */
void guest_expect_nothing(const struct guest *guest);

/* The next message, whose opcode is text. */
void guest_receive(const struct guest *guest, char *text, size_t capacity);

/* Publishes as this connection. Returns how many get the message, or a negative weir_status. */
long publish_as(weir_conn *conn, const char *channel, enum weir_opcode opcode, const void *data, size_t size,
                bool include_self);

/* Does the same with a JSON value, without a connection. */
long publish_json(struct harness *harness, const char *channel, const char *json, size_t size);

struct published publish(struct harness *harness, const char *channel, enum publication_kind kind,
                         const char *text);

/* Replaces the rules and keeps the limits. */
void set_rules(struct harness *harness, const struct channel_rule *rules, size_t count);

/* The options of a channel without a rule, as a base for one. */
struct channel_options usual_options(void);

/* Starts what the timer starts: dropping of old messages and unneeded channels. Returns at once. */
void run_expiry(struct harness *harness);

bool channel_exists(struct harness *harness, const char *channel);
uint32_t count_channels(struct harness *harness);
uint64_t count_subscriptions(struct harness *harness);

#endif
