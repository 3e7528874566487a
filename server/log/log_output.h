/* log_output.h - the file that the log is written to, or stderr, and how it is written to without getting stuck.
 *
 * stderr is shared with other programs, so its flags stay as they are. Instead it is asked for room first, and gets
 * at most PIPE_BUF bytes at a time, for which a pipe that has room has enough of it. The thread that writes the log
 * is the only one to use this.
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
    bool torn; /* what was written last is not the end of a line */
};

/* 0, or -1 with errno. */
int log_output_open(struct log_output *output, const char *path);
void log_output_close(struct log_output *output);

/* Opens the path anew; if that fails, the old file stays. 0, or -1 with errno. */
int log_output_reopen(struct log_output *output);

/* Writes what goes at once of `size` bytes, PIPE_BUF at most. Returns how many; -1 with errno if nothing will. */
long log_output_write(struct log_output *output, const char *bytes, size_t size);

#endif
