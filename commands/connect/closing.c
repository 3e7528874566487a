/* closing.c - names of the close codes, taken from Python's websockets (module frames.py).
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/connect/closing.h"

#include <string.h>

#include "commands/connect/text.h"
#include "ws/close_code.h"

static const struct {
    unsigned code;
    const char *name;
} names[] = {
    {1000, "OK"},
    {1001, "going away"},
    {1002, "protocol error"},
    {1003, "unsupported data"},
    {1005, "no status received [internal]"},
    {1006, "abnormal closure [internal]"},
    {1007, "invalid frame payload data"},
    {1008, "policy violation"},
    {1009, "message too big"},
    {1010, "mandatory extension"},
    {1011, "internal error"},
    {1012, "service restart"},
    {1013, "try again later"},
    {1014, "bad gateway"},
    {1015, "TLS handshake failure [internal]"},
};

static const char *code_name(unsigned code) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == code)
            return names[i].name;
    return code >= 3000 && code <= 3999 ? "registered" : code >= 4000 && code <= 4999 ? "private use" : "unknown";
}

void closing_print(FILE *out, unsigned code, const char *reason) {
    fprintf(out, "%u (%s)", code, code_name(code));
    if (*reason != '\0') {
        putc(' ', out);
        text_show(out, reason, strlen(reason));
    }
}

bool closing_is_clean(unsigned code) {
    return code == CLOSE_NORMAL || code == CLOSE_GOING_AWAY || code == CLOSE_NONE;
}
