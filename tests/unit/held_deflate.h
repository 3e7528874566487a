/* held_deflate.h - zlib's deflate(), which a test can block, to see what happens while a large message is
 * compressed.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TESTS_UNIT_HELD_DEFLATE_H
#define WEIR_TESTS_UNIT_HELD_DEFLATE_H

/* From now on a thread that compresses 16 KiB or more waits. */
void hold_deflate(void);
void let_go_deflate(void);

/* The threads that wait now. */
int held_deflates(void);

#endif
