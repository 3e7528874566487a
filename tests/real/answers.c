/* answers.c - a handler for test_bench.py whose answers are not echoes: /answers/none, /answers/twice,
 * /answers/slow.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>
#include <time.h>

#include <weir/weir.h>

static void answer(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)opcode, (void)data, (void)size, (void)context;
    const char *how = weir_conn_param(conn, "how");
    if (strcmp(how, "slow") == 0)
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    for (int i = 0; strcmp(how, "twice") == 0 && i < 2; i++)
        weir_conn_send(conn, WEIR_TEXT, "{}", 2);
}

static const struct weir_handler handler = {WEIR_HANDLER_INIT, .message = answer};

const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "answers", .handler = &handler};
