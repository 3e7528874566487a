/* client_close.c - the closing handshake (RFC 6455, 7.1.2 to 7.1.6).
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "base/utf8.h"
#include "client/client_private.h"

enum weir_status weir_client_close(weir_client *client, unsigned code, const char *reason) {
    size_t reason_size = reason == NULL ? 0 : strlen(reason);
    if (!close_code_sendable(code) || reason_size > CLOSE_REASON_MAX ||
        !utf8_valid((const uint8_t *)reason, reason_size))
        return WEIR_INVALID;
    pthread_mutex_lock(&client->mutex);
    if (!client->over)
        client_queue_close_locked(client, code, reason, reason_size);
    client_push_control_locked(client);
    bool somebody_receives = client->receiving;
    pthread_mutex_unlock(&client->mutex);
    if (somebody_receives)
        client_wake(client);
    return WEIR_OK;
}

static bool is_closing(weir_client *client) {
    pthread_mutex_lock(&client->mutex);
    bool closing = client->close_queued || client->close_received || client->over;
    pthread_mutex_unlock(&client->mutex);
    return closing;
}

enum weir_status weir_client_wait_closed(weir_client *client) {
    if (!is_closing(client) || !client_begin_closing(client))
        return WEIR_INVALID;
    decoder_discard(&client->decoder);
    enum weir_status status = client_receive_until(client, NULL, SOCKET_NEVER);
    client_end_receiving(client);
    return status == WEIR_CLOSED ? WEIR_OK : WEIR_FAILED;
}
