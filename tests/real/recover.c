/* recover.c - clients of weir.v1 that drop and return while others publish, for test_recovery.py.
 *
 *     recover PORT ADMIN_PORT NAME=VALUE...
 *
 * Two publishers by weir.v1 and one by HTTP write `messages` messages to the channel "soak", as fast as the server
 * takes them or, with `rate`, so many a second; each says whose it is and its number. `clients` clients listen,
 * each on a thread of its own: for up to `stay` messages, then it leaves in some way, or unsubscribes, and returns
 * within `away` milliseconds, with the offset and the epoch that it has.
 *
 * Each client sees every offset once and in order, or is told recovered:false; for one offset all see the same
 * data, which is what the publisher was told; a publisher's messages stand in its own order, none is missing. With
 * `history` (messages), recovered is true just if no more than that were missed; without, it is always true. With
 * `soft` (bytes), it is true if what was missed is less. `filling` makes messages longer, up to so many bytes.
 *
 * The last line is JSON: what happened how often.
 *
 * SPDX-License-Identifier: MIT
 */
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wanderer.h"

#define CHANNEL "soak"

enum { PUBLISHERS = 3, WINDOW = 64, FILLING_MAX = 4096, EPOCH_SIZE = 65, OVERHEAD_MAX = 256 };

static struct {
    uint64_t port, admin_port, clients, messages, stay, away, history, soft, filling, rate, seed;
} settings = {.clients = 50, .messages = 1000, .stay = 1000, .away = 20, .seed = 1};

static char url[100], filling[FILLING_MAX];
static _Atomic uint64_t *contents; /* by offset: whose message it is, and its number */
static _Atomic uint64_t published; /* messages that publishers have begun */
static uint64_t begun;             /* now_ms() */

/* --- What stands where ------------------------------------------------------------------------------------- */

static size_t filling_of(uint64_t number) {
    return settings.filling == 0 ? 0 : (size_t)(number * 37 % settings.filling);
}

static int write_data(char *text, size_t size, unsigned publisher, uint64_t number) {
    return snprintf(text, size, "[%u,%lu,\"%.*s\"]", publisher, number, (int)filling_of(number), filling);
}

static void stands_at(uint64_t offset, unsigned publisher, uint64_t number) {
    uint64_t expected = 0, content = (uint64_t)(publisher + 1) << 32 | number;
    if (offset < 1 || offset > settings.messages)
        fail("offset %lu of %lu", offset, settings.messages);
    if (!atomic_compare_exchange_strong(&contents[offset], &expected, content) && expected != content)
        fail("offset %lu is message %lu of publisher %lu, and message %lu of publisher %u", offset,
             expected & UINT32_MAX, (expected >> 32) - 1, number, publisher);
}

/* Every publisher's messages are all there, in its order. */
static void check_contents(uint64_t counts[PUBLISHERS]) {
    for (uint64_t offset = 1; offset <= settings.messages; offset++) {
        uint64_t content = contents[offset];
        if (content == 0)
            fail("nobody has seen offset %lu", offset);
        if ((content & UINT32_MAX) != ++counts[(content >> 32) - 1])
            fail("offset %lu is message %lu of publisher %lu, expected %lu", offset, content & UINT32_MAX,
                 (content >> 32) - 1, counts[(content >> 32) - 1]);
    }
}

/* --- Listeners --------------------------------------------------------------------------------------------- */

struct listener {
    struct wanderer wanderer;
    char epoch[EPOCH_SIZE];
    uint64_t position;             /* the last offset that it has */
    bool asked, subscribed;        /* the second between the answers */
    uint64_t behind, behind_bytes; /* the last offset of what it had missed, and what has come of it */
    uint64_t received, replayed, missed, recovered, not_recovered, slow, stays;
};

static void take_subscribed(struct listener *listener, const struct weir_client_message *message) {
    size_t size;
    uint64_t offset = member_number(message, "offset"), missed = offset - listener->position;
    const char *epoch = member(message, "epoch", &size);
    bool recovered = member_is(message, "recovered", "true");
    if (offset < listener->position || epoch == NULL || (!recovered && !member_is(message, "recovered", "false")))
        fail("client %u at %lu got %.*s", listener->wanderer.number, listener->position, (int)message->size,
             (const char *)message->data);
    if (settings.history != 0 ? recovered != (missed <= settings.history) : !recovered && settings.soft == 0)
        fail("client %u at %lu of %lu: recovered is %d", listener->wanderer.number, listener->position, offset,
             recovered);
    if (settings.soft != 0 && !recovered && missed * (settings.filling + OVERHEAD_MAX) < settings.soft / 2)
        fail("client %u missed only %lu, and they were not sent", listener->wanderer.number, missed);
    const char *end = memchr(epoch + 1, '"', size - 1);
    size_t length = end == NULL ? 0 : (size_t)(end - epoch - 1);
    if (length == 0 || length >= EPOCH_SIZE ||
        (listener->position > 0 &&
         (strlen(listener->epoch) != length || memcmp(epoch + 1, listener->epoch, length) != 0)))
        fail("client %u: the epoch was %s, and is %.*s", listener->wanderer.number, listener->epoch, (int)length,
             epoch + 1);
    memcpy(listener->epoch, epoch + 1, length);
    listener->epoch[length] = '\0';
    listener->behind = recovered ? offset : 0;
    listener->behind_bytes = 0;
    listener->subscribed = true;
    if (recovered) {
        listener->recovered++;
    } else {
        listener->not_recovered++;
        listener->missed += missed;
        listener->position = offset;
    }
}

static void check_data(const struct listener *listener, const struct weir_client_message *message) {
    char expected[FILLING_MAX + 100];
    size_t size;
    const char *data = member(message, "data", &size);
    unsigned publisher;
    uint64_t number;
    if (data == NULL || sscanf(data, "[%u,%lu,", &publisher, &number) != 2 || publisher >= PUBLISHERS)
        fail("client %u got %.*s", listener->wanderer.number, (int)message->size, (const char *)message->data);
    size_t length = (size_t)write_data(expected, sizeof expected, publisher, number);
    if (size != length + 1 || memcmp(data, expected, length) != 0)
        fail("client %u got %.*s, not %s", listener->wanderer.number, (int)size, data, expected);
    stands_at(listener->position, publisher, number);
}

static void take_message(struct listener *listener, const struct weir_client_message *message) {
    uint64_t offset = member_number(message, "offset");
    if (!listener->subscribed)
        fail("client %u got offset %lu, and is not subscribed", listener->wanderer.number, offset);
    if (offset != listener->position + 1)
        fail("client %u got offset %lu behind %lu; %lu was the last of what it had missed",
             listener->wanderer.number, offset, listener->position, listener->behind);
    listener->position = offset;
    listener->received++;
    if (offset <= listener->behind) {
        listener->replayed++;
        listener->behind_bytes += message->size;
        if (settings.soft != 0 && listener->behind_bytes > settings.soft)
            fail("client %u is sent more of what it has missed than it may have", listener->wanderer.number);
    }
    check_data(listener, message);
}

static void take(struct wanderer *wanderer, const struct weir_client_message *message) {
    struct listener *listener = (struct listener *)wanderer;
    if (member_is(message, "type", "\"message\"")) {
        take_message(listener, message);
    } else if (member_is(message, "type", "\"subscribed\"") && listener->asked && !listener->subscribed) {
        listener->asked = false;
        take_subscribed(listener, message);
    } else if (member_is(message, "type", "\"unsubscribed\"") && listener->subscribed) {
        listener->subscribed = false;
    } else {
        fail("client %u got %.*s", wanderer->number, (int)message->size, (const char *)message->data);
    }
}

/* False if the server has closed it for slowness. */
static bool hear(struct listener *listener) {
    enum weir_status status = wanderer_hear(&listener->wanderer, WANDERER_PATIENCE_MS);
    if (status == WEIR_TIMEOUT)
        fail("client %u heard nothing behind %lu of %lu", listener->wanderer.number, listener->position,
             settings.messages);
    listener->slow += status != WEIR_OK;
    return status == WEIR_OK;
}

/* What could not be sent had an end of the connection for its reason; that is looked at. */
static bool said(struct listener *listener, bool sent) {
    while (!sent && hear(listener))
        continue;
    return sent;
}

/* Who has nothing yet knows no epoch: the channel may have been forgotten, empty as it was. */
static bool subscribe(struct listener *listener) {
    listener->asked = true;
    listener->stays++;
    struct wanderer *wanderer = &listener->wanderer;
    bool sent =
        listener->position == 0
            ? wanderer_say(wanderer, "{\"type\":\"subscribe\",\"channel\":\"" CHANNEL "\",\"since\":0}")
            : wanderer_say(wanderer,
                           "{\"type\":\"subscribe\",\"channel\":\"" CHANNEL "\",\"since\":%lu,\"epoch\":\"%s\"}",
                           listener->position, listener->epoch);
    return said(listener, sent);
}

/* Up to `count` messages, or the answer alone. */
static bool listen_for(struct listener *listener, uint64_t count) {
    uint64_t end = listener->received + count;
    while (listener->asked || (listener->received < end && listener->position < settings.messages))
        if (!hear(listener))
            return false;
    return true;
}

static bool unsubscribe(struct listener *listener) {
    if (!said(listener,
              wanderer_say(&listener->wanderer, "{\"type\":\"unsubscribe\",\"channel\":\"" CHANNEL "\"}")))
        return false;
    while (listener->subscribed)
        if (!hear(listener))
            return false;
    return true;
}

/* One connection. One in eight is left before the answer has come. */
static void stay(struct listener *listener) {
    struct wanderer *wanderer = &listener->wanderer;
    wanderer_come(wanderer, url, "weir.v1");
    listener->asked = listener->subscribed = false;
    bool alive = subscribe(listener);
    while (alive && wanderer_choose(wanderer, 8) != 0) {
        alive = listen_for(listener, wanderer_choose(wanderer, settings.stay));
        if (!alive || listener->position == settings.messages || wanderer_choose(wanderer, 4) != 0)
            break;
        alive = unsubscribe(listener);
        if (alive) {
            pause_ms(wanderer_choose(wanderer, settings.away + 1));
            alive = subscribe(listener);
        }
    }
    wanderer_leave(wanderer, alive ? (enum wanderer_way)wanderer_choose(wanderer, LEAVE_WAYS) : LEAVE_SILENTLY);
}

static void *listener_run(void *context) {
    struct listener *listener = context;
    while (listener->position < settings.messages) {
        stay(listener);
        pause_ms(wanderer_choose(&listener->wanderer, settings.away + 1));
    }
    return NULL;
}

/* --- Publishers -------------------------------------------------------------------------------------------- */

struct publisher {
    struct wanderer wanderer;
    uint64_t sent, answered;
};

/* Whether there is one more to write. */
static bool next(struct publisher *publisher) {
    uint64_t before = atomic_fetch_add(&published, 1);
    if (before >= settings.messages)
        return false;
    while (settings.rate != 0 && (now_ms() - begun) * settings.rate < before * 1000)
        pause_ms(1);
    publisher->sent++;
    return true;
}

static void take_answer(struct wanderer *wanderer, const struct weir_client_message *message) {
    struct publisher *publisher = (struct publisher *)wanderer;
    if (!member_is(message, "type", "\"published\"") || member_number(message, "id") != ++publisher->answered)
        fail("publisher %u got %.*s", wanderer->number, (int)message->size, (const char *)message->data);
    stands_at(member_number(message, "offset"), wanderer->number, publisher->answered);
}

static void *publish_by_websocket(void *context) {
    struct publisher *publisher = context;
    char text[FILLING_MAX + 200];
    publisher->wanderer.take = take_answer;
    wanderer_come(&publisher->wanderer, url, "weir.v1");
    for (bool more = true; more || publisher->answered < publisher->sent;) {
        if (more && publisher->sent - publisher->answered < WINDOW) {
            if (!(more = next(publisher)))
                continue;
            int size =
                snprintf(text, sizeof text,
                         "{\"type\":\"publish\",\"channel\":\"" CHANNEL "\",\"id\":%lu,\"data\":", publisher->sent);
            size +=
                write_data(text + size, sizeof text - (size_t)size, publisher->wanderer.number, publisher->sent);
            text[size++] = '}';
            if (weir_client_send(publisher->wanderer.client, WEIR_TEXT, text, (size_t)size) != WEIR_OK)
                fail("publisher %u cannot send", publisher->wanderer.number);
        } else if (wanderer_hear(&publisher->wanderer, WANDERER_PATIENCE_MS) != WEIR_OK) {
            fail("publisher %u gets no answer", publisher->wanderer.number);
        }
    }
    wanderer_leave(&publisher->wanderer, LEAVE_BY_CLOSE);
    return NULL;
}

static int connect_to_admin(void) {
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)settings.admin_port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int stream = socket(AF_INET, SOCK_STREAM, 0);
    if (stream < 0 || connect(stream, (const struct sockaddr *)&address, sizeof address) != 0)
        fail("the admin listener cannot be reached");
    return stream;
}

/* The whole answer of one request. */
static struct weir_client_message ask(int stream, const char *request, size_t size, char *answer, size_t room) {
    size_t have = 0, whole = SIZE_MAX;
    const char *body;
    if (send(stream, request, size, MSG_NOSIGNAL) != (ssize_t)size)
        fail("the admin listener takes no request");
    while (have < whole) {
        ssize_t more = recv(stream, answer + have, room - 1 - have, 0);
        if (more <= 0)
            fail("the admin listener gave no whole answer");
        answer[have += (size_t)more] = '\0';
        const char *length = strcasestr(answer, "\r\nContent-Length:");
        if (whole == SIZE_MAX && length != NULL && (body = strstr(answer, "\r\n\r\n")) != NULL)
            whole = (size_t)(body - answer) + 4 + strtoul(length + 17, NULL, 10);
    }
    if (strncmp(answer, "HTTP/1.1 201 ", 13) != 0 && strncmp(answer, "HTTP/1.1 202 ", 13) != 0)
        fail("the admin listener answered %s", answer);
    return (struct weir_client_message){.data = answer, .size = have};
}

static void *publish_by_http(void *context) {
    struct publisher *publisher = context;
    char data[FILLING_MAX + 100], request[FILLING_MAX + 400], answer[2000];
    int stream = connect_to_admin();
    while (next(publisher)) {
        int length = write_data(data, sizeof data, publisher->wanderer.number, publisher->sent);
        int size = snprintf(request, sizeof request,
                            "POST /api/channels/" CHANNEL "/messages HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                            "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                            length, data);
        const struct weir_client_message said = ask(stream, request, (size_t)size, answer, sizeof answer);
        stands_at(member_number(&said, "offset"), publisher->wanderer.number, ++publisher->answered);
        if (strcasestr(answer, "\r\nConnection: close") != NULL) {
            close(stream);
            stream = connect_to_admin();
        }
    }
    close(stream);
    return NULL;
}

/* --- All of them ------------------------------------------------------------------------------------------- */

static void tell(const struct listener *listeners, const uint64_t counts[PUBLISHERS], uint64_t milliseconds) {
    struct listener sum = {.received = 0};
    for (uint64_t i = 0; i < settings.clients; i++) {
        const struct listener *one = &listeners[i];
        sum.received += one->received, sum.replayed += one->replayed, sum.missed += one->missed;
        sum.recovered += one->recovered, sum.not_recovered += one->not_recovered, sum.slow += one->slow;
        sum.stays += one->stays, sum.wanderer.refused += one->wanderer.refused;
        for (unsigned way = 0; way < LEAVE_WAYS; way++)
            sum.wanderer.left[way] += one->wanderer.left[way];
        if (one->received + one->missed != settings.messages)
            fail("client %lu got %lu and missed %lu of %lu", i, one->received, one->missed, settings.messages);
    }
    const uint64_t *left = sum.wanderer.left;
    printf("{\"subscribes\":%lu,\"recovered\":%lu,\"not_recovered\":%lu,\"received\":%lu,\"replayed\":%lu,"
           "\"missed\":%lu,\"closed\":%lu,\"closed_listening\":%lu,\"reset\":%lu,\"ended_silently\":%lu,"
           "\"too_slow\":%lu,\"refused\":%lu,\"by_http\":%lu,\"by_websocket\":%lu,\"seconds\":%.1f}\n",
           sum.stays, sum.recovered, sum.not_recovered, sum.received, sum.replayed, sum.missed,
           left[LEAVE_BY_CLOSE], left[LEAVE_AND_LISTEN], left[LEAVE_BY_RESET], left[LEAVE_SILENTLY], sum.slow,
           sum.wanderer.refused, counts[0], counts[1] + counts[2], (double)milliseconds / 1000);
}

static void set(const char *argument) {
    static const struct {
        const char *name;
        uint64_t *value;
    } names[] = {{"clients", &settings.clients}, {"messages", &settings.messages}, {"stay", &settings.stay},
                 {"away", &settings.away},       {"history", &settings.history},   {"soft", &settings.soft},
                 {"filling", &settings.filling}, {"rate", &settings.rate},         {"seed", &settings.seed}};
    size_t size = strcspn(argument, "=");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i].name) == size && strncmp(names[i].name, argument, size) == 0 && argument[size] == '=') {
            *names[i].value = strtoul(argument + size + 1, NULL, 10);
            return;
        }
    fail("what is %s?", argument);
}

static void run(void) {
    uint64_t counts[PUBLISHERS] = {0};
    struct listener *listeners = calloc(settings.clients, sizeof *listeners);
    pthread_t *threads = calloc(settings.clients + PUBLISHERS, sizeof *threads);
    struct publisher publishers[PUBLISHERS] = {{.sent = 0}};
    begun = now_ms();
    contents = calloc(settings.messages + 1, sizeof *contents);
    if (listeners == NULL || threads == NULL || contents == NULL)
        fail("no memory");
    for (uint64_t i = 0; i < settings.clients; i++) {
        wanderer_init(&listeners[i].wanderer, (unsigned)i, settings.seed);
        listeners[i].wanderer.take = take;
        start(&threads[i], listener_run, &listeners[i]);
    }
    for (unsigned i = 0; i < PUBLISHERS; i++) {
        wanderer_init(&publishers[i].wanderer, i, settings.seed + 1);
        start(&threads[settings.clients + i], i == 0 ? publish_by_http : publish_by_websocket, &publishers[i]);
    }
    for (uint64_t i = 0; i < settings.clients + PUBLISHERS; i++)
        pthread_join(threads[i], NULL);
    check_contents(counts);
    tell(listeners, counts, now_ms() - begun);
    free(listeners);
    free(threads);
    free(contents);
}

int main(int argc, char **argv) {
    if (argc < 3)
        fail("recover PORT ADMIN_PORT NAME=VALUE...");
    settings.port = strtoul(argv[1], NULL, 10);
    settings.admin_port = strtoul(argv[2], NULL, 10);
    for (int i = 3; i < argc; i++)
        set(argv[i]);
    if (settings.filling >= FILLING_MAX)
        fail("too much filling");
    snprintf(url, sizeof url, "ws://127.0.0.1:%lu/channels", settings.port);
    memset(filling, 'x', sizeof filling);
    run();
    return 0;
}
