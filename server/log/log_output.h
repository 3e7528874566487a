/* log_output.h - the file that the log is written to, or stderr, written without blocking.
 *
 * stderr is shared with other programs, so its flags are left alone. Instead, the caller polls it for room first,
 * and writes at most PIPE_BUF bytes at a time: a pipe that reports room has room for these. Only the thread that
 * writes the log uses this.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_LOG_LOG_OUTPUT_H
#define WEIR_LOG_LOG_OUTPUT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct log_output {
    char *path; /* NULL: stderr */
    int fd;
    bool torn; /* the last write ended in the middle of a line */
};

/* Opens a file, or stderr if `path` is NULL. Returns 0, or -1 with errno. */
int log_output_open(struct log_output *output, const char *path);

/* Closes the file. The output is then stderr, which stays open. */
void log_output_close(struct log_output *output);

/* Opens the path again; if that fails, the old file stays open. Returns 0, or -1 with errno. Not for stderr. */
int log_output_reopen(struct log_output *output);

/* Writes as many of `size` bytes as possible at once, at most PIPE_BUF. Returns the number of bytes, 0 if there is
 * no room now; -1 with errno if writing has failed for good. */
long log_output_write(struct log_output *output, const char *bytes, size_t size);

#endif
