/* test_pool.c - the promises of pool.h, with real threads. Bounds on measured times are whole units apart.
 *
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "pool/pool.h"
#include "tests/unit/suites.h"

enum { LONG_QUEUE = 16 };

/* A task that posts `begun`, waits for `may_end` if that is given, or sleeps, and posts `ended`. */
struct job {
    struct task task;
    struct pool *pool;
    struct concurrency_limit *concurrency;
    struct task *on_stall;
    sem_t *begun, *may_end, *ended;
    long sleep_ms;
    _Atomic int runs, references;
};

static struct job *job_of(struct task *task) {
    return (struct job *)task;
}

static void sleep_ms(long ms) {
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static void job_run(struct task *task) {
    struct job *job = job_of(task);
    struct pool *pool = job->pool;
    sem_t *ended = job->ended;
    job->runs++;
    if (job->begun != NULL)
        sem_post(job->begun);
    if (job->may_end != NULL)
        sem_wait(job->may_end);
    if (job->sleep_ms > 0)
        sleep_ms(job->sleep_ms);
    pool_finish(pool, task);
    if (ended != NULL)
        sem_post(ended);
}

static void job_retain(struct task *task) {
    job_of(task)->references++;
}
static void job_release(struct task *task) {
    job_of(task)->references--;
}
static struct concurrency_limit *job_concurrency(struct task *task) {
    return job_of(task)->concurrency;
}
static struct task *job_on_stall(struct task *task) {
    return job_of(task)->on_stall;
}

static const struct task_kind handler_kind = {.queue = TASK_HANDLER,
                                              .run = job_run,
                                              .retain = job_retain,
                                              .release = job_release,
                                              .concurrency = job_concurrency,
                                              .on_stall = job_on_stall};
static const struct task_kind io_kind = {
    .queue = TASK_IO, .run = job_run, .retain = job_retain, .release = job_release};

static struct job make_job(struct pool *pool, const struct task_kind *kind, sem_t *ended) {
    struct job job = {.pool = pool, .ended = ended};
    task_init(&job.task, kind);
    return job;
}

static struct pool *start(unsigned workers) {
    const struct pool_options options = {.workers = workers, .wake_threshold = LONG_QUEUE, .scratch_size = 64};
    struct pool *pool = pool_create(&options);
    ck_assert_ptr_nonnull(pool);
    ck_assert_int_eq(pool_start(pool), 0);
    return pool;
}

static void stop(struct pool *pool) {
    ck_assert(pool_stop(pool, UINT64_MAX));
    pool_destroy(pool);
}

/* --- Permits ----------------------------------------------------------------------------------------------- */

enum { UNIT_MS = 200 };

/* How long a task of 3 units and one of 2 take together. */
static uint64_t elapsed_for_3_and_2(unsigned workers) {
    struct pool *pool = start(workers);
    sem_t ended;
    sem_init(&ended, 0, 0);
    struct job three = make_job(pool, &handler_kind, &ended), two = make_job(pool, &handler_kind, &ended);
    three.sleep_ms = 3 * UNIT_MS;
    two.sleep_ms = 2 * UNIT_MS;
    uint64_t begin = pool_now();
    pool_submit(pool, &three.task);
    pool_submit(pool, &two.task);
    sem_wait(&ended);
    sem_wait(&ended);
    uint64_t elapsed = pool_now() - begin;
    stop(pool);
    sem_destroy(&ended);
    return elapsed;
}

START_TEST(pool_with_two_workers_overlaps_handlers) {
    uint64_t elapsed = elapsed_for_3_and_2(2);
    ck_assert_uint_ge(elapsed, 3 * UNIT_MS - 5);
    ck_assert_uint_lt(elapsed, 5 * UNIT_MS);
}
END_TEST

START_TEST(pool_with_one_worker_runs_one_handler_at_a_time) {
    ck_assert_uint_ge(elapsed_for_3_and_2(1), 5 * UNIT_MS - 5);
}
END_TEST

/* With every permit held, io tasks still run: the thread more that the pool has. */
START_TEST(pool_runs_io_while_every_permit_is_held) {
    struct pool *pool = start(3);
    sem_t begun, may_end, ended, io_ended;
    sem_init(&begun, 0, 0);
    sem_init(&may_end, 0, 0);
    sem_init(&ended, 0, 0);
    sem_init(&io_ended, 0, 0);
    struct job blocked[4];
    for (int i = 0; i < 4; i++) {
        blocked[i] = make_job(pool, &handler_kind, &ended);
        blocked[i].begun = &begun;
        blocked[i].may_end = &may_end;
        pool_submit(pool, &blocked[i].task);
    }
    for (int i = 0; i < 3; i++)
        sem_wait(&begun);
    struct job io = make_job(pool, &io_kind, &io_ended);
    for (int i = 0; i < 100; i++) {
        pool_submit(pool, &io.task);
        sem_wait(&io_ended);
    }
    ck_assert_int_ne(sem_trywait(&begun), 0); /* the fourth waits for a permit */
    for (int i = 0; i < 4; i++)
        sem_post(&may_end);
    for (int i = 0; i < 4; i++)
        sem_wait(&ended);
    stop(pool);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(blocked[i].references, 0);
}
END_TEST

START_TEST(concurrency_limit_delays_only_its_own_tasks) {
    struct pool *pool = start(4);
    struct concurrency_limit narrow = {.max = 1};
    sem_t begun, may_end, ended, other_ended;
    sem_init(&begun, 0, 0);
    sem_init(&may_end, 0, 0);
    sem_init(&ended, 0, 0);
    sem_init(&other_ended, 0, 0);
    struct job slow[3];
    for (int i = 0; i < 3; i++) {
        slow[i] = make_job(pool, &handler_kind, &ended);
        slow[i].concurrency = &narrow;
        slow[i].begun = &begun;
        slow[i].may_end = &may_end;
        pool_submit(pool, &slow[i].task);
    }
    sem_wait(&begun);
    struct job other = make_job(pool, &handler_kind, &other_ended);
    pool_submit(pool, &other.task); /* overtakes those that wait for the concurrency limit */
    sem_wait(&other_ended);
    ck_assert_int_ne(sem_trywait(&begun), 0);
    for (int i = 0; i < 3; i++)
        sem_post(&may_end);
    for (int i = 0; i < 3; i++)
        sem_wait(&ended);
    stop(pool);
}
END_TEST

/* Queues itself again until may_end is posted. */
static void flood_run(struct task *task) {
    struct job *job = job_of(task);
    if (sem_trywait(job->may_end) != 0)
        task_again(task);
    pool_finish(job->pool, task);
}

static const struct task_kind flood_kind = {
    .queue = TASK_IO, .run = flood_run, .retain = job_retain, .release = job_release};

/* Handler tasks run although io tasks never end. */
START_TEST(pool_io_does_not_starve_handlers) {
    struct pool *pool = start(1);
    sem_t flood_end, ended;
    sem_init(&flood_end, 0, 0);
    sem_init(&ended, 0, 0);
    struct job flood[4], handler = make_job(pool, &handler_kind, &ended);
    for (int i = 0; i < 4; i++) {
        flood[i] = make_job(pool, &flood_kind, NULL);
        flood[i].may_end = &flood_end;
        pool_submit(pool, &flood[i].task);
    }
    for (int i = 0; i < 50; i++) {
        pool_submit(pool, &handler.task);
        sem_wait(&ended);
    }
    for (int i = 0; i < 4; i++)
        sem_post(&flood_end);
    for (int i = 0; i < 4; i++)
        while (flood[i].references > 0)
            sleep_ms(1);
    stop(pool);
}
END_TEST

/* --- Progress ---------------------------------------------------------------------------------------------- */

/* A handler queues a task, which wakes no thread, and blocks: another thread must run the task. */
static void queue_and_block(struct task *task) {
    struct job *job = job_of(task);
    pool_submit(job->pool, job->on_stall);
    sem_wait(job->may_end); /* posted by the test when the queued task has run */
    pool_finish(job->pool, task);
    sem_post(job->begun);
}

static const struct task_kind queue_and_block_kind = {
    .queue = TASK_HANDLER, .run = queue_and_block, .retain = job_retain, .release = job_release};

START_TEST(pool_runs_a_task_queued_by_a_blocking_handler) {
    struct pool *pool = start(1);
    sem_t may_end, ended, queued_ended;
    sem_init(&may_end, 0, 0);
    sem_init(&ended, 0, 0);
    sem_init(&queued_ended, 0, 0);
    struct job queued = make_job(pool, &io_kind, &queued_ended);
    struct job handler = make_job(pool, &queue_and_block_kind, NULL);
    handler.on_stall = &queued.task;
    handler.may_end = &may_end;
    handler.begun = &ended;
    for (int i = 0; i < 20; i++) {
        pool_submit(pool, &handler.task);
        sem_wait(&queued_ended);
        sem_post(&may_end);
        sem_wait(&ended);
    }
    stop(pool);
}
END_TEST

/* What a handler leaves for its end is done by the fallback when the end does not come. */
START_TEST(pool_queues_the_stall_task_of_a_stalled_handler) {
    struct pool *pool = start(1);
    sem_t may_end, ended, called;
    sem_init(&may_end, 0, 0);
    sem_init(&ended, 0, 0);
    sem_init(&called, 0, 0);
    struct job fallback = make_job(pool, &io_kind, &called);
    struct job handler = make_job(pool, &handler_kind, &ended);
    handler.on_stall = &fallback.task;
    handler.may_end = &may_end;
    pool_submit(pool, &handler.task);
    sem_wait(&called);
    sem_post(&may_end);
    sem_wait(&ended);
    ck_assert_int_eq(fallback.runs, 1);
    stop(pool);
}
END_TEST

/* --- Tasks ------------------------------------------------------------------------------------------------- */

struct submitter {
    struct job *job;
    int times;
};

static void *submit_often(void *arg) {
    struct submitter *submitter = arg;
    for (int i = 0; i < submitter->times; i++)
        pool_submit(submitter->job->pool, &submitter->job->task);
    return NULL;
}

static _Atomic int inside;

static void exclusive_run(struct task *task) {
    ck_assert_int_eq(inside++, 0);
    job_of(task)->runs++;
    inside--;
    pool_finish(job_of(task)->pool, task);
}

static const struct task_kind exclusive_kind = {
    .queue = TASK_IO, .run = exclusive_run, .retain = job_retain, .release = job_release};

START_TEST(pool_runs_a_task_on_one_thread_at_a_time) {
    enum { THREADS = 4, TIMES = 5000 };
    struct pool *pool = start(4);
    struct job job = make_job(pool, &exclusive_kind, NULL);
    struct submitter submitter = {&job, TIMES};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, submit_often, &submitter);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    while (job.references > 0) /* until the last run asked for is over */
        sleep_ms(1);
    ck_assert_int_ge(job.runs, 1);
    ck_assert_int_le(job.runs, THREADS * TIMES);
    stop(pool);
}
END_TEST

START_TEST(pool_stop_gives_up_on_a_task_that_does_not_end) {
    struct pool *pool = start(2);
    sem_t begun, may_end, ended;
    sem_init(&begun, 0, 0);
    sem_init(&may_end, 0, 0);
    sem_init(&ended, 0, 0);
    struct job stuck = make_job(pool, &handler_kind, &ended);
    stuck.begun = &begun;
    stuck.may_end = &may_end;
    pool_submit(pool, &stuck.task);
    sem_wait(&begun);
    ck_assert(!pool_stop(pool, pool_now() + 50));
    sem_post(&may_end);
    sem_wait(&ended);
    stop(pool);
    ck_assert_int_eq(stuck.references, 0);
}
END_TEST

/* --- Descriptors and deadlines ----------------------------------------------------------------------------- */

START_TEST(pool_timer_queues_its_task_at_the_deadline) {
    struct pool *pool = start(1);
    sem_t ended;
    sem_init(&ended, 0, 0);
    struct {
        struct job job;
        struct timer late, soon;
    } owner = {.job = make_job(pool, &io_kind, &ended)};
    timer_init(&owner.late, &owner.job.task);
    timer_init(&owner.soon, &owner.job.task);
    ck_assert_int_eq(pool_set_timer(pool, &owner.late, pool_now() + 3600000), 0);
    sleep_ms(20); /* the poller sleeps towards the late one */
    uint64_t deadline = pool_now() + 30;
    ck_assert_int_eq(pool_set_timer(pool, &owner.soon, deadline), 0);
    sem_wait(&ended);
    ck_assert_uint_ge(pool_now(), deadline);
    ck_assert(!pool_cancel_timer(pool, &owner.soon));
    ck_assert(pool_cancel_timer(pool, &owner.late));
    stop(pool);
}
END_TEST

/* Tasks that queue themselves again for ever keep the queue full, but not the descriptors from being looked at. */
/* A descriptor's owner, whose tasks post. */
struct owner {
    struct source source;
    struct pool *pool;
    sem_t readable, writable;
};

static void input_run(struct task *task) {
    struct owner *owner = (struct owner *)((char *)task - offsetof(struct owner, source.input));
    sem_post(&owner->readable);
    pool_finish(owner->pool, task);
}

static void flush_run(struct task *task) {
    struct owner *owner = (struct owner *)((char *)task - offsetof(struct owner, source.flush));
    sem_post(&owner->writable);
    pool_finish(owner->pool, task);
}

/* It stays longer than the pool. */
static void owner_retain(struct task *task) {
    (void)task;
}

static const struct task_kind input_kind = {
    .queue = TASK_IO, .run = input_run, .retain = owner_retain, .release = owner_retain};
static const struct task_kind flush_kind = {
    .queue = TASK_IO, .run = flush_run, .retain = owner_retain, .release = owner_retain};

static void init_owner(struct owner *owner, struct pool *pool) {
    *owner = (struct owner){.pool = pool};
    sem_init(&owner->readable, 0, 0);
    sem_init(&owner->writable, 0, 0);
    task_init(&owner->source.input, &input_kind);
    task_init(&owner->source.flush, &flush_kind);
}

START_TEST(pool_polls_during_a_flood_of_tasks) {
    enum { FLOOD = 4 };
    struct pool *pool = start(1);
    sem_t flood_end;
    sem_init(&flood_end, 0, 0);
    struct job flood[FLOOD];
    struct owner owner;
    init_owner(&owner, pool);
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    ck_assert_int_eq(pool_watch(pool, &owner.source, pair[0]), 0);
    for (int i = 0; i < FLOOD; i++) {
        flood[i] = make_job(pool, &flood_kind, NULL);
        flood[i].may_end = &flood_end;
        pool_submit(pool, &flood[i].task);
    }
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq((int)write(pair[1], "x", 1), 1);
        sem_wait(&owner.readable);
    }
    for (int i = 0; i < FLOOD; i++)
        sem_post(&flood_end);
    for (int i = 0; i < FLOOD; i++)
        while (flood[i].references > 0)
            sleep_ms(1);
    pool_unwatch(pool, &owner.source, pair[0]);
    close(pair[0]);
    close(pair[1]);
    stop(pool);
}
END_TEST

/* Queues many tasks at once, and counts the threads that this wakes. */
struct crowd {
    struct task task;
    struct pool *pool;
    struct job jobs[LONG_QUEUE];
    unsigned size;
    uint64_t wakeups;
    sem_t queued;
};

static uint64_t wakeups(struct pool *pool) {
    struct pool_statistics statistics;
    pool_statistics(pool, &statistics);
    return statistics.wakeups;
}

static void crowd_run(struct task *task) {
    struct crowd *crowd = (struct crowd *)task;
    struct task_list ready = {0};
    uint64_t before = wakeups(crowd->pool);
    for (unsigned i = 0; i < crowd->size; i++)
        task_claim_into(&crowd->jobs[i].task, &ready);
    pool_submit_list(crowd->pool, &ready);
    crowd->wakeups = wakeups(crowd->pool) - before;
    sem_t *queued = &crowd->queued;
    pool_finish(crowd->pool, task);
    sem_post(queued);
}

static const struct task_kind crowd_kind = {
    .queue = TASK_IO, .run = crowd_run, .retain = owner_retain, .release = owner_retain};

enum { CROWDS = 20 };

/* How many of the crowds woke a thread. */
static int crowds_that_wake(unsigned size) {
    struct pool *pool = start(4);
    int woken = 0;
    for (int round = 0; round < CROWDS; round++) {
        struct crowd crowd = {.pool = pool, .size = size};
        sem_init(&crowd.queued, 0, 0);
        task_init(&crowd.task, &crowd_kind);
        for (unsigned i = 0; i < size; i++)
            crowd.jobs[i] = make_job(pool, &io_kind, NULL);
        sleep_ms(5); /* they sleep again */
        pool_submit(pool, &crowd.task);
        sem_wait(&crowd.queued);
        for (unsigned i = 0; i < size; i++)
            while (crowd.jobs[i].references > 0)
                sleep_ms(1);
        woken += crowd.wakeups > 0;
    }
    stop(pool);
    return woken;
}

/* Where the machine is slow, the monitor may have woken one meanwhile, and one from the crowd before may not sleep
 * yet: not each time. */
START_TEST(pool_wakes_a_thread_for_a_long_queue_if_a_processor_is_free) {
    cpu_set_t allowed, one;
    ck_assert_int_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    ck_assert_int_lt(crowds_that_wake(LONG_QUEUE - 1), CROWDS / 2);
    if (CPU_COUNT(&allowed) > 1)
        ck_assert_int_ge(crowds_that_wake(LONG_QUEUE), CROWDS / 2);
    int processor = 0;
    while (!CPU_ISSET((size_t)processor, &allowed))
        processor++;
    CPU_ZERO(&one);
    CPU_SET((size_t)processor, &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    int woken = crowds_that_wake(LONG_QUEUE);
    ck_assert_int_eq(sched_setaffinity(0, sizeof allowed, &allowed), 0);
    ck_assert_int_lt(woken, CROWDS / 2);
}
END_TEST

START_TEST(pool_queues_tasks_of_a_ready_descriptor) {
    struct pool *pool = start(1);
    struct owner owner;
    init_owner(&owner, pool);
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    ck_assert_int_eq(pool_watch(pool, &owner.source, pair[0]), 0);
    pool_await_room(pool, &owner.source, pair[0]);
    sem_wait(&owner.writable); /* there is room already */
    ck_assert_int_eq((int)write(pair[1], "x", 1), 1);
    sem_wait(&owner.readable);
    ck_assert(!atomic_load(&owner.source.hangup));
    close(pair[1]);
    sem_wait(&owner.readable);
    ck_assert(atomic_load(&owner.source.hangup));
    pool_unwatch(pool, &owner.source, pair[0]);
    close(pair[0]);
    stop(pool);
}
END_TEST

Suite *pool_suite(void) {
    Suite *suite = suite_create("pool");
    TCase *tcase = tcase_create("pool");
    tcase_add_test(tcase, pool_with_two_workers_overlaps_handlers);
    tcase_add_test(tcase, pool_with_one_worker_runs_one_handler_at_a_time);
    tcase_add_test(tcase, pool_runs_io_while_every_permit_is_held);
    tcase_add_test(tcase, concurrency_limit_delays_only_its_own_tasks);
    tcase_add_test(tcase, pool_io_does_not_starve_handlers);
    tcase_add_test(tcase, pool_runs_a_task_queued_by_a_blocking_handler);
    tcase_add_test(tcase, pool_queues_the_stall_task_of_a_stalled_handler);
    tcase_add_test(tcase, pool_runs_a_task_on_one_thread_at_a_time);
    tcase_add_test(tcase, pool_stop_gives_up_on_a_task_that_does_not_end);
    tcase_add_test(tcase, pool_timer_queues_its_task_at_the_deadline);
    tcase_add_test(tcase, pool_wakes_a_thread_for_a_long_queue_if_a_processor_is_free);
    tcase_add_test(tcase, pool_queues_tasks_of_a_ready_descriptor);
    tcase_add_test(tcase, pool_polls_during_a_flood_of_tasks);
    suite_add_tcase(suite, tcase);
    return suite;
}
