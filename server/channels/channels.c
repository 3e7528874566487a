/* channels.c - see channels.h: the table, its rules and limits.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/channels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "server/channels/creator.h"
#include "server/channels/idle.h"
#include "server/channels/row.h"
#include "server/core/memory.h"

static const struct channel_options default_options = {.may_subscribe = true, .may_publish = true};

/* --- The table --------------------------------------------------------------------------------------------- */

/* Maps similar numbers to dissimilar ones, and never two numbers to the same one (splitmix64). */
static uint64_t mix(uint64_t number) {
    number = (number ^ (number >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    number = (number ^ (number >> 27)) * UINT64_C(0x94D049BB133111EB);
    return number ^ (number >> 31);
}

unsigned channels_hash(const struct channels *channels, const char *name, size_t size) {
    uint64_t hash = mix(channels->name_seed ^ size);
    while (size > 0) {
        uint64_t word = 0;
        size_t taken = size < sizeof word ? size : sizeof word;
        memcpy(&word, name, taken);
        hash = mix(hash ^ word);
        name += taken;
        size -= taken;
    }
    return (unsigned)(hash ^ (hash >> 32));
}

static struct channel *find_locked(struct channels *channels, const char *name) {
    struct channel *channel;
    size_t size = strlen(name);
    HASH_FIND_BYHASHVALUE(hh, channels->by_name, name, size, channels_hash(channels, name, size), channel);
    return channel;
}

static struct channel *retain(struct channel *channel) {
    return channel == NULL ? NULL : channel_retain(channel);
}

struct channel *channels_find(struct channels *channels, const char *name) {
    mutex_lock(&channels->mutex);
    struct channel *channel = retain(find_locked(channels, name));
    mutex_unlock(&channels->mutex);
    return channel;
}

struct channel *channels_use(struct channels *channels, const char *name) {
    mutex_lock(&channels->mutex);
    struct channel *channel = retain(find_locked(channels, name));
    if (channel != NULL)
        idle_use_locked(channel);
    mutex_unlock(&channels->mutex);
    return channel;
}

static struct channel_options options_locked(const struct channels *channels, const char *name) {
    const struct channel_rule *best = NULL;
    for (size_t i = 0; i < channels->rule_count; i++) {
        const struct channel_rule *rule = &channels->rules[i];
        if (channel_pattern_matches(rule->pattern, name) &&
            (best == NULL || channel_pattern_precedes(rule->pattern, best->pattern)))
            best = rule;
    }
    return best == NULL ? default_options : best->options;
}

/* Returns false if memory is out. */
static bool add_locked(struct channels *channels, struct channel *channel, size_t name_size) {
    channel->key = slots_take(&channels->slots, channel);
    if (channel->key == SLOTS_NO_KEY)
        return false;
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, channels->by_name, channel->name, name_size,
                                channels_hash(channels, channel->name, name_size), channel);
    if (channel->hh.tbl == NULL) {
        slots_drop(&channels->slots, channel->key);
        return false;
    }
    channels->count++;
    return true;
}

static struct channel *create_locked(struct channels *channels, const char *name, struct creator *creator) {
    size_t size = strlen(name) + 1;
    struct channel *channel = calloc(1, sizeof *channel + size);
    if (channel == NULL)
        return NULL;
    memcpy(channel->name, name, size);
    if (!add_locked(channels, channel, size - 1)) {
        free(channel);
        return NULL;
    }
    memory_count_block(channel);
    channel->channels = channels;
    channel->creator = creator;
    channel->history.account = creator == NULL ? NULL : &creator->account;
    channel->references = 2; /* the table's and the caller's */
    channel->options = options_locked(channels, name);
    task_init(&channel->handing_out, &row_task_kind);
    mutex_init(&channel->mutex, CHANNEL_LOCK_RANK);
    snprintf(channel->epoch, sizeof channel->epoch, "%016llx",
             (unsigned long long)mix(channels->epoch_seed + channels->epochs++));
    return channel;
}

/* Returns NULL if there are too many, or memory is out. */
static struct channel *make_locked(struct channels *channels, struct opening *opening, struct evicted *evicted) {
    struct creator *creator = creator_retain_locked(channels, opening->client);
    struct channel *channel = NULL;
    bool unknown = opening->client != NULL && creator == NULL; /* memory is out: it would count for no client */
    if (!unknown)
        opening->full = !idle_make_room_locked(channels, creator, evicted);
    if (!unknown && !opening->full)
        channel = create_locked(channels, opening->name, creator);
    if (channel == NULL)
        creator_release_locked(channels, creator);
    return channel;
}

struct channel *channels_open(struct channels *channels, struct opening *opening) {
    struct evicted evicted = {.count = 0};
    mutex_lock(&channels->mutex);
    opening->per_connection = channels->limits.per_connection;
    opening->full = false;
    struct channel *channel = retain(find_locked(channels, opening->name));
    bool is_new = channel == NULL;
    if (is_new)
        channel = make_locked(channels, opening, &evicted);
    if (channel != NULL && opening->joins)
        idle_remove_locked(channel);
    else if (channel != NULL && is_new)
        idle_add_locked(channel, &evicted);
    mutex_unlock(&channels->mutex);
    evicted_release(&evicted);
    return channel;
}

uint32_t channels_some(struct channels *channels, uint32_t *position, struct channel **some, uint32_t count) {
    uint32_t found = 0;
    mutex_lock(&channels->mutex);
    for (; found < count && *position < channels->slots.count; ++*position)
        if (channels->slots.table[*position].owner != NULL)
            some[found++] = retain(channels->slots.table[*position].owner);
    mutex_unlock(&channels->mutex);
    return found;
}

/* Calls `visit` for each channel with a reference, which `visit` takes over. Holds no lock meanwhile. */
static void visit_all(struct channels *channels, void (*visit)(struct channel *channel)) {
    struct channel *some[CHANNELS_AT_ONCE];
    uint32_t position = 0, count;
    do {
        count = channels_some(channels, &position, some, CHANNELS_AT_ONCE);
        for (uint32_t i = 0; i < count; i++)
            visit(some[i]);
    } while (count == CHANNELS_AT_ONCE);
}

static void destroy(struct channel *channel) {
    struct channels *channels = channel->channels;
    history_clear(&channels->store, &channel->history);
    if (channel->creator != NULL) {
        mutex_lock(&channels->mutex);
        creator_release_locked(channels, channel->creator);
        mutex_unlock(&channels->mutex);
    }
    row_drop(channel);
    members_release(&channel->members);
    mutex_destroy(&channel->mutex);
    memory_uncount_block(channel);
    free(channel);
}

void channel_release(struct channel *channel) {
    if (channel != NULL && atomic_fetch_sub_explicit(&channel->references, 1, memory_order_acq_rel) == 1)
        destroy(channel);
}

void channel_take_out_locked(struct channel *channel) {
    struct channels *channels = channel->channels;
    channel->gone = true;
    idle_remove_locked(channel);
    HASH_DEL(channels->by_name, channel);
    slots_drop(&channels->slots, channel->key);
    channels->count--;
}

struct history_bounds channel_bounds_locked(const struct channel *channel) {
    return (struct history_bounds){
        .count = channel->options.history, .age_ms = channel->options.history_age_ms, .now = pool_now()};
}

static bool remembers_position_locked(const struct channel *channel, uint64_t now) {
    uint64_t appended_at = channel->history.appended_at;
    uint64_t used_at = appended_at > channel->used_at ? appended_at : channel->used_at;
    return channel->options.history > 0 && used_at != 0 && now < used_at + channel->options.position_ttl_ms;
}

/* Forgets what is too old. Returns whether anything is left that a client may ask for. */
static bool has_past_locked(struct channel *channel) {
    const struct history_bounds bounds = channel_bounds_locked(channel);
    return history_trim(&channel->channels->store, &channel->history, &bounds) > 0 ||
           remembers_position_locked(channel, bounds.now);
}

/* Returns whether the channel has left the table. One that stays without subscribers is listed as idle. The
 * table's mutex is held. */
static bool reap_locked(struct channel *channel, struct evicted *evicted) {
    mutex_lock(&channel->mutex);
    bool unused = !channel->gone && channel->members.count == 0, leaves = unused && !has_past_locked(channel);
    if (leaves)
        channel_take_out_locked(channel);
    mutex_unlock(&channel->mutex);
    if (unused && !leaves)
        idle_add_locked(channel, evicted);
    return leaves;
}

/* Returns whether the channel has left the table; then the caller owns the table's reference. */
static bool reap(struct channel *channel) {
    struct channels *channels = channel->channels;
    struct evicted evicted = {.count = 0};
    mutex_lock(&channels->mutex);
    bool left = reap_locked(channel, &evicted);
    mutex_unlock(&channels->mutex);
    evicted_release(&evicted);
    return left;
}

void channel_reap(struct channel *channel) {
    if (reap(channel))
        channel_release(channel);
}

void channel_forget_old(struct channel *channel) {
    mutex_lock(&channel->mutex);
    bool is_over = !has_past_locked(channel) && channel->members.count == 0;
    mutex_unlock(&channel->mutex);
    if (is_over)
        channel_reap(channel);
}

/* --- Closing ----------------------------------------------------------------------------------------------- */

/* The caller then owns the table's reference. */
static struct channel *take_out(struct channels *channels, const char *name) {
    mutex_lock(&channels->mutex);
    struct channel *channel = find_locked(channels, name);
    if (channel != NULL) {
        mutex_lock(&channel->mutex);
        channel_take_out_locked(channel);
        mutex_unlock(&channel->mutex);
    }
    mutex_unlock(&channels->mutex);
    return channel;
}

/* Members stay members until their connections have ended. A client that subscribes to the name from now on joins
 * another channel. Members get what waits for them before they are sent away. */
long channels_close(struct channels *channels, const char *name) {
    struct task_list ready = {0};
    struct channel *channel = take_out(channels, name);
    if (channel == NULL)
        return -1;
    mutex_lock(&channel->mutex);
    long closed = channel->members.count;
    channel->row.sent_away = channel->members.count;
    row_hand_out_locked(channel, &ready);
    mutex_unlock(&channel->mutex);
    history_clear(&channels->store, &channel->history);
    pool_submit_list(channels->core->pool, &ready);
    channel_release(channel);
    return closed;
}

/* --- Rules ------------------------------------------------------------------------------------------------- */

static void free_rules(struct channel_rule *rules, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(rules[i].pattern);
    free(rules);
}

static struct channel_rule *copy_rules(const struct channel_rule *rules, size_t count) {
    struct channel_rule *copy = calloc(count + 1, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i].options = rules[i].options;
        copy[i].pattern = strdup(rules[i].pattern);
        if (copy[i].pattern == NULL) {
            free_rules(copy, i);
            return NULL;
        }
    }
    return copy;
}

struct channel_options channels_options(struct channels *channels, const char *name) {
    mutex_lock(&channels->mutex);
    struct channel_options options = options_locked(channels, name);
    mutex_unlock(&channels->mutex);
    return options;
}

/* Takes the caller's reference. */
static void renew(struct channel *channel) {
    mutex_lock(&channel->channels->mutex);
    mutex_lock(&channel->mutex);
    channel->options = options_locked(channel->channels, channel->name);
    mutex_unlock(&channel->mutex);
    mutex_unlock(&channel->channels->mutex);
    channel_release(channel);
}

/* The expiry task forgets what exceeds smaller bounds. A channel made meanwhile has the new options already. */
int channels_configure(struct channels *channels, const struct channel_rule *rules, size_t rule_count,
                       const struct channels_limits *limits) {
    struct channel_rule *copy = copy_rules(rules, rule_count);
    if (copy == NULL)
        return -1;
    mutex_lock(&channels->mutex);
    struct channel_rule *before = channels->rules;
    size_t before_count = channels->rule_count;
    channels->rules = copy;
    channels->rule_count = rule_count;
    channels->limits = *limits;
    mutex_unlock(&channels->mutex);
    visit_all(channels, renew);
    history_store_set_limit(&channels->store, limits->history_memory);
    free_rules(before, before_count);
    return 0;
}

/* --- Life -------------------------------------------------------------------------------------------------- */

/* How many large messages are compressed at once; others wait. Half of the processors is left for everything
 * else. */
static unsigned compressing_limit(void) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 4 ? 1 : (unsigned)(processors / 2);
}

int channels_init(struct channels *channels, struct core *core) {
    *channels = (struct channels){
        .core = core,
        .limits = {
            .channels = 100000, .per_connection = 1000, .history_memory = 64 << 20, .idle_memory = SIZE_MAX}};
    uint64_t seeds[2];
    if (getrandom(seeds, sizeof seeds, 0) != sizeof seeds)
        return -1;
    channels->epoch_seed = seeds[0];
    channels->name_seed = seeds[1];
    mutex_init(&channels->mutex, CHANNELS_LOCK_RANK);
    channels->compressing.limit = compressing_limit();
    history_store_init(&channels->store, channels->limits.history_memory);
    task_init(&channels->expiry, &expiry_task_kind);
    timer_init(&channels->expiry_timer, &channels->expiry);
    return 0;
}

void channels_release(struct channels *channels) {
    pool_drop_lane(&channels->compressing);
    struct channel *channel = channels->by_name, *next;
    HASH_CLEAR(hh, channels->by_name); /* the links between the items stay */
    for (; channel != NULL; channel = next) {
        next = channel->hh.next;
        channel_release(channel);
    }
    slots_release(&channels->slots);
    free_rules(channels->rules, channels->rule_count);
    history_store_release(&channels->store);
    mutex_destroy(&channels->mutex);
}
