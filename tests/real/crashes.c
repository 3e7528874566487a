/* crashes.c - a plug-in for test_crash.py: crashes in the callback, and in the way, that its options say.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include <weir/weir.h>

struct crash_request {
    const char *callback, *way;
    weir_server *server;
    weir_timer *timer;
};

static void *volatile nowhere;
static volatile int zero;

/* Not inlined, so that a backtrace has it. */
__attribute__((noinline)) void crash_by_null(void) {
    *(volatile int *)nowhere = 1;
}

__attribute__((noinline)) int crash_by_overflow(int depth) {
    volatile char much[4096];
    much[0] = (char)depth;
    return crash_by_overflow(depth + 1) + much[0];
}

static void free_twice(void) {
    void *volatile memory = malloc(24);
    free(memory);
    free(memory);
}

static void crash(const char *way) {
    if (strcmp(way, "null") == 0)
        crash_by_null();
    else if (strcmp(way, "divide") == 0)
        zero = 7 / zero;
    else if (strcmp(way, "overflow") == 0)
        zero = crash_by_overflow(0);
    else if (strcmp(way, "free") == 0)
        free_twice();
    else
        abort();
}

static void crash_in(struct crash_request *crash_request, const char *callback) {
    if (strcmp(crash_request->callback, callback) == 0)
        crash(crash_request->way);
}

static void crash_in_timer(void *crash_request) {
    crash(((struct crash_request *)crash_request)->way);
}

static int upgrade(weir_upgrade *upgrade, void *context) {
    (void)upgrade;
    crash_in(context, "upgrade");
    return 0;
}

static void open(weir_conn *conn, void *context) {
    struct crash_request *crash_request = context;
    (void)conn;
    crash_in(crash_request, "open");
    if (strcmp(crash_request->callback, "timer") == 0)
        crash_request->timer = weir_timer_start(crash_request->server, 1, 0, crash_in_timer, crash_request);
}

static void message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)conn, (void)opcode, (void)data, (void)size;
    crash_in(context, "message");
}

static void close_(weir_conn *conn, unsigned code, const char *reason, void *context) {
    (void)conn, (void)code, (void)reason;
    crash_in(context, "close");
}

static int start(weir_server *server, const weir_options *options, void **context, char *error, size_t size) {
    static struct crash_request crash_request;
    (void)error, (void)size;
    crash_request = (struct crash_request){weir_option_text(options, "callback"), weir_option_text(options, "way"),
                                           server, NULL};
    crash_in(&crash_request, "start");
    *context = &crash_request;
    return 0;
}

static const struct weir_option options[] = {{"callback", WEIR_OPTION_TEXT, "message", ""},
                                             {"way", WEIR_OPTION_TEXT, "null", ""},
                                             {NULL, WEIR_OPTION_TEXT, NULL, NULL}};
static const struct weir_handler handler = {WEIR_HANDLER_INIT, .upgrade = upgrade, .open = open, .message = message,
                                            .close = close_};

const struct weir_plugin weir_plugin = {
    .abi = WEIR_PLUGIN_ABI, .name = "crashes", .options = options, .handler = &handler, .start = start};
