/* client_close.c - the closing handshake (RFC 6455, 7.1.2 to 7.1.6).
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "base/utf8.h"
#include "client/client_private.h"

void client_set_close_locked(weir_client *client, unsigned code, const char *reason, size_t reason_size) {
    if (client->close_code != 0)
        return;
    client->close_code = code;
    if (reason_size > CLOSE_REASON_MAX)
        reason_size = CLOSE_REASON_MAX;
    if (reason_size > 0)
        memcpy(client->reason_text, reason, reason_size);
    client->close_reason = client->reason_text;
}

void client_queue_close_locked(weir_client *client, unsigned code, const char *reason, size_t reason_size) {
    if (client->close_queued)
        return;
    struct client_control *control = &client->control;
    control->close = true;
    control->pong = false; /* the server no longer waits for it */
    control->close_size = (uint8_t)close_payload(control->close_payload, code, reason, reason_size);
    client->close_queued = true;
    client->close_deadline = stream_deadline(client->close_timeout);
    pthread_cond_broadcast(&client->written);
}

enum weir_status weir_client_begin_close(weir_client *client, unsigned code, const char *reason) {
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

enum weir_status weir_client_close(weir_client *client, unsigned code, const char *reason) {
    enum weir_status begun = weir_client_begin_close(client, code, reason);
    if (begun != WEIR_OK || !client_begin_closing(client))
        return begun;
    decoder_discard(&client->decoder);
    enum weir_status status = client_receive_until(client, NULL, STREAM_NEVER);
    client_end_receiving(client);
    return status == WEIR_CLOSED ? WEIR_OK : WEIR_FAILED;
}
