/* admin.h - the operator's side: health, metrics, and what changes the server. An HTTP server of its own, with
 * threads of its own, on addresses of its own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_ADMIN_H
#define WEIR_HTTP_ADMIN_H

#include "server/http/service.h"

struct admin;

enum { ADMIN_QUEUE = 16 }; /* accepted connections that may wait for a thread */

struct admin_options {
    char *const *listen; /* NULL-terminated */
    unsigned threads;
    const char *token;       /* of the start; see admin_set_token() */
    struct service *service; /* whose clients and routes they are */

    /* Reads the configuration again, and waits for what comes of it, which goes into `text`: 1 done, 0 refused, -1
     * not yet known. */
    int (*reload)(void *context, char *text, size_t text_size);
    void *context;
};

/* NULL with one line in `error`. */
struct admin *admin_start(const struct admin_options *options, char *error, size_t error_size);

/* From now on the API wants this, which is not copied; NULL: none. */
void admin_set_token(struct admin *admin, const char *token);

/* NULL is allowed. */
void admin_stop(struct admin *admin);

#endif
