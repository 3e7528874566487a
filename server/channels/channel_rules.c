/* channel_rules.c - see channel_rules.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/channel_rules.h"

#include <stdlib.h>
#include <string.h>

#include "server/channels/channel_table.h"

static const struct channel_options default_options = {.may_subscribe = true, .may_publish = true};

struct channel_options channel_rules_options_locked(const struct channels *channels, const char *name) {
    const struct channel_rule *best = NULL;
    for (size_t i = 0; i < channels->rule_count; i++) {
        const struct channel_rule *rule = &channels->rules[i];
        if (channel_pattern_matches(rule->pattern, name) &&
            (best == NULL || channel_pattern_precedes(rule->pattern, best->pattern)))
            best = rule;
    }
    return best == NULL ? default_options : best->options;
}

void channel_rules_free(struct channel_rule *rules, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(rules[i].pattern);
    free(rules);
}

static struct channel_rule *channel_rules_copy(const struct channel_rule *rules, size_t count) {
    struct channel_rule *copy = calloc(count + 1, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i].options = rules[i].options;
        copy[i].pattern = strdup(rules[i].pattern);
        if (copy[i].pattern == NULL) {
            channel_rules_free(copy, i);
            return NULL;
        }
    }
    return copy;
}

struct channel_options channels_options(struct channels *channels, const char *name) {
    mutex_lock(&channels->mutex);
    struct channel_options options = channel_rules_options_locked(channels, name);
    mutex_unlock(&channels->mutex);
    return options;
}

/* Takes the caller's reference. */
static void channel_rules_apply(struct channel *channel) {
    mutex_lock(&channel->channels->mutex);
    mutex_lock(&channel->mutex);
    channel->options = channel_rules_options_locked(channel->channels, channel->name);
    mutex_unlock(&channel->mutex);
    mutex_unlock(&channel->channels->mutex);
    channel_release(channel);
}

static void channel_rules_apply_to_all(struct channels *channels) {
    struct channel *list[CHANNEL_TABLE_CHUNK];
    uint32_t position = 0, count;
    do {
        count = channel_table_list(channels, &position, list, CHANNEL_TABLE_CHUNK);
        for (uint32_t i = 0; i < count; i++)
            channel_rules_apply(list[i]);
    } while (count == CHANNEL_TABLE_CHUNK);
}

/* The expiry task forgets what exceeds smaller bounds. A channel made meanwhile has the new options already. */
int channels_configure(struct channels *channels, const struct channel_rule *rules, size_t rule_count,
                       const struct channels_limits *limits) {
    struct channel_rule *copy = channel_rules_copy(rules, rule_count);
    if (copy == NULL)
        return -1;
    mutex_lock(&channels->mutex);
    struct channel_rule *before = channels->rules;
    size_t before_count = channels->rule_count;
    channels->rules = copy;
    channels->rule_count = rule_count;
    channels->limits = *limits;
    mutex_unlock(&channels->mutex);
    channel_rules_apply_to_all(channels);
    history_store_set_limit(&channels->store, limits->history_memory);
    channel_rules_free(before, before_count);
    return 0;
}
