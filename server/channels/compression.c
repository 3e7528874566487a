/* compression.c - see compression.h.
 *
 * A handler task compresses a large message, because the pool always keeps another thread for reading and sending.
 * So all other clients are served meanwhile, whether they publish or not.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/compression.h"

#include <unistd.h>

#include "server/channels/fanout.h"

enum {
    QUICK_MAX = 32 * 1024 /* bytes that the publishing thread compresses itself: in a fifth of a millisecond */
};

/* How many large messages are compressed at once; others wait. Half of the processors is left for everything
 * else. */
static unsigned compression_limit(void) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 4 ? 1 : (unsigned)(processors / 2);
}

void compression_init(struct channels *channels) {
    channels->compressing.max = compression_limit();
}

void compression_release(struct channels *channels) {
    pool_drop_concurrency(&channels->compressing);
}

static size_t compression_threshold(const struct delivery *delivery) {
    return core_settings(delivery->channel->channels->core)->compression_threshold;
}

bool compression_is_needed(struct delivery *delivery) {
    delivery->ready = true;
    for (int form = 0; form < CHANNEL_FORMS; form++) {
        const struct message *plain = encodings_plain(&delivery->encodings[form]);
        if (plain != NULL &&
            encodings_is_compressible(&delivery->channel->receivers[form], compression_threshold(delivery),
                                      message_payload_size(plain)))
            delivery->ready = false;
    }
    return !delivery->ready;
}

/* It may have been handed out uncompressed already; then `ready` has no effect. */
static void compression_end(struct delivery *delivery) {
    struct channel *channel = delivery->channel;
    struct task_list ready = {0};
    mutex_lock(&channel->mutex);
    delivery->ready = true;
    fanout_start_soon_locked(channel, &ready);
    mutex_unlock(&channel->mutex);
    pool_submit_list(channel->channels->core->pool, &ready);
}

static void compression_run(struct delivery *delivery) {
    for (int form = 0; form < CHANNEL_FORMS; form++)
        if (delivery_has(delivery, (enum channel_form)form))
            encodings_compress(&delivery->encodings[form], &delivery->channel->receivers[form],
                               compression_threshold(delivery));
    compression_end(delivery);
}

#define DELIVERY_OF(task) ((struct delivery *)((char *)(task)-offsetof(struct delivery, compressing)))

static void compression_task_run(struct task *task) {
    struct pool *pool = DELIVERY_OF(task)->channel->channels->core->pool;
    compression_run(DELIVERY_OF(task));
    pool_finish(pool, task);
}

static void compression_task_retain(struct task *task) {
    struct delivery *delivery = DELIVERY_OF(task);
    atomic_fetch_add_explicit(&delivery->references, 1, memory_order_relaxed);
    channel_retain(delivery->channel);
}

static void compression_task_release(struct task *task) {
    struct channel *channel = DELIVERY_OF(task)->channel;
    delivery_release(DELIVERY_OF(task));
    channel_release(channel);
}

static struct concurrency_limit *compression_task_concurrency(struct task *task) {
    return &DELIVERY_OF(task)->channel->channels->compressing;
}

static const struct task_kind compression_task_kind = {.queue = TASK_HANDLER,
                                                       .run = compression_task_run,
                                                       .retain = compression_task_retain,
                                                       .release = compression_task_release,
                                                       .concurrency = compression_task_concurrency};

/* Until now no other thread looks at the task. */
static void compression_submit(struct delivery *delivery) {
    task_init(&delivery->compressing, &compression_task_kind);
    pool_submit(delivery->channel->channels->core->pool, &delivery->compressing);
}

/* No task is used while handlers hold all permits: it would wait until one of them returns. */
void compression_start(struct delivery *delivery) {
    struct pool *pool = delivery->channel->channels->core->pool;
    if (delivery->size <= QUICK_MAX)
        compression_run(delivery);
    else if (pool_has_permit(pool))
        compression_submit(delivery);
    else
        compression_end(delivery);
}
