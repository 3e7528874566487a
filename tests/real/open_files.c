/* open_files.c - a plug-in for test_exhaustion.py. The message "take" opens files until there is no descriptor
 * left, "give" closes them; any other comes back.
 *
 * SPDX-License-Identifier: MIT
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weir/weir.h>

enum { FILES_MAX = 65536 };

static int files[FILES_MAX], count;

static void take(void) {
    while (count < FILES_MAX && (files[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        count++;
}

static void give(void) {
    while (count > 0)
        close(files[--count]);
}

static void message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)context;
    if (size == 4 && memcmp(data, "take", 4) == 0)
        take();
    else if (size == 4 && memcmp(data, "give", 4) == 0)
        give();
    weir_conn_send(conn, opcode, data, size);
}

static const struct weir_handler handler = {WEIR_HANDLER_INIT, .message = message};

const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "open_files", .handler = &handler};
