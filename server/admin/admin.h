/* admin.h - the operator's side: health, metrics, and requests that change the server. It is an HTTP server of its
 * own, with its own threads and addresses.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_ADMIN_ADMIN_H
#define WEIR_ADMIN_ADMIN_H

#include "server/http/dispatch.h"

struct admin;

enum { ADMIN_QUEUE = 16 }; /* accepted connections that may wait for a thread */

struct admin_options {
    char *const *listen; /* NULL-terminated */
    unsigned threads;
    const char *token;         /* the one at the start; see admin_set_token() */
    struct dispatch *dispatch; /* the dispatch whose clients and routes it shows */

    /* Reads the configuration again, and waits for the result, which goes into `text`. Returns 1 if done, 0 if
     * refused, -1 if not known yet. */
    int (*reload)(void *context, char *text, size_t text_size);
    void *context;
};

/* Returns NULL with one line in `error`. */
struct admin *admin_start(const struct admin_options *options, char *error, size_t error_size);

/* Sets the token that the API requires from now on; it is not copied. NULL: none. */
void admin_set_token(struct admin *admin, const char *token);

/* Returns the port that the address at this index of `listen` is bound to. */
uint16_t admin_port(const struct admin *admin, size_t index);

/* NULL is allowed. */
void admin_stop(struct admin *admin);

#endif
