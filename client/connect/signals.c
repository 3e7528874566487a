/* signals.c - the handler writes each signal's number into a pipe.
 *
 * SPDX-License-Identifier: MIT
 */
#include "client/connect/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static int ends[2] = {-1, -1}; /* of the pipe: for reading, for writing */

static void report(int number) {
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    ssize_t ignored = write(ends[1], &byte, 1); /* a full pipe has signals enough */
    (void)ignored;
    errno = saved;
}

static void catch_one(int number, int flags) {
    struct sigaction action;
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
        return;
    action = (struct sigaction){.sa_handler = report, .sa_flags = SA_RESTART | flags};
    sigaction(number, &action, NULL);
}

int signals_catch(bool terminal) {
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return -1;
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
        catch_one(ending[i], (int)SA_RESETHAND);
    if (terminal) {
        catch_one(SIGWINCH, 0);
        catch_one(SIGTSTP, 0);
    }
    return ends[0];
}

int signals_next(void) {
    unsigned char byte;
    return read(ends[0], &byte, 1) == 1 ? byte : 0;
}
