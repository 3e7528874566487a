/* screen.c - lays out a line as libedit does (its refresh.c and chartype.c).
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/connect/screen.h"

#include <wctype.h>

enum { TAB_STOP = 8 };
enum { CARET_WIDTH = 2 /* ^A */, SHORT_WIDTH = 7 /* \U+200b */, LONG_WIDTH = 8 /* \U+e0001 */ };

/* The cursor; it moves to the next row as soon as the last column is taken. */
struct place {
    unsigned row, column;
};

static void take(struct place *place, unsigned width, unsigned columns) {
    if (place->column + width > columns) { /* a wide character does not span the margin */
        place->row++;
        place->column = 0;
    }
    place->column += width;
    if (place->column >= columns) {
        place->row++;
        place->column = 0;
    }
}

static void take_each(struct place *place, unsigned count, unsigned columns) {
    while (count-- > 0)
        take(place, 1, columns);
}

static void lay(struct place *place, wchar_t character, unsigned columns) {
    if (character == L'\t')
        take_each(place, TAB_STOP - place->column % TAB_STOP, columns);
    else if (character < 0x100 && iswcntrl((wint_t)character))
        take_each(place, CARET_WIDTH, columns);
    else if (!iswprint((wint_t)character))
        take_each(place, character > 0xFFFF ? LONG_WIDTH : SHORT_WIDTH, columns);
    else
        take(place, (unsigned)wcwidth(character), columns);
}

unsigned screen_row(const wchar_t *text, size_t size, size_t cursor, unsigned indent, unsigned columns) {
    if (columns < 2)
        return 0;
    struct place place = {0, 0};
    take_each(&place, indent, columns);
    for (size_t i = 0; i < cursor; i++)
        lay(&place, text[i], columns);
    if (cursor < size && wcwidth(text[cursor]) == 2 && place.column + 2 > columns)
        place.row++;
    return place.row;
}
