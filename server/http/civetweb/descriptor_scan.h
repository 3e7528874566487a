/* descriptor_scan.h - goes through the open descriptors that are not adopted connections, in the order of their
 * numbers. A number may be closed and reused at any moment, so what is found must be checked.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_DESCRIPTOR_SCAN_H
#define WEIR_HTTP_CIVETWEB_DESCRIPTOR_SCAN_H

#include "server/core/descriptors.h"

struct descriptor_scan {
    struct pollfd numbers[DESCRIPTORS_AT_ONCE];
    int count, at; /* how many of `numbers` are set, and which one is next */
    int next, end;
};

static inline void descriptor_scan_begin(struct descriptor_scan *scan, int first) {
    scan->count = scan->at = 0;
    scan->next = first;
    scan->end = descriptors_end();
}

/* Returns the next number; -1 at the end. */
static inline int descriptor_scan_next(struct descriptor_scan *scan) {
    for (;;) {
        for (; scan->at < scan->count; scan->at++)
            if (!(scan->numbers[scan->at].revents & POLLNVAL))
                return scan->numbers[scan->at++].fd;
        scan->at = 0;
        scan->count = descriptors_poll_next(scan->numbers, DESCRIPTORS_AT_ONCE, &scan->next, scan->end, 0);
        if (scan->count <= 0)
            return -1;
    }
}

#endif
