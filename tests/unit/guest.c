/* guest.c - see guest.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/guest.h"

#include <string.h>
#include <sys/socket.h>

#include "tests/unit/assertions.h"
#include "tests/unit/late.h"

enum { CAPACITY = 1 << 20 };

/* The newest stands first. */
static void take_first(struct weir_conn *conn, void *arg) {
    struct weir_conn **first = arg;
    if (*first == NULL)
        *first = weir_conn_retain(conn);
}

static struct guest guest_of(struct harness *harness, int client) {
    const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    struct guest guest = {.client = client};
    ck_assert_int_eq(setsockopt(guest.client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    registry_each(&harness->core.registry, &harness->route, take_first, &guest.conn);
    ck_assert_ptr_nonnull(guest.conn);
    return guest;
}

struct guest guest_connect(struct harness *harness) {
    return guest_of(harness, harness_connect(harness));
}

struct guest guest_connect_as(struct harness *harness, const char *user, const char *peer) {
    return guest_of(harness, harness_connect_as(harness, user, peer));
}

struct guest guest_connect_at(struct harness *harness, const char *path) {
    return guest_of(harness, harness_connect_at(harness, path));
}

void guest_leave(struct guest *guest) {
    client_close(guest->client);
    weir_conn_release(guest->conn);
    guest->conn = NULL;
}

enum join_result guest_join(const struct guest *guest, const char *channel, enum channel_form form) {
    const struct join join = {.form = form};
    return channels_join(conn_core(guest->conn)->channels, guest->conn, channel, &join);
}

bool guest_unsubscribe(const struct guest *guest, const char *channel) {
    return channels_leave(conn_core(guest->conn)->channels, guest->conn, channel);
}

void guest_expect(const struct guest *guest, enum weir_opcode opcode, const void *payload, size_t size) {
    static char got[CAPACITY];
    size_t got_size;
    ck_assert_int_eq(client_receive(guest->client, got, sizeof got, &got_size), 0x80 | (int)opcode);
    ck_assert_uint_eq(got_size, size);
    ck_assert_mem_eq(got, payload, size);
}

void guest_receive(const struct guest *guest, char *text, size_t capacity) {
    size_t size;
    ck_assert_int_eq(client_receive(guest->client, text, capacity, &size), 0x81);
}

void guest_expect_text(const struct guest *guest, const char *text) {
    static char got[CAPACITY];
    guest_receive(guest, got, sizeof got);
    ck_assert_str_eq(got, text);
}

void guest_expect_nothing(const struct guest *guest) {
    ck_assert_int_eq(weir_conn_send(guest->conn, WEIR_TEXT, "nothing else", 12), WEIR_OK);
    guest_expect_text(guest, "nothing else");
}

static void note_receivers(const struct weir_publish_result *result, void *context) {
    ck_assert_int_eq(result->status, WEIR_OK);
    *(long *)context = (long)result->receivers;
}

long publish_as(weir_conn *conn, const char *channel, enum weir_opcode opcode, const void *data, size_t size,
                bool include_self) {
    long receivers = -100;
    enum weir_status status =
        weir_conn_publish(conn, channel, opcode, data, size, include_self, note_receivers, &receivers);
    return status == WEIR_OK ? receivers : (long)status;
}

long publish_json(struct harness *harness, const char *channel, const char *json, size_t size) {
    long receivers = -100;
    enum weir_status status =
        channels_publish_json(&harness->channels, channel, json, size, note_receivers, &receivers);
    return status == WEIR_OK ? receivers : (long)status;
}

struct published publish(struct harness *harness, const char *channel, enum publication_kind kind,
                         const char *text) {
    const struct publication publication = {
        .channel = channel, .kind = kind, .data = text, .size = strlen(text), .published_by = PUBLISHED_BY_API};
    struct published published;
    ck_assert_int_eq(channels_publish(&harness->channels, &publication, &published), WEIR_OK);
    return published;
}

void set_rules(struct harness *harness, const struct channel_rule *rules, size_t count) {
    const struct channels_limits limits = harness->channels.limits;
    ck_assert_int_eq(channels_configure(&harness->channels, rules, count, &limits), 0);
}

struct channel_options usual_options(void) {
    return (struct channel_options){.may_subscribe = true, .may_publish = true};
}

void run_expiry(struct harness *harness) {
    pool_submit(harness->core.pool, &harness->channels.expiry);
}

bool channel_exists(struct harness *harness, const char *channel) {
    struct channel_statistics statistics;
    return channels_query(&harness->channels, channel, &statistics) == 0;
}

uint32_t count_channels(struct harness *harness) {
    uint32_t count;
    uint64_t subscriptions;
    channels_count(&harness->channels, &count, &subscriptions);
    return count;
}

uint64_t count_subscriptions(struct harness *harness) {
    uint32_t count;
    uint64_t subscriptions;
    channels_count(&harness->channels, &count, &subscriptions);
    return subscriptions;
}
