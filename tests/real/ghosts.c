/* ghosts.c - clients that join and leave channels without a pause, and know where they are, for test_ghosts.py.
 *
 *     ghosts PORT CLIENTS CHANNELS SEED
 *
 * Three in four speak weir.v1: they subscribe, unsubscribe (several times at once, too), publish, ask for presence,
 * and leave in some way, often with requests under way. The others are in one channel by its path. Each has a
 * thread of its own. It checks what it gets: messages only of channels that it is in, each once and in order; joins
 * and leaves of others.
 *
 * Told by lines on stdin, it answers on stdout with lines, of which the last is "done":
 *
 *     churn MILLISECONDS  They come and go, then finish what they have begun and rest. "client PORT CHANNEL..." for
 *                         each that is connected.
 *     look                At rest: each has as many others by its joins and leaves as there are, and the server's
 *                         presence has them all. "presence CHANNEL JSON" for each channel.
 *     leave               All of them. "totals JSON": what has happened how often since the last time.
 *
 * SPDX-License-Identifier: MIT
 */
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "wanderer.h"

enum { CHANNELS_MAX = 1000, NAME_SIZE = 32, BURST = 5, REST_MS = 20 };

enum deed { JOINED, UNSUBSCRIBED, PUBLISHED, PRESENCES, CONNECTED, BY_PATH, MESSAGES, ANNOUNCED, DEEDS };
static const char *const deeds[DEEDS] = {"joined",    "unsubscribed", "published", "presences",
                                         "connected", "by_path",      "messages",  "announced"};
static const char *const ways[LEAVE_WAYS] = {"closed", "closed_listening", "reset", "ended_silently"};

enum order { REST, CHURN, LOOK, LEAVE, QUIT };

struct membership {
    bool asked; /* where it will be when all requests have been answered */
    bool in;
    uint64_t offset; /* the last */
    uint64_t others; /* by joins and leaves; itself too */
};

struct ghost {
    struct wanderer wanderer;
    unsigned unanswered;
    bool by_path;
    unsigned path; /* the channel */
    struct membership *at;
    uint64_t counts[DEEDS];
};

static uint64_t port, clients, channels;
static struct ghost *ghosts;

static struct {
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t changed;
    unsigned number;
    enum order order;
    uint64_t until; /* of CHURN: now_ms() */
    uint64_t done;  /* clients that have done it */
} now = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* At rest; written by the main thread alone. */
static struct {
    uint64_t members;
    struct ghost *asker; /* who asks for its presence */
} truth[CHANNELS_MAX];

/* --- Names ------------------------------------------------------------------------------------------------- */

static bool is_loud(unsigned channel) {
    return channel % 10 == 0;
}

static const char *name_of(unsigned channel, char name[NAME_SIZE]) {
    const char *kind = is_loud(channel) ? "loud" : channel % 10 == 1 ? "past" : "room";
    snprintf(name, NAME_SIZE, "%s:%u", kind, channel);
    return name;
}

static unsigned channel_of(const struct ghost *ghost, const struct weir_client_message *message) {
    char name[NAME_SIZE], quoted[NAME_SIZE + 3];
    size_t size;
    const char *colon, *text = member(message, "channel", &size);
    if (text != NULL && (colon = memchr(text, ':', size)) != NULL) {
        unsigned channel = (unsigned)strtoul(colon + 1, NULL, 10);
        snprintf(quoted, sizeof quoted, "\"%s\"", name_of(channel, name));
        if (channel < channels && member_is(message, "channel", quoted))
            return channel;
    }
    fail("client %u got %.*s", ghost->wanderer.number, (int)message->size, (const char *)message->data);
}

/* --- What comes -------------------------------------------------------------------------------------------- */

static bool is_type(const struct weir_client_message *message, const char *type) {
    return member_is(message, "type", type);
}

/* Every message says, as its data, where it was published. */
static void take_message(struct ghost *ghost, struct membership *at, unsigned channel,
                         const struct weir_client_message *message) {
    char name[NAME_SIZE], expected[NAME_SIZE + 4];
    uint64_t offset = member_number(message, "offset");
    snprintf(expected, sizeof expected, "\"%s\"}", name_of(channel, name));
    if (!at->in || offset != at->offset + 1 || !member_is(message, "data", expected))
        fail("client %u, %s, last offset %lu, got %.*s", ghost->wanderer.number, at->in ? "subscribed" : "a ghost",
             at->offset, (int)message->size, (const char *)message->data);
    at->offset = offset;
    ghost->counts[MESSAGES]++;
}

static void take_subscribed(struct ghost *ghost, struct membership *at, const struct weir_client_message *message) {
    if (at->in)
        fail("client %u is subscribed twice", ghost->wanderer.number);
    at->in = true;
    at->offset = member_number(message, "offset");
    at->others = member_number(message, "count"); /* of the presence that was asked for */
    ghost->counts[JOINED]++;
}

static void take_announcement(struct ghost *ghost, struct membership *at, unsigned channel, bool joins) {
    if (!at->in || !is_loud(channel) || (!joins && at->others <= 1))
        fail("client %u, who knows %lu, is told who %s channel %u", ghost->wanderer.number, at->others,
             joins ? "joins" : "leaves", channel);
    at->others += joins ? 1 : UINT64_MAX;
    ghost->counts[ANNOUNCED]++;
}

static void take_presence(struct ghost *ghost, unsigned channel, const struct weir_client_message *message) {
    char name[NAME_SIZE];
    uint64_t count = member_number(message, "count");
    if (!ghost->at[channel].in || count == 0 || count > clients)
        fail("client %u got %.*s", ghost->wanderer.number, (int)message->size, (const char *)message->data);
    ghost->counts[PRESENCES]++;
    if (truth[channel].asker != ghost)
        return;
    flockfile(stdout);
    printf("presence %s %.*s\n", name_of(channel, name), (int)message->size, (const char *)message->data);
    funlockfile(stdout);
}

/* By its path a client gets what was published, by others of its path or as JSON. */
static void take_raw(struct ghost *ghost, const struct weir_client_message *message) {
    char name[NAME_SIZE], quoted[NAME_SIZE + 3];
    int size = snprintf(quoted, sizeof quoted, "\"%s\"", name_of(ghost->path, name)) - 2;
    bool plain = message->size == (size_t)size && memcmp(message->data, name, message->size) == 0;
    bool json = message->size == (size_t)size + 2 && memcmp(message->data, quoted, message->size) == 0;
    if (!plain && !json)
        fail("client %u of %s got %.*s", ghost->wanderer.number, name, (int)message->size,
             (const char *)message->data);
    ghost->counts[MESSAGES]++;
}

static void take(struct wanderer *wanderer, const struct weir_client_message *message) {
    struct ghost *ghost = (struct ghost *)wanderer;
    if (ghost->by_path) {
        take_raw(ghost, message);
        return;
    }
    bool pong = is_type(message, "\"pong\"");
    unsigned channel = pong ? 0 : channel_of(ghost, message);
    struct membership *at = &ghost->at[channel];
    if (is_type(message, "\"message\"")) {
        take_message(ghost, at, channel, message);
        return;
    }
    if (is_type(message, "\"join\"") || is_type(message, "\"leave\"")) {
        take_announcement(ghost, at, channel, is_type(message, "\"join\""));
        return;
    }
    if (is_type(message, "\"subscribed\""))
        take_subscribed(ghost, at, message);
    else if (is_type(message, "\"unsubscribed\"") && at->in)
        at->in = false, ghost->counts[UNSUBSCRIBED]++;
    else if (is_type(message, "\"presence\""))
        take_presence(ghost, channel, message);
    else if (is_type(message, "\"published\""))
        ghost->counts[PUBLISHED]++;
    else if (!pong)
        fail("client %u got %.*s", wanderer->number, (int)message->size, (const char *)message->data);
    if (ghost->unanswered-- == 0)
        fail("client %u got an answer too much: %.*s", wanderer->number, (int)message->size,
             (const char *)message->data);
}

static void hear(struct ghost *ghost) {
    if (wanderer_hear(&ghost->wanderer, WANDERER_PATIENCE_MS) != WEIR_OK)
        fail("client %u waits for %u answers, and nothing comes", ghost->wanderer.number, ghost->unanswered);
}

static void hear_answers(struct ghost *ghost) {
    while (ghost->unanswered > 0)
        hear(ghost);
}

static void hear_for(struct ghost *ghost, uint64_t milliseconds) {
    uint64_t end = now_ms() + milliseconds, at;
    while ((at = now_ms()) < end)
        if (wanderer_hear(&ghost->wanderer, (long)(end - at)) == WEIR_CLOSED)
            fail("client %u was too slow", ghost->wanderer.number);
}

/* --- What is done ------------------------------------------------------------------------------------------ */

static void ask(struct ghost *ghost, const char *type, unsigned channel, const char *more) {
    char name[NAME_SIZE];
    if (!wanderer_say(&ghost->wanderer, "{\"type\":\"%s\",\"channel\":\"%s\"%s}", type, name_of(channel, name),
                      more))
        hear(ghost); /* fails, and says why */
    ghost->unanswered++;
}

static void toggle(struct ghost *ghost, unsigned channel) {
    struct membership *at = &ghost->at[channel];
    ask(ghost, at->asked ? "unsubscribe" : "subscribe", channel, at->asked ? "" : ",\"presence\":true");
    at->asked = !at->asked;
}

static void publish(struct ghost *ghost, unsigned channel) {
    char name[NAME_SIZE], data[NAME_SIZE + 20];
    name_of(channel, name);
    snprintf(data, sizeof data, ",\"data\":\"%s\"", name);
    if (ghost->by_path)
        ghost->counts[PUBLISHED] += wanderer_say(&ghost->wanderer, "%s", name);
    else
        ask(ghost, "publish", channel, data);
}

static void come(struct ghost *ghost) {
    struct wanderer *wanderer = &ghost->wanderer;
    char url[100], name[NAME_SIZE];
    ghost->by_path = wanderer_choose(wanderer, 4) == 0;
    ghost->path = (unsigned)wanderer_choose(wanderer, channels);
    ghost->unanswered = 0;
    memset(ghost->at, 0, channels * sizeof *ghost->at);
    if (ghost->by_path)
        snprintf(url, sizeof url, "ws://127.0.0.1:%lu/path/%s", port, name_of(ghost->path, name));
    else
        snprintf(url, sizeof url, "ws://127.0.0.1:%lu/channels", port);
    wanderer_come(wanderer, url, ghost->by_path ? NULL : "weir.v1");
    ghost->counts[ghost->by_path ? BY_PATH : CONNECTED]++;
}

static void leave(struct ghost *ghost) {
    wanderer_leave(&ghost->wanderer, (enum wanderer_way)wanderer_choose(&ghost->wanderer, LEAVE_WAYS));
}

static void step_by_path(struct ghost *ghost) {
    if (wanderer_choose(&ghost->wanderer, 3) == 0)
        leave(ghost);
    else
        publish(ghost, ghost->path);
}

static void step_by_request(struct ghost *ghost) {
    struct wanderer *wanderer = &ghost->wanderer;
    unsigned channel = (unsigned)wanderer_choose(wanderer, channels);
    uint64_t choice = wanderer_choose(wanderer, 20);
    if (choice < 10) {
        toggle(ghost, channel);
    } else if (choice < 13) {
        for (uint64_t left = 2 + wanderer_choose(wanderer, BURST); left > 0; left--)
            toggle(ghost, channel);
    } else if (choice < 16) {
        publish(ghost, channel);
    } else if (choice < 18 && ghost->at[channel].asked) {
        ask(ghost, "presence", channel, "");
    } else if (choice == 19) {
        leave(ghost);
    }
}

static void step(struct ghost *ghost) {
    struct wanderer *wanderer = &ghost->wanderer;
    if (wanderer->client == NULL) {
        pause_ms(wanderer_choose(wanderer, 50));
        come(ghost);
    } else if (ghost->by_path) {
        step_by_path(ghost);
    } else {
        step_by_request(ghost);
    }
    if (wanderer->client == NULL)
        return;
    if (wanderer_choose(wanderer, 3) > 0)
        hear_answers(ghost);
    hear_for(ghost, wanderer_choose(wanderer, 30));
}

/* Behind the answer to a ping is nothing that the server had done before. */
static void look(struct ghost *ghost) {
    if (ghost->wanderer.client == NULL || ghost->by_path)
        return;
    if (!wanderer_say(&ghost->wanderer, "{\"type\":\"ping\"}"))
        hear(ghost);
    ghost->unanswered++;
    hear_answers(ghost);
    for (unsigned channel = 0; channel < channels; channel++) {
        const struct membership *at = &ghost->at[channel];
        if (at->in && is_loud(channel) && at->others != truth[channel].members)
            fail("client %u knows %lu of channel %u by joins and leaves, and there are %lu", ghost->wanderer.number,
                 at->others, channel, truth[channel].members);
        if (truth[channel].asker == ghost)
            ask(ghost, "presence", channel, "");
    }
    hear_answers(ghost);
}

/* --- Orders ------------------------------------------------------------------------------------------------ */

static void obey(struct ghost *ghost, enum order order, uint64_t until) {
    if (order == CHURN) {
        while (now_ms() < until)
            step(ghost);
        if (ghost->wanderer.client != NULL)
            hear_answers(ghost);
    } else if (order == LOOK) {
        look(ghost);
    } else if (order == LEAVE && ghost->wanderer.client != NULL) {
        leave(ghost);
    }
}

static void *ghost_run(void *context) {
    struct ghost *ghost = context;
    enum order order = REST;
    unsigned obeyed = 0;
    while (order != QUIT) {
        pthread_mutex_lock(&now.mutex);
        bool news = now.number != obeyed;
        order = now.order;
        obeyed = now.number;
        uint64_t until = now.until;
        pthread_mutex_unlock(&now.mutex);
        if (news) {
            obey(ghost, order, until);
            pthread_mutex_lock(&now.mutex);
            now.done++;
            pthread_cond_signal(&now.changed);
            pthread_mutex_unlock(&now.mutex);
        } else if (ghost->wanderer.client != NULL) {
            hear_for(ghost, REST_MS);
        } else {
            pause_ms(REST_MS);
        }
    }
    return NULL;
}

/* Returns when all have done it. */
static void give(enum order order, uint64_t milliseconds) {
    pthread_mutex_lock(&now.mutex);
    now.number++;
    now.order = order;
    now.until = now_ms() + milliseconds;
    now.done = 0;
    while (now.done < clients)
        pthread_cond_wait(&now.changed, &now.mutex);
    pthread_mutex_unlock(&now.mutex);
}

/* --- The truth --------------------------------------------------------------------------------------------- */

static unsigned local_port(const struct ghost *ghost) {
    struct sockaddr_in address = {.sin_port = 0};
    socklen_t size = sizeof address;
    if (getsockname(weir_client_descriptor(ghost->wanderer.client), (struct sockaddr *)&address, &size) != 0)
        fail("client %u has no address", ghost->wanderer.number);
    return ntohs(address.sin_port);
}

static bool is_in(const struct ghost *ghost, unsigned channel) {
    return ghost->by_path ? channel == ghost->path : ghost->at[channel].in;
}

static void report_truth(void) {
    char name[NAME_SIZE];
    memset(truth, 0, sizeof truth);
    for (uint64_t i = 0; i < clients; i++) {
        struct ghost *ghost = &ghosts[i];
        if (ghost->wanderer.client == NULL)
            continue;
        printf("client %u", local_port(ghost));
        for (unsigned channel = 0; channel < channels; channel++) {
            if (!is_in(ghost, channel))
                continue;
            printf(" %s", name_of(channel, name));
            truth[channel].members++;
            if (!ghost->by_path)
                truth[channel].asker = ghost;
        }
        printf("\n");
    }
}

static void report_totals(void) {
    uint64_t counts[DEEDS] = {0}, left[LEAVE_WAYS] = {0}, refused = 0;
    for (uint64_t i = 0; i < clients; i++) {
        struct ghost *ghost = &ghosts[i];
        for (unsigned deed = 0; deed < DEEDS; deed++)
            counts[deed] += ghost->counts[deed], ghost->counts[deed] = 0;
        for (unsigned way = 0; way < LEAVE_WAYS; way++)
            left[way] += ghost->wanderer.left[way], ghost->wanderer.left[way] = 0;
        refused += ghost->wanderer.refused, ghost->wanderer.refused = 0;
    }
    printf("totals {\"refused\":%lu", refused);
    for (unsigned deed = 0; deed < DEEDS; deed++)
        printf(",\"%s\":%lu", deeds[deed], counts[deed]);
    for (unsigned way = 0; way < LEAVE_WAYS; way++)
        printf(",\"%s\":%lu", ways[way], left[way]);
    printf("}\n");
}

static void take_orders(void) {
    char line[100];
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (strncmp(line, "churn ", 6) == 0) {
            give(CHURN, strtoul(line + 6, NULL, 10));
            report_truth();
        } else if (strcmp(line, "look\n") == 0) {
            give(LOOK, 0);
        } else if (strcmp(line, "leave\n") == 0) {
            give(LEAVE, 0);
            report_totals();
        } else {
            fail("what is %s?", line);
        }
        printf("done\n");
        fflush(stdout);
    }
    give(QUIT, 0);
}

int main(int argc, char **argv) {
    if (argc != 5)
        fail("ghosts PORT CLIENTS CHANNELS SEED");
    port = strtoul(argv[1], NULL, 10);
    clients = strtoul(argv[2], NULL, 10);
    channels = strtoul(argv[3], NULL, 10);
    pthread_t *threads = calloc(clients, sizeof *threads);
    ghosts = calloc(clients, sizeof *ghosts);
    if (threads == NULL || ghosts == NULL || channels > CHANNELS_MAX)
        fail("too many");
    for (uint64_t i = 0; i < clients; i++) {
        wanderer_init(&ghosts[i].wanderer, (unsigned)i, strtoul(argv[4], NULL, 10));
        ghosts[i].wanderer.take = take;
        if ((ghosts[i].at = calloc(channels, sizeof *ghosts[i].at)) == NULL)
            fail("no memory");
        start(&threads[i], ghost_run, &ghosts[i]);
    }
    take_orders();
    for (uint64_t i = 0; i < clients; i++) {
        pthread_join(threads[i], NULL);
        free(ghosts[i].at);
    }
    free(threads);
    free(ghosts);
    return 0;
}
