/* atomic_histogram.c - see atomic_histogram.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/atomic_histogram.h"

/* clang-format off */
histogram_bounds atomic_histogram_microseconds = {
    51, 56, 62, 68, 75, 82, 91,
    100, 110, 120, 130, 150, 160, 180, 200, 220, 240, 270, 300, 330, 360, 390, 430, 470, 510, 560, 620, 680, 750,
    820, 910,
    1000, 1100, 1200, 1300, 1500, 1600, 1800, 2000, 2200, 2400, 2700, 3000, 3300, 3600, 3900, 4300, 4700, 5100,
    5600, 6200, 6800, 7500, 8200, 9100,
    10000, 11000, 12000, 13000, 15000, 16000, 18000, 20000, 22000, 24000, 27000, 30000, 33000, 36000, 39000,
    43000, 47000, 51000, 56000, 62000, 68000, 75000, 82000, 91000,
    100000, 110000, 120000, 130000, 150000, 160000, 180000, 200000, 220000, 240000, 270000, 300000, 330000,
    360000, 390000, 430000, 470000, 510000, 560000, 620000, 680000, 750000, 820000, 910000,
    1000000, 1100000, 1200000, 1300000, 1500000, 1600000, 1800000, 2000000, 2200000, 2400000, 2700000, 3000000,
    3300000, 3600000, 3900000, 4300000, 4700000, 5100000, 5600000, 6200000, 6800000, 7500000, 8200000, 9100000,
    10000000};
/* clang-format on */
histogram_bounds atomic_histogram_numbers = {1,   2,    5,    10,   20,    50,    100,   200,
                                             500, 1000, 2000, 5000, 10000, 20000, 50000, 100000};

/* Finds the first bound that is not below the value. The zeros after the last bound count as infinite. */
static unsigned atomic_histogram_find(histogram_bounds bounds, uint64_t value) {
    unsigned low = 0, high = ATOMIC_HISTOGRAM_MAX - 1;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (bounds[middle] == 0 || bounds[middle] >= value)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

void atomic_histogram_add(struct atomic_histogram *histogram, histogram_bounds bounds, uint64_t value) {
    atomic_fetch_add_explicit(&histogram->counts[atomic_histogram_find(bounds, value)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum, value, memory_order_relaxed);
}
