/* history.c - see history.h. An entry is in three structures: the ring of its channel, the ring of all channels'
 * entries, and the list of its account. The first finds it by its offset, the other two find the oldest entry. The
 * oldest entry of one of those is also the oldest of its channel.
 *
 * Messages are released with the mutex held: that only frees memory, and takes no other lock.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/history.h"

#include <stdlib.h>
#include <utlist.h>

#include "server/core/core.h"
#include "server/core/memory.h"

enum {
    FIRST_CAPACITY = 4,
    SHRINK_SHARE = 8,
    ENTRY_OVERHEAD = 128, /* bytes of memory: an entry, its pointer in the channel's ring, malloc's overhead */
    HEAVY_SHARE = 4,      /* an account is heavy with more than a quarter of the memory */
    HEAVY_MAX = 8 /* heavy accounts looked at; there are three at most, unless the limit has become smaller */
};

struct history_entry {
    struct history_link link;
    struct history_entry *next, *previous; /* in the account's list */
    struct history *owner;
    struct message *message;
    uint64_t at; /* pool_now() */
};

void history_store_init(struct history_store *store, size_t limit) {
    *store = (struct history_store){.limit = limit};
    store->all = (struct history_link){&store->all, &store->all};
    mutex_init(&store->mutex, HISTORY_LOCK_RANK);
}

void history_store_release(struct history_store *store) {
    mutex_destroy(&store->mutex);
}

static size_t history_cost(const struct message *message) {
    return message->size + ENTRY_OVERHEAD;
}

/* --- The ring ---------------------------------------------------------------------------------------------- */

static int history_resize_locked(struct history *history, uint32_t capacity) {
    struct history_entry **ring = malloc(capacity * sizeof(struct history_entry *));
    if (ring == NULL)
        return -1;
    for (uint32_t i = 0; i < history->count; i++)
        ring[i] = history->ring[(history->first + i) & (history->capacity - 1)];
    memory_count_block(ring);
    memory_uncount_block(history->ring);
    free(history->ring);
    history->ring = ring;
    history->capacity = capacity;
    history->first = 0;
    return 0;
}

static int history_reserve_locked(struct history *history) {
    if (history->count < history->capacity)
        return 0;
    return history_resize_locked(history, history->capacity == 0 ? FIRST_CAPACITY : history->capacity * 2);
}

/* The limit of memory counts entries, so a ring for many must not stay with few. */
static void history_shrink_locked(struct history *history) {
    if (history->count == 0) {
        memory_uncount_block(history->ring);
        free(history->ring);
        history->ring = NULL;
        history->capacity = history->first = 0;
    } else if (history->capacity > FIRST_CAPACITY && history->count < history->capacity / SHRINK_SHARE) {
        history_resize_locked(history, history->capacity / 2); /* if memory is out, it stays as it is */
    }
}

/* --- Accounts ---------------------------------------------------------------------------------------------- */

static struct history_account *history_account_of(struct history *history) {
    return history->account == NULL ? &history->own : history->account;
}

static void history_weigh_locked(struct history_store *store, struct history_account *account) {
    bool is_heavy = account->bytes > store->limit / HEAVY_SHARE;
    if (is_heavy && !account->is_heavy)
        DL_APPEND2(store->heavy, account, previous, next);
    else if (!is_heavy && account->is_heavy)
        DL_DELETE2(store->heavy, account, previous, next);
    account->is_heavy = is_heavy;
}

static void history_charge_locked(struct history_store *store, struct history_entry *entry) {
    struct history_account *account = history_account_of(entry->owner);
    DL_APPEND2(account->entries, entry, previous, next);
    account->bytes += history_cost(entry->message);
    history_weigh_locked(store, account);
}

static void history_discharge_locked(struct history_store *store, struct history_entry *entry) {
    struct history_account *account = history_account_of(entry->owner);
    DL_DELETE2(account->entries, entry, previous, next);
    account->bytes -= history_cost(entry->message);
    history_weigh_locked(store, account);
}

/* The entry to forget first; NULL if there is none. */
static struct history_entry *history_next_to_go_locked(const struct history_store *store) {
    const struct history_account *heaviest = NULL, *account = store->heavy;
    for (int i = 0; account != NULL && i < HEAVY_MAX; i++, account = account->next)
        if (heaviest == NULL || account->bytes > heaviest->bytes)
            heaviest = account;
    /* NOLINTBEGIN(clang-analyzer-unix.Malloc): it does not see that an entry leaves its lists before it is freed */
    if (heaviest != NULL)
        return heaviest->entries;
    return store->messages == 0 ? NULL : (struct history_entry *)store->all.newer;
    /* NOLINTEND(clang-analyzer-unix.Malloc) */
}

/* --- Forgetting -------------------------------------------------------------------------------------------- */

/* The oldest entry of a history that is not empty. */
static struct history_entry *history_first_locked(const struct history *history) {
    return history->ring[history->first & (history->capacity - 1)];
}

/* Forgets an entry, which must be the oldest of its history. */
static void history_forget_locked(struct history_store *store, struct history_entry *entry) {
    struct history *history = entry->owner;
    entry->link.older->newer = entry->link.newer;
    entry->link.newer->older = entry->link.older;
    history_discharge_locked(store, entry);
    history->first++;
    history->count--;
    history_shrink_locked(history);
    store->bytes -= history_cost(entry->message);
    store->messages--;
    message_release(entry->message);
    memory_uncount_block(entry);
    free(entry);
}

static void history_clear_locked(struct history_store *store, struct history *history) {
    while (history->count > 0)
        history_forget_locked(store, history_first_locked(history));
}

static bool history_is_too_old(const struct history_entry *entry, const struct history_bounds *bounds) {
    return bounds->age_ms != 0 && bounds->now > entry->at && bounds->now - entry->at >= bounds->age_ms;
}

static void history_trim_locked(struct history_store *store, struct history *history,
                                const struct history_bounds *bounds) {
    while (history->count > 0 &&
           (history->count > bounds->count || history_is_too_old(history_first_locked(history), bounds)))
        history_forget_locked(store, history_first_locked(history));
}

static void history_make_room_locked(struct history_store *store, size_t size) {
    struct history_entry *entry;
    while (store->bytes + size > store->limit && (entry = history_next_to_go_locked(store)) != NULL) {
        history_forget_locked(store, entry);
        store->evicted++;
    }
}

void history_store_set_limit(struct history_store *store, size_t limit) {
    mutex_lock(&store->mutex);
    store->limit = limit;
    history_make_room_locked(store, 0);
    for (struct history_link *link = store->all.newer; link != &store->all; link = link->newer)
        history_weigh_locked(store, history_account_of(((struct history_entry *)link)->owner));
    mutex_unlock(&store->mutex);
}

struct history_statistics history_store_statistics(struct history_store *store) {
    mutex_lock(&store->mutex);
    const struct history_statistics statistics = {
        .messages = store->messages, .bytes = store->bytes, .limit = store->limit, .evicted = store->evicted};
    mutex_unlock(&store->mutex);
    return statistics;
}

uint32_t history_trim(struct history_store *store, struct history *history, const struct history_bounds *bounds) {
    mutex_lock(&store->mutex);
    history_trim_locked(store, history, bounds);
    uint32_t count = history->count;
    mutex_unlock(&store->mutex);
    return count;
}

/* Holds the mutex, which all channels share, for 256 entries at a time. */
void history_clear(struct history_store *store, struct history *history) {
    enum { AT_ONCE = 256 };
    bool more = true;
    while (more) {
        mutex_lock(&store->mutex);
        for (int i = 0; i < AT_ONCE && history->count > 0; i++)
            history_forget_locked(store, history_first_locked(history));
        more = history->count > 0;
        mutex_unlock(&store->mutex);
    }
}

uint32_t history_count(struct history_store *store, const struct history *history) {
    mutex_lock(&store->mutex);
    uint32_t count = history->count;
    mutex_unlock(&store->mutex);
    return count;
}

/* --- Remembering ------------------------------------------------------------------------------------------- */

static int history_add_locked(struct history_store *store, struct history *history, struct message *message,
                              uint64_t now) {
    struct history_entry *entry = malloc(sizeof *entry);
    if (entry == NULL || history_reserve_locked(history) != 0) {
        free(entry);
        return -1;
    }
    memory_count_block(entry);
    *entry = (struct history_entry){.link = {.older = store->all.older, .newer = &store->all},
                                    .owner = history,
                                    .message = message_retain(message),
                                    .at = now};
    entry->link.older->newer = &entry->link;
    store->all.older = &entry->link;
    history_charge_locked(store, entry);
    history->ring[(history->first + history->count++) & (history->capacity - 1)] = entry;
    store->bytes += history_cost(message);
    store->messages++;
    return 0;
}

void history_append(struct history_store *store, struct history *history, struct message *message,
                    const struct history_bounds *bounds) {
    struct history_bounds before = *bounds;
    before.count -= before.count > 0; /* room for one more */
    history->appended_at = bounds->now;
    mutex_lock(&store->mutex);
    history_trim_locked(store, history, &before);
    bool fits = bounds->count > 0 && history_cost(message) <= store->limit;
    if (fits)
        history_make_room_locked(store, history_cost(message));
    if (!fits || history_add_locked(store, history, message, bounds->now) != 0)
        history_clear_locked(store, history);
    mutex_unlock(&store->mutex);
}

/* --- Reading ----------------------------------------------------------------------------------------------- */

static struct message *history_message_locked(const struct history *history, uint32_t index) {
    return history->ring[(history->first + index) & (history->capacity - 1)]->message;
}

static int history_take_locked(const struct history *history, uint32_t skipped, uint32_t limit, size_t max_bytes,
                               struct history_slice *slice) {
    uint32_t available = history->count - skipped;
    uint32_t wanted = available < limit ? available : limit;
    if (wanted > 0 && (slice->messages = malloc(wanted * sizeof(struct message *))) == NULL)
        return -1;
    while (slice->count < wanted) {
        struct message *message = history_message_locked(history, skipped + slice->count);
        if (slice->count > 0 && slice->bytes + message->size > max_bytes)
            break;
        slice->bytes += message->size;
        slice->messages[slice->count++] = message_retain(message);
    }
    slice->more = slice->count < available;
    return 0;
}

int history_read(struct history_store *store, const struct history *history, uint64_t since, uint64_t offset,
                 uint32_t limit, size_t max_bytes, struct history_slice *slice) {
    *slice = (struct history_slice){.messages = NULL};
    if (since > offset)
        return 0; /* no such message has been published */
    mutex_lock(&store->mutex);
    uint64_t before_first = offset - history->count; /* the offset of the last message that is not remembered */
    slice->complete = since >= before_first;
    uint32_t skipped = slice->complete ? (uint32_t)(since - before_first) : 0;
    int result = history_take_locked(history, skipped, limit, max_bytes, slice);
    mutex_unlock(&store->mutex);
    return result;
}

int history_read_last(struct history_store *store, const struct history *history, uint32_t limit, size_t max_bytes,
                      size_t overhead, struct history_slice *slice) {
    *slice = (struct history_slice){.messages = NULL};
    mutex_lock(&store->mutex);
    uint32_t skipped = history->count;
    for (size_t bytes = 0; skipped > 0 && history->count - skipped < limit; skipped--) {
        bytes += history_message_locked(history, skipped - 1)->size + overhead;
        if (bytes > max_bytes)
            break;
    }
    int result = history_take_locked(history, skipped, UINT32_MAX, SIZE_MAX, slice);
    mutex_unlock(&store->mutex);
    return result;
}

void history_slice_release(struct history_slice *slice) {
    for (uint32_t i = 0; i < slice->count; i++)
        message_release(slice->messages[i]);
    free(slice->messages);
    *slice = (struct history_slice){.messages = NULL};
}
