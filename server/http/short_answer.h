/* short_answer.h - an answer to a request that the HTTP library has not read, or has read in part: in one line, to
 * a client that is then cut off.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_SHORT_ANSWER_H
#define WEIR_HTTP_SHORT_ANSWER_H

/* Sends it without waiting, if there is room in the socket. 503 says that the client may come again in a second. */
void short_answer(int fd, int status, const char *text);

#endif
