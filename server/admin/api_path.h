/* api_path.h - the path and the query of a request to the API, taken apart. Pure: text in, decoded parts out.
 *
 * The path is split at each raw '/' first, and each part is then decoded once: a channel's name may hold a %2F.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_ADMIN_API_PATH_H
#define WEIR_ADMIN_API_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { API_SEGMENTS_MAX = 6, API_PATH_SIZE = 2048, API_PARAMETERS_MAX = 4 };

/* The parts of the path after "/api". */
struct api_path {
    size_t count;
    const char *segments[API_SEGMENTS_MAX]; /* decoded, terminated; may be empty */
    char text[API_PATH_SIZE];
};

/* Whether a raw path is one of the API's: "/api", or a path that begins with "/api/". */
bool api_path_is(const char *raw);

enum api_path_result {
    API_PATH_DONE,
    API_PATH_LONG,     /* no path of the API is as long, or has so many parts */
    API_PATH_MALFORMED /* a '%' without two digits, or %00 */
};

enum api_path_result api_path_parse(const char *raw, struct api_path *path);

/* The parameters of a query. Each may be given once. */
struct api_query {
    const char *const *names;               /* the known ones, NULL-terminated, API_PARAMETERS_MAX at most */
    const char *values[API_PARAMETERS_MAX]; /* decoded; NULL: not given */
    char text[API_PATH_SIZE];
};

/* Returns NULL; or what is wrong, to be said of the parameter at *name, which is a piece of `raw` of *name_size
 * bytes. */
const char *api_query_parse(const char *raw, const char *const *names, struct api_query *query, const char **name,
                            size_t *name_size);

/* The value of a parameter, which must be among the names; NULL if it is not given. */
const char *api_query_text(const struct api_query *query, const char *name);

/* Reads a parameter's value as a whole number, or `otherwise` if it is not given. Returns false if it is not a
 * whole number from `least` to `most`. */
bool api_query_number(const struct api_query *query, const char *name, uint64_t least, uint64_t most,
                      uint64_t otherwise, uint64_t *number);

/* Reads a number up to `most`, of decimal digits and nothing else. Returns false if it is not one. */
bool api_number(const char *text, uint64_t most, uint64_t *number);

#endif
