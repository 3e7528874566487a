/* payload_file.h - reads the lines of a file as the messages of a load.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_LOAD_PAYLOAD_FILE_H
#define WEIR_BENCH_LOAD_PAYLOAD_FILE_H

#include "commands/bench/load/payload.h"

/* The position of a message within the bytes of the payload. */
struct payload_line {
    size_t at, size;
};

/* Fills in bytes, lines and sizes. False with one line in `error` if the file cannot be read or is empty, or a
 * line is larger than --max-size or is to be sent as text but is not UTF-8. */
bool payload_file_read(struct payload *payload, const struct settings *settings, char *error, size_t error_size);

#endif
