/* starved.c - warns that messages wait because all workers are busy, and says which routes hold the workers and for
 * how long.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "server/core/conn.h"
#include "server/log/log.h"
#include "server/server_private.h"

enum { HOLDERS_MAX = 8, NAME_SIZE = 64, TEXT_SIZE = LOG_TEXT_MAX };

/* The permits that one route holds, or that all timers hold together. */
struct holder {
    char name[NAME_SIZE]; /* a copy, because the route may be freed once the handler returns */
    unsigned permits;
    uint64_t longest_ms;
};

struct holders {
    struct holder list[HOLDERS_MAX];
    unsigned count;
};

/* The last entry, "others", stands for all routes that find no room. */
static struct holder *find(struct holders *holders, const char *name) {
    for (unsigned i = 0; i < holders->count; i++)
        if (strncmp(holders->list[i].name, name, NAME_SIZE - 1) == 0)
            return &holders->list[i];
    if (holders->count == HOLDERS_MAX)
        return &holders->list[HOLDERS_MAX - 1];
    struct holder *holder = &holders->list[holders->count++];
    snprintf(holder->name, NAME_SIZE, "%s", holders->count == HOLDERS_MAX ? "others" : name);
    return holder;
}

static void add_holder(struct task *task, uint64_t held_ms, void *arg) {
    const struct weir_conn *conn = conn_of_handler(task);
    struct holder *holder = find(arg, conn == NULL ? "timers" : conn->route->pattern);
    holder->permits++;
    if (holder->longest_ms < held_ms)
        holder->longest_ms = held_ms;
}

/* "/slow: 3 (2015 ms), timers: 1 (12 ms)" */
static void print_holders(const struct holders *holders, char text[TEXT_SIZE]) {
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < holders->count && used < TEXT_SIZE; i++)
        used += (size_t)snprintf(text + used, TEXT_SIZE - used, "%s%s: %u (%llu ms)", i == 0 ? "" : ", ",
                                 holders->list[i].name, holders->list[i].permits,
                                 (unsigned long long)holders->list[i].longest_ms);
}

void server_warn_starved(void *context, uint64_t waited_ms) {
    const weir_server *server = context;
    struct holders holders = {.count = 0};
    struct pool_statistics statistics;
    char text[TEXT_SIZE];
    pool_each_running(server->run->core.pool, add_holder, &holders);
    pool_statistics(server->run->core.pool, &statistics);
    print_holders(&holders, text);
    log_event(
        LOG_SERVER, LOG_WARNING, "workers_busy",
        LOG_FIELDS(LOG_NUMBER("workers", statistics.workers), LOG_NUMBER("waiting", statistics.handler),
                   LOG_NUMBER("waited_ms", waited_ms), LOG_TEXT("held_by", text),
                   LOG_TEXT("reason", "all workers are in handlers, and messages wait; raise workers, or limit "
                                      "these routes with concurrency")));
}
