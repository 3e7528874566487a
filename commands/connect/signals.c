/* signals.c - the handler writes each signal's number into a pipe.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/connect/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <termios.h>
#include <unistd.h>

enum { END_SECONDS = 15 }; /* time for a clean end after the signal that asks for it */

static int ends[2] = {-1, -1}; /* of the pipe: for reading, for writing */

static struct termios modes; /* constant while the handler may read it */
static volatile sig_atomic_t modes_known;
static volatile sig_atomic_t came[NSIG];

static void end_process(int number) {
    if (modes_known)
        tcsetattr(STDIN_FILENO, TCSANOW, &modes);
    signal(number, SIG_DFL);
    raise(number); /* takes effect when the handler returns */
}

static void report(int number) {
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    ssize_t ignored = write(ends[1], &byte, 1); /* a full pipe already holds signals */
    (void)ignored;
    errno = saved;
}

static void report_once(int number) {
    if (came[number]) {
        end_process(number);
        return;
    }
    came[number] = 1;
    alarm(END_SECONDS); /* in case a send or the reader of the pipe is stuck */
    report(number);
}

static void catch_one(int number, void (*handler)(int number)) {
    struct sigaction action;
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
        return;
    action = (struct sigaction){.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(number, &action, NULL);
}

int signals_catch(bool terminal) {
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return -1;
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
        catch_one(ending[i], report_once);
    catch_one(SIGALRM, end_process);
    if (terminal) {
        catch_one(SIGWINCH, report);
        catch_one(SIGTSTP, report);
    }
    return ends[0];
}

void signals_restore(const struct termios *found) {
    modes_known = 0;
    if (found == NULL)
        return;
    modes = *found;
    modes_known = 1;
}

int signals_next(void) {
    unsigned char byte;
    return read(ends[0], &byte, 1) == 1 ? byte : 0;
}
