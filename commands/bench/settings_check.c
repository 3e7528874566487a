/* settings_check.c - see settings_check.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/settings_check.h"

#include <stdarg.h>
#include <string.h>

#include "client/url.h"
#include "commands/bench/load/payload.h"
#include "commands/bench/load/target.h"

enum { SIZE_DEFAULT = 20, MAX_SIZE_DEFAULT = 16 << 20, HEARD_MAX = 1 << 26 };

static const char help[] =
    "usage: weir bench [OPTION]... URL...         run a load and measure it\n"
    "       weir bench --merge [OPTION]... FILE... add up the --json of runs at the same time\n"
    "       weir bench --compare [--html FILE] A B two runs side by side, from their --json\n\n"
    "  --scenario NAME     echo: each client sends, and waits for its messages to come back (default)\n"
    "                      rate: --rate messages/s in total, whether the server keeps up or not; latency\n"
    "                            counts from when a message was to be sent\n"
    "                      broadcast: --publishers clients send, all receive all that they send\n"
    "                      idle: connects all clients and holds them; connect: connects and closes, again\n"
    "  --expect WHAT       what follows a message of echo or rate. echo: the same message; any: one message,\n"
    "                      whatever it says; none: nothing is awaited, and messages count when they have left for\n"
    "                      the network, so the rate is what the server reads, not what it handles\n"
    "  --clients N         connections at once (1); with several URLs each takes its turn\n"
    "  --rooms N           of a broadcast: {room} in the URL's path stands for 0 to N - 1, and the clients are\n"
    "                      spread over these rooms; each receives all that is sent in its room, nothing else.\n"
    "                      Several processes on one server: rooms of their own, like a{room} and b{room}\n"
    "  --publishers N      clients that send in a broadcast, in each of its rooms (1)\n"
    "  --window N          messages under way of each sending client: echo, broadcast without --rate (1)\n"
    "  --rate N            messages per second in total: rate, broadcast\n"
    "  --ramp N            connect at most so many clients per second (0: as fast as they are taken)\n"
    "  --duration TIME     measured: 500ms, 10s, 1m (10s); after --warmup TIME (1s)\n"
    "  --timeout TIME      for a handshake, and for what is under way at the end (10s)\n"
    "  --threads N         of the tester (1); more processes and machines: --json, then --merge\n"
    "  --size BYTES        of a message: 512, 64KiB, or of any size in 100-2000 (20)\n"
    "  --message-file FILE its lines are the messages in turn: echo, rate\n"
    "  --binary            send binary messages, not text\n"
    "  --compress          offer permessage-deflate, without context takeover\n"
    "  --max-size BYTES    of a message received (16MiB)\n"
    "  --header 'NAME: VALUE', --subprotocol NAME (both may be repeated), --origin ORIGIN,\n"
    "  --auth USER:PASSWORD\n"
    "  --source ADDRESSES  connect from 127.0.0.2-127.0.0.9, or a list with commas, in turn\n"
    "  --json FILE         all results, '-' for stdout; --html FILE: a page with charts\n"
    "  --quiet             nothing while it runs; -h, --help: this\n"
    "  --fail-if CONDITION end with status 99 if 'p99>50ms', 'rate<10000', 'missing>0'...; may be repeated:\n";

static const char status_help[] =
    "\nExit status: 0; 1 if no client could connect, clients failed or were dropped, messages were\n"
    "missing or wrong, or it was interrupted; 2 on a usage error; 99 if a condition came true.\n";

void settings_help(FILE *out) {
    char statistics[4096];
    condition_list(statistics, sizeof statistics);
    fprintf(out, "%s%s%s", help, statistics, status_help);
}

/* --- Checks -------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 1, 2))) static bool refuse(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("weir bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return false;
}

/* {room} and --rooms require each other. */
static bool check_room(const struct settings *settings, const char *text, const struct url *url) {
    bool found = memmem(url->target, url->target_size, target_room, strlen(target_room)) != NULL;
    if (found && settings->rooms == 0)
        return refuse("\"%.200s\": %s stands for a number; say with --rooms how many there are", text, target_room);
    if (!found && settings->rooms > 0)
        return refuse("\"%.200s\": --rooms needs %s in its path, as in ws://127.0.0.1:9000/room/%s", text,
                      target_room, target_room);
    return true;
}

static bool check_urls(const struct settings *settings) {
    struct url url;
    char why[256];
    if (settings->url_count == 0)
        return refuse("no URL; write one like ws://127.0.0.1:9000/echo (`weir bench --help`)");
    for (unsigned i = 0; i < settings->url_count; i++) {
        if (!url_parse(settings->urls[i], &url, why, sizeof why))
            return refuse("\"%.200s\": %s", settings->urls[i], why);
        if (url.tls)
            return refuse("%.200s: wss:// is not built yet; use ws://", settings->urls[i]);
        if (!check_room(settings, settings->urls[i], &url))
            return false;
    }
    return settings->auth == NULL || strlen(settings->auth) < URL_USER_SIZE ||
           refuse("--auth has more than %d characters", URL_USER_SIZE - 1);
}

/* Checks whether there are enough clients. */
static bool check_rooms(const struct settings *settings) {
    uint64_t rooms = settings->rooms > 0 ? settings->rooms : 1;
    uint64_t publishers = settings->publishers > 0 ? settings->publishers : 1;
    if (settings->scenario != SCENARIO_BROADCAST && settings->rooms > 0)
        return refuse("--rooms is for the scenario broadcast, not for %s", scenario_name(settings->scenario));
    if (settings->rooms > settings->clients)
        return refuse("--rooms: %u are more than the %u --clients, and one would be empty", settings->rooms,
                      settings->clients);
    if (publishers * rooms > settings->clients && settings->rooms > 0)
        return refuse("--publishers are some of the clients of each room: %u in each of %u rooms are more than %u",
                      settings->publishers, settings->rooms, settings->clients);
    if (publishers > settings->clients)
        return refuse("--publishers are some of the --clients: %u are more than %u", settings->publishers,
                      settings->clients);
    return true;
}

/* Checks which options are meaningful in which scenario. */
static bool check_scenario(const struct settings *settings) {
    enum scenario scenario = settings->scenario;
    const char *name = scenario_name(scenario);
    bool broadcast = scenario == SCENARIO_BROADCAST, echo = scenario == SCENARIO_ECHO;
    if (scenario == SCENARIO_RATE && settings->rate == 0)
        return refuse("the scenario rate needs --rate, messages per second in total");
    if (scenario != SCENARIO_RATE && !broadcast && settings->rate > 0)
        return refuse("--rate is for the scenarios rate and broadcast, not for %s", name);
    if (settings->publishers > 0 && !broadcast)
        return refuse("--publishers is for the scenario broadcast, not for %s", name);
    if (settings->window > 0 && ((!echo && !broadcast) || settings->rate > 0))
        return refuse("--window is for echo, and for broadcast without --rate");
    if (settings->expect != EXPECT_ECHO && !echo && scenario != SCENARIO_RATE)
        return refuse("--expect is for the scenarios echo and rate, not for %s", name);
    if (settings->message_file != NULL && !echo && scenario != SCENARIO_RATE)
        return refuse("--message-file is for the scenarios echo and rate, not for %s", name);
    return check_rooms(settings);
}

static bool check_sizes(const struct settings *settings) {
    if (settings->message_file != NULL && settings->size_min != SETTINGS_UNSET)
        return refuse("--size and --message-file exclude each other");
    if (settings->scenario == SCENARIO_BROADCAST && settings->size_min < PAYLOAD_PREFIX_LONG)
        return refuse("--size: messages of a broadcast need %d bytes at least, for whose they are and when",
                      PAYLOAD_PREFIX_LONG);
    size_t largest = settings->size_min != SETTINGS_UNSET ? settings->size_max : SIZE_DEFAULT;
    bool sends = settings->scenario != SCENARIO_IDLE && settings->scenario != SCENARIO_CONNECT;
    if (sends && settings->expect == EXPECT_ECHO && settings->message_file == NULL && settings->max_size > 0 &&
        largest > settings->max_size)
        return refuse("--size is larger than --max-size: the messages could not come back");
    return true;
}

static void fill_in(struct settings *settings) {
    if (settings->size_min == SETTINGS_UNSET)
        settings->size_min = settings->size_max = SIZE_DEFAULT;
    if (settings->max_size == 0)
        settings->max_size = settings->size_max > MAX_SIZE_DEFAULT ? settings->size_max : MAX_SIZE_DEFAULT;
    if (settings->publishers == 0 && settings->scenario == SCENARIO_BROADCAST)
        settings->publishers = 1;
    if (settings->rooms == 0 && settings->scenario == SCENARIO_BROADCAST)
        settings->rooms = 1;
    if (settings->window == 0 && !settings_open_loop(settings))
        settings->window = 1;
    if (settings->threads > settings->clients)
        settings->threads = settings->clients;
}

bool settings_check(struct settings *settings) {
    if (settings->json_path != NULL && settings->html_path != NULL && strcmp(settings->json_path, "-") == 0 &&
        strcmp(settings->html_path, "-") == 0)
        return refuse("--json and --html cannot both go to stdout");
    if (settings->compare && settings->merge_count != 2)
        return refuse("--compare needs two files that --json has written");
    if (settings->compare && (settings->json_path != NULL || settings->condition_count > 0))
        return refuse("--compare takes no --json and no --fail-if");
    if (settings->merge != NULL)
        return settings->merge_count > 0 || refuse("--merge needs the files that --json has written");
    if (!check_urls(settings) || !check_scenario(settings) || !check_sizes(settings))
        return false;
    fill_in(settings);
    if ((uint64_t)settings->clients * settings->publishers > HEARD_MAX)
        return refuse("%u publishers for %u clients are too many to keep count of", settings->publishers,
                      settings->clients);
    return true;
}
