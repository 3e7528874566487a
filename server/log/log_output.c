/* log_output.c - see log_output.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/log/log_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* O_NONBLOCK makes opening a FIFO without a reader an error; otherwise the server would hang at its start. */
static int log_output_open_file(const char *path) {
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
}

int log_output_open(struct log_output *output, const char *path) {
    *output = (struct log_output){.fd = STDERR_FILENO};
    if (path == NULL)
        return 0;
    output->path = strdup(path);
    output->fd = output->path == NULL ? -1 : log_output_open_file(path);
    if (output->fd >= 0)
        return 0;
    int error = errno;
    log_output_close(output);
    errno = error;
    return -1;
}

void log_output_close(struct log_output *output) {
    if (output->path != NULL && output->fd >= 0)
        close(output->fd);
    free(output->path);
    *output = (struct log_output){.fd = STDERR_FILENO};
}

int log_output_reopen(struct log_output *output) {
    int fd = log_output_open_file(output->path);
    if (fd < 0)
        return -1;
    close(output->fd);
    output->fd = fd;
    output->torn = false;
    return 0;
}

long log_output_write(struct log_output *output, const char *bytes, size_t size) {
    if (output->torn) { /* the rest of that line is lost; the next line must not be appended to it */
        if (write(output->fd, "\n", 1) != 1)
            return errno == EAGAIN || errno == EINTR ? 0 : -1;
        output->torn = false;
    }
    ssize_t written = write(output->fd, bytes, size < PIPE_BUF ? size : PIPE_BUF);
    if (written < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    return written;
}
