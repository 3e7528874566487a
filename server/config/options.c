/* options.c - the option table. Finding one's way in it is option_find.c.
 *
 * To add an option: a field in config.h, a row here, a paragraph in conf/weir.ini. Constant data, so any thread may
 * read it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/config/options.h"

#include "server/config/config.h"

#define KIB     UINT64_C(1024)
#define MIB     (1024 * KIB)
#define GIB     (1024 * MIB)
#define SECONDS UINT64_C(1000)
#define HOURS   (3600 * SECONDS)

static const char *const unknown_route_choices[] = {"close", "404", NULL};
static const char *const compression_choices[] = {"off", "on", "takeover", NULL};
static const char *const route_compression_choices[] = {"off", "on", "takeover", "inherit", NULL};
static const char *const slow_consumer_choices[] = {"disconnect", "drop-oldest", "drop-newest", NULL};
static const char *const route_slow_consumer_choices[] = {"disconnect", "drop-oldest", "drop-newest", "inherit",
                                                          NULL};
static const char *const rate_policy_choices[] = {"pause", "close", NULL};
static const char *const log_level_choices[] = {"error", "warning", "info", "debug", NULL};
static const char *const own_log_level_choices[] = {"error", "warning", "info", "debug", "inherit", NULL};
static const char *const log_format_choices[] = {"logfmt", "json", NULL};

/* clang-format off */
const struct option options[] = {
    {.section = "server", .name = "listen", .type = OPTION_ADDRESSES, .default_value = "0.0.0.0:9000",
     .restart = true, .offset = offsetof(struct config, server.listen),
     .help = "where clients connect; a port alone means every IPv4 address"},
    {.section = "server", .name = "workers", .type = OPTION_INTEGER, .default_value = "8", .min = 1, .max = 1024,
     .restart = true, .offset = offsetof(struct config, server.workers),
     .help = "handlers that may run, or block, at the same time"},
    {.section = "server", .name = "http_threads", .type = OPTION_INTEGER, .default_value = "16",
     .min = 1, .max = 1024, .restart = true, .offset = offsetof(struct config, server.http_threads),
     .help = "threads that answer HTTP requests and handshakes"},
    {.section = "server", .name = "connection_queue", .type = OPTION_INTEGER, .default_value = "128",
     .min = 1, .max = 65535, .restart = true, .offset = offsetof(struct config, server.connection_queue),
     .help = "accepted clients that may wait for an HTTP thread"},
    {.section = "server", .name = "max_connections", .type = OPTION_INTEGER, .default_value = "16384",
     .min = 0, .max = 10000000, .offset = offsetof(struct config, server.max_connections),
     .help = "WebSocket clients at once, the next one gets 503; 0: as many as the descriptor limit allows"},
    {.section = "server", .name = "max_connections_per_ip", .type = OPTION_INTEGER, .default_value = "0",
     .min = 0, .max = 10000000, .offset = offsetof(struct config, server.max_connections_per_ip),
     .help = "WebSocket clients of one address at once, the next one gets 429; 0: no limit"},
    {.section = "server", .name = "upgrades_per_ip", .type = OPTION_INTEGER, .default_value = "0",
     .min = 0, .max = 1000000, .offset = offsetof(struct config, server.upgrades_per_ip),
     .help = "handshakes a second of one address, one more gets 429; 0: no limit"},
    {.section = "server", .name = "handshakes_per_ip", .type = OPTION_INTEGER, .default_value = "8",
     .min = 0, .max = 65535, .restart = true, .offset = offsetof(struct config, server.handshakes_per_ip),
     .help = "unfinished requests of one address that may hold an HTTP thread each; 0: no limit"},
    {.section = "server", .name = "trusted_proxies", .type = OPTION_NETWORKS, .default_value = "none",
     .restart = true, .offset = offsetof(struct config, server.trusted_proxies),
     .help = "networks whose X-Forwarded-For tells the client's address"},
    {.section = "server", .name = "memory_limit", .type = OPTION_SIZE, .default_value = "1GiB",
     .min = 0, .max = 1024 * GIB, .offset = offsetof(struct config, server.memory_limit),
     .help = "messages of all clients in memory; beyond it those that hold most are closed with 1013; 0: no limit"},
    {.section = "server", .name = "drain_window", .type = OPTION_DURATION, .default_value = "3s",
     .min = 0, .max = 24 * HOURS, .offset = offsetof(struct config, server.drain_window_ms),
     .help = "a stop spreads its closes over so long, or a second for each 1,000 clients if that is less"},
    {.section = "server", .name = "drain_timeout", .type = OPTION_DURATION, .default_value = "10s",
     .min = 0, .max = 24 * HOURS, .offset = offsetof(struct config, server.drain_timeout_ms),
     .help = "how long a stop waits for handlers and clients"},
    {.section = "server", .name = "unknown_route", .type = OPTION_CHOICE, .default_value = "close",
     .choices = unknown_route_choices, .offset = offsetof(struct config, server.unknown_route),
     .help = "a path without a route: close with code 4040, which browsers can see, or answer HTTP 404"},

    {.section = "websocket", .name = "max_message_size", .type = OPTION_SIZE, .default_value = "1MiB",
     .min = 1, .max = GIB, .offset = offsetof(struct config, websocket.max_message_size),
     .help = "a larger message from a client closes it with code 1009"},
    {.section = "websocket", .name = "max_fragments", .type = OPTION_INTEGER, .default_value = "131072",
     .min = 1, .max = 1 << 30, .offset = offsetof(struct config, websocket.max_fragments),
     .help = "a message from a client in more frames closes it with code 1008"},
    {.section = "websocket", .name = "compression", .type = OPTION_CHOICE, .default_value = "on",
     .choices = compression_choices, .offset = offsetof(struct config, websocket.compression),
     .help = "permessage-deflate for clients that offer it: each message by itself, or with context takeover"},
    {.section = "websocket", .name = "compression_threshold", .type = OPTION_SIZE, .default_value = "1KiB",
     .min = 0, .max = GIB, .offset = offsetof(struct config, websocket.compression_threshold),
     .help = "messages to clients that are smaller go uncompressed"},
    {.section = "websocket", .name = "inbox_size", .type = OPTION_SIZE, .default_value = "256KiB",
     .min = 1 * KIB, .max = GIB, .offset = offsetof(struct config, websocket.inbox_size),
     .help = "messages of one client that may wait for its handler before reading from it pauses"},
    {.section = "websocket", .name = "send_buffer_soft", .type = OPTION_SIZE, .default_value = "1MiB",
     .min = 1 * KIB, .max = GIB, .offset = offsetof(struct config, websocket.send_buffer_soft),
     .help = "replies that may wait for one client before reading from it pauses"},
    {.section = "websocket", .name = "send_buffer_hard", .type = OPTION_SIZE, .default_value = "16MiB",
     .min = 1 * KIB, .max = 2 * GIB, .offset = offsetof(struct config, websocket.send_buffer_hard),
     .help = "bytes of any kind that may wait for one client before slow_consumer says what happens"},
    {.section = "websocket", .name = "slow_consumer", .type = OPTION_CHOICE, .default_value = "disconnect",
     .choices = slow_consumer_choices, .offset = offsetof(struct config, websocket.slow_consumer),
     .help = "a client beyond send_buffer_hard is closed with code 1013, or loses messages"},
    {.section = "websocket", .name = "send_timeout", .type = OPTION_DURATION, .default_value = "1m",
     .min = 0, .max = 24 * HOURS, .offset = offsetof(struct config, websocket.send_timeout_ms),
     .help = "a client that takes nothing of what waits for it for so long is cut off; 0: never"},
    {.section = "websocket", .name = "message_rate", .type = OPTION_INTEGER, .default_value = "0",
     .min = 0, .max = 10000000, .offset = offsetof(struct config, websocket.message_rate),
     .help = "messages, pings and pongs a second that are taken from one client; 0: no limit"},
    {.section = "websocket", .name = "byte_rate", .type = OPTION_SIZE, .default_value = "0",
     .min = 0, .max = GIB, .offset = offsetof(struct config, websocket.byte_rate),
     .help = "bytes a second that are taken from one client; 0: no limit"},
    {.section = "websocket", .name = "rate_policy", .type = OPTION_CHOICE, .default_value = "pause",
     .choices = rate_policy_choices, .offset = offsetof(struct config, websocket.rate_policy),
     .help = "a client beyond its rate is read no faster, or closed with code 1008"},
    {.section = "websocket", .name = "handshake_timeout", .type = OPTION_DURATION, .default_value = "5s",
     .min = 1, .max = 1 * HOURS, .restart = true, .offset = offsetof(struct config, websocket.handshake_timeout_ms),
     .help = "how long a client may take to send its request"},
    {.section = "websocket", .name = "close_timeout", .type = OPTION_DURATION, .default_value = "10s",
     .min = 1, .max = 1 * HOURS, .offset = offsetof(struct config, websocket.close_timeout_ms),
     .help = "how long a client may take to answer a Close"},
    {.section = "websocket", .name = "ping_interval", .type = OPTION_DURATION, .default_value = "20s",
     .min = 0, .max = 24 * HOURS, .offset = offsetof(struct config, websocket.ping_interval_ms),
     .help = "how often each client is pinged; 0: never"},
    {.section = "websocket", .name = "ping_timeout", .type = OPTION_DURATION, .default_value = "20s",
     .min = 1, .max = 24 * HOURS, .offset = offsetof(struct config, websocket.ping_timeout_ms),
     .help = "a client of which nothing comes for so long after a ping is closed with code 1011"},
    {.section = "websocket", .name = "idle_timeout", .type = OPTION_DURATION, .default_value = "0",
     .min = 0, .max = 24 * HOURS, .offset = offsetof(struct config, websocket.idle_timeout_ms),
     .help = "a client without a message in either direction for so long is closed with code 1001; 0: never"},
    {.section = "websocket", .name = "origins", .type = OPTION_ORIGINS, .default_value = "same-host",
     .offset = offsetof(struct config, websocket.origins),
     .help = "pages whose scripts may connect; clients that send no Origin always may"},

    {.section = "log", .name = "level", .type = OPTION_CHOICE, .default_value = "info",
     .choices = log_level_choices, .offset = offsetof(struct config, log.level),
     .help = "the least important events that are still logged"},
    {.section = "log", .name = "level_server", .type = OPTION_CHOICE, .default_value = "inherit",
     .choices = own_log_level_choices, .offset = offsetof(struct config, log.level_server),
     .help = "likewise, of start, stop, what the machine lacks, and the log itself alone"},
    {.section = "log", .name = "level_http", .type = OPTION_CHOICE, .default_value = "inherit",
     .choices = own_log_level_choices, .offset = offsetof(struct config, log.level_http),
     .help = "likewise, of requests that did not become connections"},
    {.section = "log", .name = "level_conn", .type = OPTION_CHOICE, .default_value = "inherit",
     .choices = own_log_level_choices, .offset = offsetof(struct config, log.level_conn),
     .help = "likewise, of connections while they live"},
    {.section = "log", .name = "level_access", .type = OPTION_CHOICE, .default_value = "inherit",
     .choices = own_log_level_choices, .offset = offsetof(struct config, log.level_access),
     .help = "likewise, of the line for each connection when it is over, which is of level info"},
    {.section = "log", .name = "format", .type = OPTION_CHOICE, .default_value = "logfmt",
     .choices = log_format_choices, .restart = true, .offset = offsetof(struct config, log.format),
     .help = "how a line is written: pairs of name=value, or a JSON object"},
    {.section = "log", .name = "file", .type = OPTION_PATH, .default_value = "stderr", .restart = true,
     .offset = offsetof(struct config, log.file),
     .help = "where lines are appended to; SIGUSR1 opens it anew"},
    {.section = "log", .name = "buffer", .type = OPTION_SIZE, .default_value = "1MiB",
     .min = 16 * KIB, .max = GIB, .restart = true, .offset = offsetof(struct config, log.buffer),
     .help = "lines that may wait to be written; what comes beyond is dropped and counted"},

    {.section = "admin", .name = "listen", .type = OPTION_ADDRESSES, .default_value = "none", .restart = true,
     .offset = offsetof(struct config, admin.listen),
     .help = "where health, metrics and the admin API are served; a listener of its own"},
    {.section = "admin", .name = "http_threads", .type = OPTION_INTEGER, .default_value = "4",
     .min = 1, .max = 64, .restart = true, .offset = offsetof(struct config, admin.http_threads),
     .help = "threads that answer its requests"},
    {.section = "admin", .name = "token", .type = OPTION_SECRET, .default_value = "none",
     .offset = offsetof(struct config, admin.token),
     .help = "what a client of the admin API must present; without one the API is refused"},
    {.section = "admin", .name = "token_file", .type = OPTION_PATH, .default_value = "none",
     .offset = offsetof(struct config, admin.token_file),
     .help = "a file that holds the token in one line; others than its owner and group must not reach it"},

    {.section = "route", .name = "handler", .type = OPTION_HANDLER, .default_value = NULL,
     .offset = offsetof(struct config_route, handler),
     .help = "what answers the messages; a plug-in takes options of its own beside these"},
    {.section = "route", .name = "concurrency", .type = OPTION_INTEGER, .default_value = "0", .min = 0, .max = 1024,
     .offset = offsetof(struct config_route, concurrency),
     .help = "handlers of this route at the same time; 0: as many as there are workers"},
    {.section = "route", .name = "echo_self", .type = OPTION_BOOLEAN, .default_value = "yes",
     .offset = offsetof(struct config_route, echo_self),
     .help = "whether broadcast sends a message back to its sender too"},
    {.section = "route", .name = "subprotocols", .type = OPTION_SUBPROTOCOLS, .default_value = "none",
     .offset = offsetof(struct config_route, subprotocols),
     .help = "what the route speaks, the preferred one first; the first that the client offers is selected"},
    {.section = "route", .name = "require_subprotocol", .type = OPTION_BOOLEAN, .default_value = "no",
     .offset = offsetof(struct config_route, require_subprotocol),
     .help = "whether a client that offers none of them gets HTTP 400"},
    {.section = "route", .name = "origins", .type = OPTION_ORIGINS, .default_value = "inherit",
     .offset = offsetof(struct config_route, origins),
     .help = "as in [websocket], for this route alone"},
    {.section = "route", .name = "compression", .type = OPTION_CHOICE, .default_value = "inherit",
     .choices = route_compression_choices, .offset = offsetof(struct config_route, compression),
     .help = "as in [websocket], for this route alone"},
    {.section = "route", .name = "slow_consumer", .type = OPTION_CHOICE, .default_value = "inherit",
     .choices = route_slow_consumer_choices, .offset = offsetof(struct config_route, slow_consumer),
     .help = "as in [websocket], for this route alone"},
    {.name = NULL},
};
/* clang-format on */

const size_t option_count = sizeof options / sizeof *options - 1;

const char *const option_sections[] = {"server", "websocket", "log", "admin", "route", NULL};
