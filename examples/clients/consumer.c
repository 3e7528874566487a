/* consumer.c - prints each message that it receives, until the server closes or the user presses Control-C.
 *
 *     ./consumer ws://127.0.0.1:8765/distribute
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include <weir/client.h>

static void print(weir_client *client, const struct weir_client_message *message, void *context) {
    (void)client, (void)context;
    printf("%.*s\n", (int)message->size, (const char *)message->data);
    fflush(stdout);
}

int main(int argc, char **argv) {
    struct weir_client_error error;
    weir_client *client = weir_client_connect(argc > 1 ? argv[1] : "ws://127.0.0.1:8765/distribute", NULL, &error);
    if (client == NULL)
        return fprintf(stderr, "consumer: %s\n", error.text), 1;
    fprintf(stderr, "connected to %s\n", weir_client_peer(client));
    int failed = weir_client_run(client, print, NULL) != WEIR_CLOSED; /* also answers pings */
    fprintf(stderr, "closed with %u %s\n", weir_client_close_code(client), weir_client_close_reason(client));
    weir_client_destroy(client);
    return failed;
}
