/* harness.c - see harness.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/core/user_timer.h"
#include "server/log/log.h"
#include "tests/unit/suites.h"
#include "ws/frame.h"

static const char RESPONSE[] = "HTTP/1.1 101\r\n\r\n";

void harness_start(struct harness *harness, unsigned workers, const struct weir_handler *handler, void *context) {
    *harness = (struct harness){.settings = {.limits = {.max_message_size = 1 << 20, .expect_masked = true},
                                             .inbox_size = 1 << 16,
                                             .send_buffer_soft = 1 << 16,
                                             .send_buffer_hard = 1 << 22,
                                             .close_timeout_ms = 5000}};
    harness->core.settings = &harness->settings;
    ck_assert_int_eq(channels_init(&harness->channels, &harness->core), 0);
    harness->core.channels = &harness->channels;
    harness->core.on_drained = channels_hand_out;
    harness->core.on_end = channels_leave_all;
    const struct pool_options options = {
        .workers = workers, .wake_threshold = 128, .scratch_size = CONN_SCRATCH_SIZE};
    log_set_level(LOG_WARNING);
    registry_init(&harness->core.registry, 10000);
    user_timers_init(&harness->core.timers);
    harness->core.pool = pool_create(&options);
    ck_assert_ptr_nonnull(harness->core.pool);
    ck_assert_int_eq(pool_start(harness->core.pool), 0);
    harness->route =
        (struct route){.pattern = "/test", .handler = handler, .context = context, .core = &harness->core};
}

void harness_stop(struct harness *harness) {
    ck_assert_uint_eq(registry_wait_empty(&harness->core.registry, pool_now() + 60000), 0);
    ck_assert(pool_stop(harness->core.pool, UINT64_MAX));
    user_timers_end(&harness->core);
    pool_drop_concurrency(&harness->route.concurrency);
    pool_destroy(harness->core.pool);
    channels_release(&harness->channels);
    ck_assert_ptr_null(harness->route.first);
    registry_release(&harness->core.registry);
}

static void read_whole(int fd, void *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t got = read(fd, (char *)bytes + done, size - done);
        ck_assert_int_gt((int)got, 0);
        done += (size_t)got;
    }
}

static int connect_with(struct harness *harness, const char *path, const char *user, const char *peer) {
    static const char *const params[] = {"name", "value"};
    static const char *const headers[] = {"Host", "example", "Cookie", "a=b"};
    const struct conn_request request = {.path = path,
                                         .peer = peer,
                                         .user = user,
                                         .param_count = 1,
                                         .params = params,
                                         .header_count = 2,
                                         .headers = headers};
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    struct transport transport = transport_socket(pair[0]);
    ck_assert_int_eq(registry_admit(&harness->core.registry), REGISTRY_ADMITTED);
    struct weir_conn *conn = conn_create(&harness->route, &transport, &request, RESPONSE, sizeof RESPONSE - 1);
    ck_assert_ptr_nonnull(conn);
    ck_assert_int_eq(conn_start(conn), 0);
    char response[sizeof RESPONSE] = "";
    read_whole(pair[1], response, sizeof RESPONSE - 1);
    ck_assert_str_eq(response, RESPONSE);
    return pair[1];
}

int harness_connect(struct harness *harness) {
    return harness_connect_as(harness, "user", "192.0.2.1:1");
}

int harness_connect_as(struct harness *harness, const char *user, const char *peer) {
    return connect_with(harness, "/test/value", user, peer);
}

int harness_connect_at(struct harness *harness, const char *path) {
    return connect_with(harness, path, "user", "192.0.2.1:1");
}
void client_send(int client, uint8_t first, const void *payload, size_t size) {
    static const uint8_t mask[4] = {1, 2, 3, 4};
    uint8_t *bytes = malloc(FRAME_HEADER_MAX + size);
    ck_assert_ptr_nonnull(bytes);
    size_t header = frame_header(bytes, 0, size);
    bytes[0] = first;
    bytes[1] |= 0x80;
    memcpy(bytes + header, mask, 4);
    if (size > 0)
        memcpy(bytes + header + 4, payload, size);
    frame_mask(bytes + header + 4, size, mask);
    for (size_t done = 0, total = header + 4 + size; done < total;) {
        ssize_t sent = send(client, bytes + done, total - done, MSG_NOSIGNAL);
        ck_assert_int_gt((int)sent, 0);
        done += (size_t)sent;
    }
    free(bytes);
}

int client_receive(int client, char *payload, size_t capacity, size_t *size) {
    uint8_t header[10];
    ssize_t got = read(client, header, 1);
    if (got == 0)
        return -1;
    ck_assert_int_eq((int)got, 1);
    read_whole(client, header + 1, 1);
    *size = header[1];
    size_t extended = header[1] == 126 ? 2 : header[1] == 127 ? 8 : 0;
    read_whole(client, header + 2, extended);
    for (size_t i = 0; i < extended; i++)
        *size = (i == 0 ? 0 : *size) << 8 | header[2 + i];
    ck_assert_uint_lt(*size, capacity);
    read_whole(client, payload, *size);
    payload[*size] = '\0';
    return header[0];
}

unsigned client_expect_close(int client) {
    char payload[1 << 16];
    size_t size;
    int first;
    while ((first = client_receive(client, payload, sizeof payload, &size)) != 0x88)
        ck_assert_int_ne(first, -1);
    unsigned code = size < 2 ? 1005 : (unsigned)((uint8_t)payload[0] << 8 | (uint8_t)payload[1]);
    client_send(client, 0x88, payload, size < 2 ? 0 : 2);
    ck_assert_int_eq(client_receive(client, payload, sizeof payload, &size), -1);
    close(client);
    return code;
}

void client_close(int client) {
    client_send(client, 0x88, "\x03\xe8", 2);
    char payload[1 << 16];
    size_t size;
    while (client_receive(client, payload, sizeof payload, &size) >= 0)
        continue;
    close(client);
}
