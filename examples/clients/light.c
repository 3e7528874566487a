/* light.c - switches a lamp on or off, as the path says. The message is the lamp's address. The server has 30 s to
 * answer.
 *
 *     ./light ws://127.0.0.1:8765/light/on 192.168.1.20
 *     ./light ws://127.0.0.1:8765/light/off 192.168.1.20
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include <weir/client.h>

int main(int argc, char **argv) {
    if (argc != 3)
        return fputs("usage: light ws://HOST:PORT/light/on|off ADDRESS\n", stderr), 2;
    struct weir_client_error error;
    struct weir_client_message answer;
    weir_client *client = weir_client_connect(argv[1], NULL, &error);
    if (client == NULL)
        return fprintf(stderr, "light: %s\n", error.text), 1;
    weir_client_send(client, WEIR_TEXT, argv[2], strlen(argv[2]));
    int failed = weir_client_receive(client, &answer, 30000) != WEIR_OK;
    if (failed) /* the server closes an unknown path with 4040 and a reason */
        fprintf(stderr, "light: closed with %u %s\n", weir_client_close_code(client),
                weir_client_close_reason(client));
    else
        printf("%.*s\n", (int)answer.size, (const char *)answer.data);
    weir_client_close(client, 1000, NULL);
    weir_client_wait_closed(client);
    weir_client_destroy(client);
    return failed;
}
