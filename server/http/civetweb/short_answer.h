/* short_answer.h - a one-line answer to a request that the HTTP library has not read, or only in part. The client
 * is then cut off.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_SHORT_ANSWER_H
#define WEIR_HTTP_CIVETWEB_SHORT_ANSWER_H

/* Sends the answer if there is room in the socket, without waiting. 503 tells the client that it may try again in
 * a second. */
void short_answer(int fd, int status, const char *text);

#endif
