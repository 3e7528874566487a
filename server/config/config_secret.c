/* config_secret.c - see config_secret.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/config/config_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opens the file if its kind and mode are allowed. Returns -1 with the reason in `why`. */
static int open_file(const char *path, char *why, size_t why_size) {
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) != 0)
        snprintf(why, why_size, "cannot be read: %s", strerror(errno));
    else if (!S_ISREG(status.st_mode))
        snprintf(why, why_size, "is not a regular file");
    else if ((status.st_mode & S_IRWXO) != 0)
        snprintf(why, why_size, "can be accessed by other users (mode %04o); run chmod 600 on it",
                 (unsigned)status.st_mode & 07777);
    else
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Returns the only line in text[0..size), without its end; NULL with the reason in `why`. */
static char *only_line(char *text, size_t size, const struct secret_form *form, char *why, size_t why_size) {
    const char *wrong = NULL;
    if (size > 0 && text[size - 1] == '\n')
        size -= size > 1 && text[size - 2] == '\r' ? 2 : 1;
    text[size] = '\0';
    if (size > form->most || size == 0)
        snprintf(why, why_size, "is %s; it must have %s", size == 0 ? "empty" : "too long", form->shape);
    else if (memchr(text, '\n', size) != NULL)
        wrong = "has more than one line";
    else if (strlen(text) < size)
        wrong = "has a zero byte";
    else
        wrong = form->check(text);
    if (wrong != NULL)
        snprintf(why, why_size, "%s", wrong);
    return size > form->most || size == 0 || wrong != NULL ? NULL : text;
}

char *secret_read(const char *path, const struct secret_form *form, char *why, size_t why_size) {
    enum { END = 2 }; /* CRLF */
    char text[SECRET_SIZE_MAX + END + 2];
    int fd = open_file(path, why, why_size);
    if (fd < 0)
        return NULL;
    ssize_t size = read(fd, text, form->most + END + 1);
    close(fd);
    const char *line = NULL;
    if (size < 0)
        snprintf(why, why_size, "cannot be read: an input/output error");
    else
        line = only_line(text, (size_t)size, form, why, why_size);
    char *secret = line != NULL ? strdup(line) : NULL;
    if (line != NULL && secret == NULL)
        snprintf(why, why_size, "cannot be stored: out of memory");
    explicit_bzero(text, sizeof text);
    return secret;
}
