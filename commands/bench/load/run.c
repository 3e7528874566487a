/* run.c - see run.h. The calling thread shows the seconds that the others deliver, and stores them as intervals.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/load/run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "commands/bench/load/live.h"
#include "commands/bench/load/worker.h"
#include "commands/commands.h"

enum {
    /* The system has about 28,000 ports for connections to one server, but its search is slow once half are
     * taken. */
    CLIENTS_OF_ADDRESS = 14000,
    OTHER_DESCRIPTORS = 32, /* streams, reports, and what libraries open */
    PATIENCE = 200          /* milliseconds between two checks of `stop` */
};

#define SECOND 1e9

static int complain(int status, const char *what, const char *why) {
    fprintf(stderr, "weir bench: %s: %s\n", what, why);
    return status;
}

/* --- Signals ----------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t signals;
static int signal_wake = -1;

static void on_signal(int number) {
    const uint64_t one = 1;
    int error = errno;
    if (signals > 0)
        _exit(128 + number);
    signals = 1;
    ssize_t written = write(signal_wake, &one, sizeof one);
    (void)written;
    errno = error;
}

static void catch_signals(int wake) {
    const struct sigaction stop = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    signals = 0;
    signal_wake = wake;
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
}

/* --- Preparation ------------------------------------------------------------------------------------------- */

/* Needs one descriptor for each client, and an epoll set for each thread. */
static bool raise_descriptor_limit(const struct settings *settings) {
    rlim_t needed = (rlim_t)settings->clients + 2 * (rlim_t)settings->threads + OTHER_DESCRIPTORS;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
        return true;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= needed)
        return true;
    fprintf(stderr,
            "weir bench: %u clients need %llu descriptors, but the hard limit is %llu; raise it (ulimit -n) or use "
            "several processes\n",
            settings->clients, (unsigned long long)needed, (unsigned long long)limit.rlim_max);
    return false;
}

/* One source address has too few ports for many clients; 127.0.0.0/8 has enough addresses. */
static unsigned loopback_sources(const struct settings *settings, const struct target *targets) {
    bool loopback = false;
    for (unsigned i = 0; i < settings->url_count; i++)
        loopback |= target_is_loopback(&targets[i]);
    if (!loopback || settings->source_count > 0 || settings->clients <= CLIENTS_OF_ADDRESS)
        return 0;
    unsigned count = (settings->clients + CLIENTS_OF_ADDRESS - 1) / CLIENTS_OF_ADDRESS;
    if (!settings->quiet)
        fprintf(stderr,
                "weir bench: %u clients want more ports than one address has: connecting from 127.0.0.2 to "
                "127.0.0.%u\n",
                settings->clients, count + 1);
    return count;
}

static bool describe(struct result *result, const struct settings *settings, const struct payload *payload) {
    size_t size = 1;
    for (unsigned i = 0; i < settings->url_count; i++)
        size += strlen(settings->urls[i]) + 1;
    result->url = calloc(1, size);
    if (result->url == NULL)
        return false;
    char *end = result->url;
    for (unsigned i = 0; i < settings->url_count; i++)
        end = stpcpy(stpcpy(end, i > 0 ? " " : ""), settings->urls[i]);
    snprintf(result->scenario, sizeof result->scenario, "%s", scenario_name(settings->scenario));
    snprintf(result->expect, sizeof result->expect, "%s", expectation_name(settings->expect));
    result->clients = settings->clients;
    result->rooms = settings->rooms;
    result->publishers = settings_senders(settings);
    result->window = settings->window;
    result->threads = settings->threads;
    result->processes = 1;
    result->rate = settings->rate;
    result->ramp = settings->ramp;
    result->duration = settings->duration;
    result->warmup = settings->warmup;
    result->size_min = payload->size_min;
    result->size_max = payload->size_max;
    result->text = settings->text;
    result->compress = settings->compress;
    result->began = (int64_t)time(NULL);
    result_describe_host(result);
    return true;
}

/* --- The running load -------------------------------------------------------------------------------------- */

/* Stores a second as an interval. If memory runs out, it is lost. */
static void keep_interval(const struct run *run, struct result *result, const struct second *second) {
    const struct settings *settings = run->settings;
    size_t count = result->interval_count + 1;
    struct interval *intervals = realloc(result->intervals, count * sizeof *intervals);
    if (intervals == NULL)
        return;
    unsigned number = (unsigned)result->interval_count;
    uint64_t go = atomic_load(&run->go), from = go + (uint64_t)(settings->warmup * SECOND);
    uint64_t begin = number > 0 ? worker_second_end(run, number - 1) : run->began;
    result->intervals = intervals;
    result->intervals[result->interval_count++] = (struct interval){
        .counts = second->counts,
        .open = second->open,
        .p50 = histogram_percentile(&second->latency, 50),
        .p99 = histogram_percentile(&second->latency, 99),
        .maximum = second->latency.maximum,
        .measuring = go != 0 && begin >= from && !atomic_load(&run->stop) &&
                     worker_second_end(run, number) <= from + (uint64_t)(settings->duration * SECOND) &&
                     worker_second_end(run, number) <= bench_clock()};
}

/* Shows and stores seconds until all threads have ended. */
static void watch(struct run *run, struct result *result) {
    struct live live = live_start(run->settings);
    struct second *second = malloc(sizeof *second);
    enum seconds_result taken = SECONDS_TIMEOUT;
    while (second != NULL && taken != SECONDS_END) {
        taken = seconds_take(run->seconds, PATIENCE, second);
        if (signals > 0 && !atomic_load(&run->stop)) {
            const uint64_t one = 1;
            atomic_store(&run->stop, true);
            ssize_t written = write(run->wake, &one, sizeof one);
            (void)written;
        }
        if (taken != SECONDS_TAKEN)
            continue;
        keep_interval(run, result, second);
        uint64_t go = atomic_load(&run->go), end = worker_second_end(run, (unsigned)result->interval_count - 1);
        live_second(&live, second, go != 0 && end > go ? (double)(end - go) / SECOND : -1);
    }
    live_end(&live);
    free(second);
}

static int run_threads(struct run *run, struct worker *workers, struct result *result) {
    unsigned threads = run->settings->threads, made = 0, started = 0;
    int error = 0;
    while (made < threads && worker_create(&workers[made], run, made))
        made++;
    if (made < threads)
        error = errno;
    while (error == 0 && started < threads) {
        error = pthread_create(&workers[started].thread, NULL, worker_run, &workers[started]);
        started += error == 0;
    }
    if (error != 0) /* the started threads would wait forever for the missing ones */
        _exit(complain(STATUS_FAILURE, "starting threads", strerror(error)));
    watch(run, result);
    bool added = true, declined = false;
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        added = result_add(result, &workers[i].group.result) && added;
        declined |= workers[i].group.declined;
        worker_release(&workers[i]);
    }
    if (declined)
        fprintf(stderr, "weir bench: the server did not accept compression\n");
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        result->resident_bytes = (uint64_t)usage.ru_maxrss * 1024;
    return added ? -1 : complain(STATUS_FAILURE, "adding up", "out of memory");
}

static int run_targets(const struct settings *settings, const struct payload *payload, const struct target *targets,
                       struct result *result, bool *interrupted) {
    struct run run = {.settings = settings,
                      .payload = payload,
                      .targets = targets,
                      .loopback_sources = loopback_sources(settings, targets),
                      .seconds = seconds_create(settings->threads),
                      .published = calloc(settings->rooms + 1, sizeof *run.published),
                      .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                      .began = bench_clock()};
    struct worker *workers = calloc(settings->threads, sizeof *workers);
    int status = STATUS_FAILURE;
    if (run.seconds == NULL || run.published == NULL || run.wake < 0 || workers == NULL) {
        complain(STATUS_FAILURE, "setting up", strerror(errno));
    } else {
        catch_signals(run.wake);
        status = run_threads(&run, workers, result);
        *interrupted = signals > 0;
    }
    free(workers);
    free(run.published);
    seconds_destroy(run.seconds);
    if (run.wake >= 0)
        close(run.wake);
    return status;
}

int bench_run(const struct settings *settings, struct result *result, bool *interrupted) {
    struct payload payload;
    struct weir_client_error error;
    char why[512];
    if (!raise_descriptor_limit(settings))
        return STATUS_FAILURE;
    if (!payload_create(&payload, settings, why, sizeof why)) {
        fprintf(stderr, "weir bench: %s\n", why);
        return STATUS_USAGE;
    }
    int status = STATUS_FAILURE;
    struct target *targets = targets_create(settings, &error);
    if (targets == NULL) {
        fprintf(stderr, "weir bench: %s\n", error.text);
        status = error.cause == WEIR_CLIENT_BAD_ARGUMENT ? STATUS_USAGE : STATUS_FAILURE;
    } else if (!describe(result, settings, &payload)) {
        complain(STATUS_FAILURE, "setting up", "out of memory");
    } else {
        status = run_targets(settings, &payload, targets, result, interrupted);
    }
    targets_release(targets, settings->url_count);
    payload_release(&payload);
    return status;
}
