/* value.h - the types of configuration values, as text. Each parser returns NULL on success, else a constant
 * phrase that continues `"20 sec" `: "is not a duration; write it like 500ms, 20s or 5m".
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONFIG_VALUE_H
#define WEIR_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 500ms, 20s, 5m, 2h; 0 alone needs no unit. In milliseconds. */
const char *value_duration(const char *text, uint64_t *milliseconds);

/* 512, 64KiB, 1MiB, 2GiB. In bytes. */
const char *value_size(const char *text, uint64_t *bytes);

/* Decimal digits, up to 2^63-1 as in the two above. */
const char *value_integer(const char *text, uint64_t *number);

/* yes, no; also true, false, on, off. */
const char *value_boolean(const char *text, bool *truth);

/* An address to listen on: 127.0.0.1:9000, [::1]:9000, or a port alone for 0.0.0.0. `address` gets it in its one
 * canonical form, host and port. */
enum { VALUE_ADDRESS_SIZE = 64 };
const char *value_address(const char *text, char address[VALUE_ADDRESS_SIZE]);

/* A subprotocol's name: a token of at most 64 characters (RFC 6455, 4.1). */
const char *value_subprotocol(const char *text);

/* Who may connect from a page: same-host; *; null; a pattern, that is a scheme, a host with stars as wildcards, a
 * port; or any other value of the Origin header, in double quotes. */
const char *value_origin(const char *text);

/* The text without the blanks around it, which are cut off. */
char *value_trim(char *text);

/* What nobody guesses: 16 to 256 printable ASCII characters without blanks. */
const char *value_secret(const char *text);

/* A comma-separated list, blanks around the items dropped; a new NULL-terminated array of new strings, freed with
 * value_list_free(). An empty item is an error. */
const char *value_list(const char *text, char ***list);
void value_list_free(char **list);

/* The nearest of `names` (NULL-terminated) to a misspelt one, or NULL if none is near. */
const char *value_nearest(const char *name, const char *const *names);

/* NULL if the text can stand in one line of a file or an error: UTF-8 without control characters, tabs apart. */
const char *value_flaw(const char *text, size_t size);

/* The text in double quotes for an error message, cut at about 60 bytes. Returns `quoted`. */
enum { VALUE_QUOTED_SIZE = 72 };
char *value_quote(const char *text, char quoted[VALUE_QUOTED_SIZE]);

/* What value_duration() and value_size() would read back: "20s", "1MiB". `text` has 32 bytes. */
void value_print_duration(uint64_t milliseconds, char text[32]);
void value_print_size(uint64_t bytes, char text[32]);

#endif
