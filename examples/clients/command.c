/* command.c - logs in with JSON, then sends two binary commands: set the services, and free all of them. The
 * plug-in examples/command.c describes the protocol: a little-endian int32, followed by a payload.
 *
 *     ./command ws://127.0.0.1:8765/command '["lamp","heater"]'
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/client.h>

enum { FREE = 0, SET_SERVICE = 2, ID_SIZE = 4, COMMAND_MAX = 4096 };

/* Sends a command and prints the reply. Returns 0 if none came. */
static int command(weir_client *client, int id, const void *payload, size_t size) {
    unsigned char bytes[COMMAND_MAX] = {(unsigned char)id};
    struct weir_client_message reply;
    if (size > 0)
        memcpy(bytes + ID_SIZE, payload, size);
    weir_client_send(client, WEIR_BINARY, bytes, ID_SIZE + size);
    if (weir_client_receive(client, &reply, 5000) != WEIR_OK || reply.size < ID_SIZE)
        return 0;
    const unsigned char *at = reply.data;
    int status = (int)(at[0] | (unsigned)at[1] << 8 | (unsigned)at[2] << 16 | (unsigned)at[3] << 24);
    printf("%d %.*s\n", status, (int)(reply.size - ID_SIZE), (const char *)at + ID_SIZE);
    return 1;
}

int main(int argc, char **argv) {
    static const char login[] = "{\"role\":\"admin\",\"user_id\":\"test1234\"}", all = -1;
    if (argc != 3 || strlen(argv[2]) > COMMAND_MAX - ID_SIZE)
        return fputs("usage: command ws://HOST:PORT/command '[\"SERVICE\",...]'\n", stderr), 2;
    struct weir_client_error error;
    weir_client *client = weir_client_connect(argv[1], NULL, &error);
    if (client == NULL)
        return fprintf(stderr, "command: %s\n", error.text), 1;
    weir_client_send(client, WEIR_TEXT, login, sizeof login - 1);
    int done = command(client, SET_SERVICE, argv[2], strlen(argv[2])) && command(client, FREE, &all, 1);
    weir_client_close(client, 1000, "user quit");
    weir_client_wait_closed(client);
    if (!done)
        fprintf(stderr, "command: closed with %u %s\n", weir_client_close_code(client),
                weir_client_close_reason(client));
    weir_client_destroy(client);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
