/* api_path.h - the path and the query of a request to the API, taken apart. Pure: text in, decoded parts out.
 *
 * The path is split where it has a '/' as it came, and each part is decoded after that, once: a channel's name may
 * hold a %2F.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_API_PATH_H
#define WEIR_HTTP_API_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { API_SEGMENTS_MAX = 6, API_PATH_SIZE = 2048, API_PARAMETERS_MAX = 4 };

/* What stands behind "/api". */
struct api_path {
    size_t count;
    const char *segments[API_SEGMENTS_MAX]; /* decoded, terminated; may be empty */
    char text[API_PATH_SIZE];
};

/* Whether a raw path is one of the API's: "/api", or begins with "/api/". */
bool api_path_is(const char *raw);

enum api_path_result {
    API_PATH_DONE,
    API_PATH_LONG,     /* nothing of the API is as long, or in so many parts */
    API_PATH_MALFORMED /* a '%' without two digits, or %00 */
};

enum api_path_result api_path_parse(const char *raw, struct api_path *path);

/* The parameters of a query, of which each may be given once. */
struct api_query {
    const char *const *names;               /* those that there are, NULL-terminated, API_PARAMETERS_MAX at most */
    const char *values[API_PARAMETERS_MAX]; /* decoded; NULL: not given */
    char text[API_PATH_SIZE];
};

/* Returns NULL, or what is wrong with it, to be said of the parameter at *name: a piece of `raw`, of *name_size
 * bytes.
 */
const char *api_query_parse(const char *raw, const char *const *names, struct api_query *query, const char **name,
                            size_t *name_size);

/* The value of a parameter that is among the names; NULL if it is not given. */
const char *api_query_text(const struct api_query *query, const char *name);

/* Likewise as a whole number, `otherwise` if it is not given. False if it is none, or not from `least` to `most`.
 */
bool api_query_number(const struct api_query *query, const char *name, uint64_t least, uint64_t most,
                      uint64_t otherwise, uint64_t *number);

/* Decimal digits and nothing else, up to `most`. */
bool api_number(const char *text, uint64_t most, uint64_t *number);

#endif
