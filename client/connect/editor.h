/* editor.h - editing a line on the terminal with history, while other things are printed above it. The one user of
 * libedit. One thread; the terminal is standard input and output.
 *
 * History is kept in memory only, and neither ~/.editrc nor any other file is read.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_EDITOR_H
#define WEIR_CONNECT_EDITOR_H

#include <stdbool.h>
#include <stddef.h>

struct editor;

/* Called whenever the editor wants a key: waits, and may print meanwhile between editor_hide() and editor_show().
 * True: standard input can be read; false: no more lines are wanted. */
typedef bool editor_wait(void *context);

/* NULL: memory is out. */
struct editor *editor_open(editor_wait *wait, void *context);

/* Restores the terminal. NULL is allowed. */
void editor_close(struct editor *editor);

/* The next line typed, in UTF-8 with a terminator and without its newline, valid and to be changed at will until
 * the next call; NULL at the end: ^D, a terminal that has gone, or `wait` said so. */
char *editor_line(struct editor *editor, size_t *size);

/* Takes what is being typed off the screen: the cursor is then at the beginning of an empty row; and puts it back.
 * Nothing happens while nothing is being edited. */
void editor_hide(struct editor *editor);
void editor_show(struct editor *editor);

void editor_resized(struct editor *editor); /* SIGWINCH */
void editor_suspend(struct editor *editor); /* SIGTSTP: gives the terminal back, stops, and comes back */

#endif
