/* producer.c - sends each line of its input as a message. Consumers (consumer.c) print it.
 *
 *     date | ./producer ws://127.0.0.1:8765/distribute
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>

#include <weir/client.h>

int main(int argc, char **argv) {
    struct weir_client_error error;
    struct weir_client_message own;
    weir_client *client = weir_client_connect(argc > 1 ? argv[1] : "ws://127.0.0.1:8765/distribute", NULL, &error);
    if (client == NULL)
        return fprintf(stderr, "producer: %s\n", error.text), 1;
    char *line = NULL;
    size_t capacity = 0;
    for (ssize_t size; (size = getline(&line, &capacity, stdin)) > 0;) {
        size_t length = (size_t)(line[size - 1] == '\n' ? size - 1 : size);
        if (weir_client_send(client, WEIR_TEXT, line, length) != WEIR_OK)
            fprintf(stderr, "producer: not sent: %.*s\n", (int)length, line);
        while (weir_client_receive(client, &own, 0) == WEIR_OK)
            ; /* the server sends our own messages back too */
    }
    weir_client_close(client, 1000, NULL);
    int failed = weir_client_wait_closed(client) != WEIR_OK;
    weir_client_destroy(client);
    free(line);
    return failed;
}
