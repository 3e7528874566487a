/* config_text.h - configurations from text and back, for the tests of the configuration; and its parts of the
 * suite.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TESTS_UNIT_CONFIG_TEXT_H
#define WEIR_TESTS_UNIT_CONFIG_TEXT_H

#include <stddef.h>

#include "server/config/config.h"
#include "tests/unit/assertions.h"

/* Loads a file of these bytes. Its path at the front of `error` is replaced by "FILE". */
int config_load_bytes(struct config *config, const char *bytes, size_t size, char error[CONFIG_ERROR_SIZE]);

/* A configuration from a file of these bytes, which must be valid. */
struct config *config_loaded(const char *bytes, size_t size);
struct config *config_loaded_text(const char *text);

/* What config_print() writes, or config_list() for NULL; freed by the caller. The second one is without the
 * comments, which say where values come from. */
char *config_printed_whole(const struct config *config);
char *config_printed(const struct config *config);

/* A folder below /tmp for the files of one test: fixtures, and one of its files. */
extern char config_folder[];
void config_folder_make(void);
void config_folder_remove(void);
void config_folder_write(const char *name, const char *text);

/* The error with "DIR" for each occurrence of the folder's path; valid until the next call. */
const char *config_folder_error(const char *error);

/* The other test_config_*.c. */
TCase *config_compare_tcase(void);
TCase *config_errors_tcase(void);
TCase *config_include_tcase(void);
TCase *config_sources_tcase(void);
TCase *config_table_tcase(void);
TCase *config_token_tcase(void);

/* A file with every kind of section and option, and a check of its meaning. */
extern const char config_whole_file[];

#endif
