/* echo.c - sends each of its arguments as a message, and prints what comes back.
 *
 *     cc -std=gnu17 -Iinclude -o echo examples/clients/echo.c build/libweir.a -lcivetweb -lcrypto -lz
 *     ./echo ws://127.0.0.1:8765/ hello "and good-bye"
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include <weir/client.h>

int main(int argc, char **argv) {
    struct weir_client_error error;
    struct weir_client_message answer;
    weir_client *client = weir_client_connect(argc > 1 ? argv[1] : "ws://127.0.0.1:8765/", NULL, &error);
    if (client == NULL)
        return fprintf(stderr, "echo: %s\n", error.text), 1;
    for (int i = 2; i < argc; i++) {
        weir_client_send(client, WEIR_TEXT, argv[i], strlen(argv[i]));
        if (weir_client_receive(client, &answer, 5000) == WEIR_OK)
            printf("%.*s\n", (int)answer.size, (const char *)answer.data);
    }
    weir_client_close(client, 1000, NULL);
    int failed = weir_client_wait_closed(client) != WEIR_OK || weir_client_close_code(client) != 1000;
    if (failed)
        fprintf(stderr, "echo: closed with %u %s\n", weir_client_close_code(client),
                weir_client_close_reason(client));
    weir_client_destroy(client);
    return failed;
}
