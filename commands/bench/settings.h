/* settings.h - what a run of `weir bench` should do: parses and checks the command line.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_SETTINGS_H
#define WEIR_BENCH_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/client.h>

#include "commands/bench/condition.h"

enum scenario { SCENARIO_ECHO, SCENARIO_RATE, SCENARIO_BROADCAST, SCENARIO_IDLE, SCENARIO_CONNECT };

/* What must follow a message in the scenarios echo and rate. */
enum expectation {
    EXPECT_ECHO, /* the same message */
    EXPECT_ANY,  /* one message with any contents */
    EXPECT_NONE  /* nothing: a message counts when it has been sent */
};

struct settings {
    char *const *urls; /* clients use them in turn */
    unsigned url_count;
    enum scenario scenario;
    enum expectation expect;
    unsigned clients;
    unsigned rooms;            /* of a broadcast: at least 1; otherwise 0 */
    unsigned publishers;       /* in each room */
    unsigned window;           /* messages in flight of each sending client: echo, broadcast without a rate; with
                                * EXPECT_NONE how many it sends before others have their turn */
    double rate;               /* messages per second in total, for rate; for broadcast if it is not 0 */
    double ramp;               /* clients connected per second; 0: as fast as the server accepts them */
    double duration, warmup;   /* seconds */
    size_t size_min, size_max; /* bytes of a message; equal unless --size was a range */
    bool text;                 /* text messages; otherwise binary */
    bool compress;
    unsigned threads;
    char *const *sources; /* local addresses, used in turn; NULL: the system chooses */
    unsigned source_count;
    const char *const *headers; /* "Name: value", NULL-terminated */
    const char *const *subprotocols;
    const char *origin;
    const char *auth;         /* "user:password"; NULL: as the URLs say */
    const char *message_file; /* its lines are the messages; NULL: generated messages */
    double timeout;           /* seconds for a handshake, for pending messages at the end, and for closing */
    size_t max_size;          /* of a received message */
    const char *json_path, *html_path;  /* NULL: none; json_path "-": stdout */
    const struct condition *conditions; /* --fail-if */
    unsigned condition_count;
    bool quiet;         /* no progress lines */
    char *const *merge; /* --merge, --compare: files to read instead of running; NULL: none */
    unsigned merge_count;
    bool compare; /* compare these files, instead of adding them up */
};

const char *scenario_name(enum scenario scenario);
const char *expectation_name(enum expectation expect);

/* True if messages are sent at a given rate; false if each message received triggers the next. */
static inline bool settings_open_loop(const struct settings *settings) {
    return settings->rate > 0;
}

/* The clients are spread over the rooms in turn. The clients that send in a broadcast come first, so each room
 * has equally many. */
static inline unsigned settings_room(const struct settings *settings, uint32_t client) {
    return client % settings->rooms;
}
static inline unsigned settings_senders(const struct settings *settings) {
    return settings->publishers * settings->rooms;
}

/* Parses the command line of `weir bench`. Returns -1 to continue, or the exit status after printing what was
 * needed. What the settings point to lives until settings_release(). */
int settings_parse(struct settings *settings, int argc, char **argv);
void settings_release(struct settings *settings);

#endif
