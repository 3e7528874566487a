/* live.c - see live.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/load/live.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "commands/bench/report/report.h"

enum { PLAIN_INTERVAL = 10, WIDTH_DEFAULT = 80, BAR_MAX = 30, BAR_MIN = 5, LINE_SIZE = 512 };

struct live live_start(const struct settings *settings) {
    return (struct live){
        .settings = settings, .out = settings->quiet ? NULL : stderr, .terminal = isatty(STDERR_FILENO) == 1};
}

static unsigned width(void) {
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WIDTH_DEFAULT;
    return size.ws_col;
}

static double share_done(const struct live *live, const struct second *second, double elapsed) {
    double total = live->settings->warmup + live->settings->duration;
    double share = elapsed < 0 ? (double)second->open / live->settings->clients : elapsed / total;
    return share < 1 ? share : 1;
}

/* Writes a line such as "1,000 clients  123,456 messages/s  p99 1.2 ms  3 errors". */
static size_t write_facts(const struct live *live, const struct second *second, double elapsed,
                          char line[LINE_SIZE]) {
    char open[REPORT_FIGURE_SIZE], rate[REPORT_FIGURE_SIZE], latency[REPORT_FIGURE_SIZE],
        errors[REPORT_FIGURE_SIZE];
    enum scenario scenario = live->settings->scenario;
    bool handshakes = elapsed < 0 || scenario == SCENARIO_IDLE || scenario == SCENARIO_CONNECT;
    report_number((double)second->open, open);
    report_number((double)(handshakes                              ? second->counts.connected
                           : live->settings->expect == EXPECT_NONE ? second->counts.sent
                                                                   : second->counts.received),
                  rate);
    report_number((double)live->error_counts, errors);
    int size = snprintf(line, LINE_SIZE, "%s clients", open);
    if (elapsed < 0 || scenario != SCENARIO_IDLE)
        size += snprintf(line + size, LINE_SIZE - (size_t)size, "  %s %s/s", rate,
                         handshakes ? "handshakes" : "messages");
    if (second->latency.count > 0)
        size += snprintf(line + size, LINE_SIZE - (size_t)size, "  p99 %s",
                         report_duration((double)histogram_percentile(&second->latency, 99), latency));
    if (live->error_counts > 0)
        size += snprintf(line + size, LINE_SIZE - (size_t)size, "  %s errors", errors);
    return (size_t)size;
}

/* Writes "warm-up" or "3 s left". */
static void write_phase(const struct live *live, double elapsed, char text[32]) {
    const struct settings *settings = live->settings;
    double left = settings->warmup + settings->duration - elapsed;
    if (elapsed < 0)
        snprintf(text, 32, "connecting");
    else if (elapsed < settings->warmup)
        snprintf(text, 32, "warm-up");
    else if (left < 0.5)
        snprintf(text, 32, "finishing");
    else
        snprintf(text, 32, "%.0f s left", left);
}

/* Shows the line, cut to the terminal's width; the bar takes the space that is left. */
static void show(struct live *live, const struct second *second, double elapsed) {
    char line[LINE_SIZE], phase[32], bar[BAR_MAX + 1];
    size_t size = write_facts(live, second, elapsed, line), columns = width();
    write_phase(live, elapsed, phase);
    size_t taken = size + strlen(phase) + sizeof "  [] " - 1;
    size_t room = columns > taken + 1 ? columns - taken - 1 : 0, length = room < BAR_MAX ? room : BAR_MAX;
    if (length < BAR_MIN) {
        fprintf(live->out, "\r\033[K%.*s", (int)columns - 1, line);
    } else {
        memset(bar, '-', length);
        memset(bar, '#', (size_t)((double)length * share_done(live, second, elapsed)));
        fprintf(live->out, "\r\033[K%s  [%.*s] %s", line, (int)length, bar, phase);
    }
    fflush(live->out);
}

void live_second(struct live *live, const struct second *second, double elapsed) {
    live->error_counts += second->counts.failed + second->counts.dropped;
    live->seconds++;
    if (live->out == NULL)
        return;
    if (live->terminal) {
        show(live, second, elapsed);
    } else if (live->seconds % PLAIN_INTERVAL == 0) {
        char line[LINE_SIZE], phase[32];
        write_facts(live, second, elapsed, line);
        write_phase(live, elapsed, phase);
        fprintf(live->out, "%4u s  %s  %s\n", live->seconds, line, phase);
        fflush(live->out);
    }
}

void live_end(struct live *live) {
    if (live->out != NULL && live->terminal && live->seconds > 0) {
        fputs("\r\033[K", live->out);
        fflush(live->out);
    }
}
