/* held_deflate.h - zlib's deflate(), which a test can hold up: for what goes on while a large message is
 * compressed.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TESTS_UNIT_HELD_DEFLATE_H
#define WEIR_TESTS_UNIT_HELD_DEFLATE_H

/* From now on whoever compresses 16 KiB or more waits. */
void hold_deflate(void);
void let_go_deflate(void);

/* Those who wait now. */
int held_deflates(void);

#endif
