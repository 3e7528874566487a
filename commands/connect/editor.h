/* editor.h - edits a line on the terminal, with history, while other output appears above it. The only user of
 * libedit. One thread; the terminal is standard input and output.
 *
 * History is kept in memory only; neither ~/.editrc nor any other file is read.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_EDITOR_H
#define WEIR_CONNECT_EDITOR_H

#include <stdbool.h>
#include <stddef.h>

struct editor;

/* Called whenever the editor needs a key: waits, and may print meanwhile between editor_hide() and editor_show().
 * Returns true if standard input is readable, false if no more lines are wanted. */
typedef bool editor_wait(void *context);

/* Returns NULL if memory runs out. */
struct editor *editor_open(editor_wait *wait, void *context);

/* Restores the terminal. `editor` may be NULL. */
void editor_close(struct editor *editor);

/* Returns the next line typed, in UTF-8 with a terminator and without its newline. It is valid until the next
 * call, and the caller may change it. Returns NULL at the end: on ^D, if the terminal is gone, or if `wait`
 * returned false. */
char *editor_line(struct editor *editor, size_t *size);

/* Remove the line being typed from the screen, which leaves the cursor at the beginning of an empty row; and draw
 * it again. They do nothing while no line is being edited. */
void editor_hide(struct editor *editor);
void editor_show(struct editor *editor);

void editor_resized(struct editor *editor); /* handles SIGWINCH */
void editor_suspend(struct editor *editor); /* handles SIGTSTP: restores the terminal, stops, and resumes */

#endif
