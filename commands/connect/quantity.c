/* quantity.c - parses seconds and sizes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/connect/quantity.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SECONDS_MAX = 365 * 24 * 3600 };

static bool is_digit(char character) {
    return character >= '0' && character <= '9';
}

bool quantity_seconds(const char *text, uint64_t *milliseconds) {
    size_t whole = strspn(text, "0123456789");
    size_t fraction = text[whole] == '.' ? 1 + strspn(text + whole + 1, "0123456789") : 0;
    if (whole == 0 || fraction == 1 || text[whole + fraction] != '\0')
        return false;
    double seconds = strtod(text, NULL);
    if (seconds > SECONDS_MAX)
        return false;
    *milliseconds = (uint64_t)ceil(seconds * 1000);
    return true;
}

/* Returns how many bits a unit shifts by; -1 if it is not a unit. */
static int unit_shift(const char *unit) {
    static const char letters[] = "KMG";
    const char *letter = *unit != '\0' ? strchr(letters, *unit) : NULL;
    if (*unit == '\0')
        return 0;
    if (letter == NULL || (strcmp(unit + 1, "") != 0 && strcmp(unit + 1, "iB") != 0))
        return -1;
    return 10 * (int)(letter - letters + 1);
}

bool quantity_size(const char *text, size_t *bytes) {
    if (!is_digit(*text))
        return false;
    char *unit;
    errno = 0;
    unsigned long long number = strtoull(text, &unit, 10);
    int shift = unit_shift(unit);
    if (errno != 0 || shift < 0 || number == 0 || number > SIZE_MAX >> shift)
        return false;
    *bytes = (size_t)number << shift;
    return true;
}
