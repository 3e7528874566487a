/* payload_file.h - the lines of a file as the messages of a load.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_PAYLOAD_FILE_H
#define WEIR_BENCH_PAYLOAD_FILE_H

#include "client/bench/payload.h"

/* A message within the common bytes. */
struct payload_line {
    size_t at, size;
};

/* Fills in bytes, lines and sizes. False with one line in `error`: the file cannot be read or is empty, a line is
 * larger than --max-size, or no UTF-8 though it is to be sent as text. */
bool payload_file_read(struct payload *payload, const struct settings *settings, char *error, size_t error_size);

#endif
