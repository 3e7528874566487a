/* editor.c - runs libedit, but waits for keys outside it.
 *
 * libedit asks for each key through read_key(). While it waits there, the screen is fully drawn. That is when the
 * line may be removed, something printed, and the line drawn again (EL_REFRESH, which starts at the cursor).
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/connect/editor.h"

#include <errno.h>
#include <histedit.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "commands/connect/screen.h"
#include "commands/connect/signals.h"

enum { HISTORY_MAX = 1000, DEFAULT_COLUMNS = 80 };
enum { REPLACEMENT_CHARACTER = 0xFFFD };

static wchar_t prompt[] = L"> ";
enum { PROMPT_WIDTH = 2 };

struct editor {
    struct termios modes; /* the terminal's modes when the editor was opened */
    EditLine *edit;
    HistoryW *history;
    editor_wait *wait;
    void *context;
    mbstate_t key; /* state of a character whose bytes have not all arrived */
    bool editing;  /* a line is on the screen, or hidden */
    char *line;    /* the last line, in UTF-8 */
};

static wchar_t *give_prompt(EditLine *edit) {
    (void)edit;
    return prompt;
}

/* --- Keys -------------------------------------------------------------------------------------------------- */

/* Reads a character for libedit: returns 1 with the character, 0 at the end, -1 with errno set. */
static int read_key(EditLine *edit, wchar_t *key) {
    struct editor *editor;
    el_wget(edit, EL_CLIENTDATA, &editor);
    while (editor->wait(editor->context)) {
        char byte;
        ssize_t got = read(STDIN_FILENO, &byte, 1);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            return (int)got;
        size_t size = mbrtowc(key, &byte, 1, &editor->key);
        if (size == (size_t)-2)
            continue;
        if (size == (size_t)-1) {
            editor->key = (mbstate_t){0};
            *key = REPLACEMENT_CHARACTER;
        }
        return 1;
    }
    return 0;
}

/* --- The screen -------------------------------------------------------------------------------------------- */

static unsigned columns(struct editor *editor) {
    int count = 0;
    return el_get(editor->edit, EL_GETTC, "co", &count) == 0 && count > 1 ? (unsigned)count : DEFAULT_COLUMNS;
}

/* Makes the terminal perform a termcap capability. False if it cannot. */
static bool perform(struct editor *editor, const wchar_t *capability) {
    return el_wset(editor->edit, EL_ECHOTC, L"-s", capability, NULL) == 0;
}

static unsigned cursor_row(struct editor *editor) {
    const LineInfoW *line = el_wline(editor->edit);
    return screen_row(line->buffer, (size_t)(line->lastchar - line->buffer), (size_t)(line->cursor - line->buffer),
                      PROMPT_WIDTH, columns(editor));
}

void editor_hide(struct editor *editor) {
    if (!editor->editing)
        return;
    bool up = true;
    for (unsigned row = cursor_row(editor); row > 0 && up; row--)
        up = perform(editor, L"up");
    putchar('\r');
    if (!up || !perform(editor, L"cd"))
        putchar('\n'); /* a plain terminal keeps the typed line and shows it again */
    fflush(stdout);
}

void editor_show(struct editor *editor) {
    fflush(stdout);
    if (editor->editing)
        el_wset(editor->edit, EL_REFRESH);
}

void editor_resized(struct editor *editor) {
    editor_hide(editor);
    el_resize(editor->edit);
    editor_show(editor);
}

void editor_suspend(struct editor *editor) {
    el_wset(editor->edit, EL_PREP_TERM, 0);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &editor->modes);
    raise(SIGSTOP);
    el_wset(editor->edit, EL_PREP_TERM, 1);
    el_resize(editor->edit);
    editor_show(editor); /* at the position where the shell left the cursor */
}

/* --- Lines ------------------------------------------------------------------------------------------------- */

static void remember(struct editor *editor, const wchar_t *line) {
    HistEventW event;
    if (*line != L'\0')
        history_w(editor->history, &event, H_ENTER, line);
}

/* Returns the line in UTF-8; NULL if memory runs out. */
static char *convert(struct editor *editor, const wchar_t *line, size_t length, size_t *size) {
    char *text = realloc(editor->line, (length + 1) * MB_LEN_MAX);
    if (text == NULL)
        return NULL;
    editor->line = text;
    mbstate_t state = {0};
    *size = 0;
    for (size_t i = 0; i < length; i++) {
        size_t written = wcrtomb(text + *size, line[i], &state);
        *size += written == (size_t)-1 ? 0 : written; /* a surrogate, which no key produces */
    }
    text[*size] = '\0';
    return text;
}

char *editor_line(struct editor *editor, size_t *size) {
    int count = 0;
    editor->editing = true;
    el_wset(editor->edit, EL_PREP_TERM, 1); /* before the prompt, so that the terminal does not echo early keys */
    const wchar_t *line = el_wgets(editor->edit, &count);
    editor->editing = false;
    if (line == NULL && count == 0)
        putchar('\n'); /* after the ^D, which libedit shows */
    if (line == NULL || count <= 0)
        return NULL;
    size_t length = (size_t)count;
    if (line[length - 1] == L'\n')
        length--;
    wchar_t *copy = malloc((length + 1) * sizeof *copy); /* libedit's own line must not be shortened */
    if (copy == NULL)
        return NULL;
    wmemcpy(copy, line, length);
    copy[length] = L'\0';
    remember(editor, copy);
    char *text = convert(editor, copy, length, size);
    free(copy);
    return text;
}

/* --- Creation and destruction ------------------------------------------------------------------------------ */

/* Between two lines libedit restores the terminal to the shell's modes. Without this, keys typed then would be
 * echoed, and the terminal would consume a ^D. */
static void keep_quiet_between_lines(struct editor *editor) {
    el_wset(editor->edit, EL_SETTY, L"-x", L"-echo", L"-icanon", NULL);
}

static bool prepare(struct editor *editor) {
    HistEventW event;
    if (tcgetattr(STDIN_FILENO, &editor->modes) == 0)
        signals_restore(&editor->modes);
    editor->history = history_winit();
    editor->edit = el_init("weir", stdin, stdout, stderr);
    if (editor->history == NULL || editor->edit == NULL)
        return false;
    history_w(editor->history, &event, H_SETSIZE, HISTORY_MAX);
    history_w(editor->history, &event, H_SETUNIQUE, 1);
    el_wset(editor->edit, EL_CLIENTDATA, editor);
    el_wset(editor->edit, EL_GETCFN, read_key);
    el_wset(editor->edit, EL_PROMPT, give_prompt);
    el_wset(editor->edit, EL_EDITOR, L"emacs");
    el_wset(editor->edit, EL_HIST, history_w, editor->history);
    el_wset(editor->edit, EL_BIND, L"^R", L"em-inc-search-prev", NULL);
    keep_quiet_between_lines(editor);
    return true;
}

struct editor *editor_open(editor_wait *wait, void *context) {
    struct editor *editor = calloc(1, sizeof *editor);
    if (editor == NULL)
        return NULL;
    editor->wait = wait;
    editor->context = context;
    if (prepare(editor))
        return editor;
    editor_close(editor);
    return NULL;
}

void editor_close(struct editor *editor) {
    if (editor == NULL)
        return;
    if (editor->edit != NULL) {
        el_end(editor->edit);
        tcsetattr(STDIN_FILENO, TCSADRAIN, &editor->modes);
    }
    signals_restore(NULL);
    if (editor->history != NULL)
        history_wend(editor->history);
    free(editor->line);
    free(editor);
}
