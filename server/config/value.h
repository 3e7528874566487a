/* value.h - parses and prints configuration values by type. Each parser returns NULL on success, or a constant
 * phrase that continues `"20 sec" `: "is not a duration; write it like 500ms, 20s or 5m". Any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONFIG_VALUE_H
#define WEIR_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parses a duration: 500ms, 20s, 5m, 2h; 0 needs no unit. */
const char *value_duration(const char *text, uint64_t *milliseconds);

/* Parses a size: 512, 64KiB, 1MiB, 2GiB. */
const char *value_size(const char *text, uint64_t *bytes);

/* Parses decimal digits. The largest number is 2^63-1, for durations and sizes also. */
const char *value_integer(const char *text, uint64_t *number);

/* Parses yes or no; also true, false, on and off. */
const char *value_boolean(const char *text, bool *truth);

/* Parses an address to listen on: 127.0.0.1:9000, [::1]:9000, or a port alone for 0.0.0.0. Stores its canonical
 * form, host and port, in `address`. */
enum { VALUE_ADDRESS_SIZE = 64 };
const char *value_address(const char *text, char address[VALUE_ADDRESS_SIZE]);

/* Checks the name of a subprotocol: a token of at most 64 characters (RFC 6455, 4.1). */
const char *value_subprotocol(const char *text);

/* Checks an origin that may connect: same-host; *; null; a pattern of scheme, host with stars as wildcards, and
 * port; or any other value of the Origin header, in double quotes. */
const char *value_origin(const char *text);

/* Removes the blanks around a text, in place. Returns its new start. */
char *value_trim(char *text);

/* Checks a secret: 16 to 256 printable ASCII characters without blanks. */
const char *value_secret(const char *text);

/* Parses a comma-separated list, without the blanks around its items. An empty item is an error. Stores a new
 * NULL-terminated array of new strings in *list, which value_list_free() frees. */
const char *value_list(const char *text, char ***list);

/* Frees a list and its strings. */
void value_list_free(char **list);

/* Returns the one of `names` (NULL-terminated) that is most similar to a misspelt name, or NULL if none is near. */
const char *value_nearest(const char *name, const char *const *names);

/* Returns NULL if the text can stand in one line of a file or an error: UTF-8 without control characters except
 * tabs. Otherwise returns a phrase like a parser's. */
const char *value_text_error(const char *text, size_t size);

/* Writes the text in double quotes for an error message, cut at about 60 bytes. Returns `quoted`. */
enum { VALUE_QUOTED_SIZE = 72 };
char *value_quote(const char *text, char quoted[VALUE_QUOTED_SIZE]);

/* Writes a duration as value_duration() reads it: "20s". */
void value_print_duration(uint64_t milliseconds, char text[32]);

/* Writes a size as value_size() reads it: "1MiB". */
void value_print_size(uint64_t bytes, char text[32]);

#endif
