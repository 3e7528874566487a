/* short_answer.c - see short_answer.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/civetweb/short_answer.h"

#include <stdio.h>
#include <string.h>

#include "server/http/civetweb/exchange.h"
#include "server/http/http.h"

enum { ANSWER_MAX = 512 };

void short_answer(int fd, int status, const char *text) {
    char answer[ANSWER_MAX];
    int size = snprintf(answer, sizeof answer,
                        "HTTP/1.1 %d %s\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\n"
                        "Content-Length: %zu\r\n"
                        "%s"
                        "Connection: close\r\n\r\n"
                        "%s\n",
                        status, http_status_text(status), strlen(text) + 1,
                        status == 503 ? "Retry-After: 1\r\n" : "", text);
    if (size > 0 && size < ANSWER_MAX)
        exchange_send(fd, answer, (size_t)size);
}
