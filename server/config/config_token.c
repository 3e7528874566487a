/* config_token.c - the admin API's token, from the configuration or from a file that only its owner and group may
 * reach. No error has any of it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/config/config_private.h"
#include "server/config/options.h"
#include "server/config/value.h"

enum { TOKEN_MAX = 256, TOKEN_FILE_MAX = TOKEN_MAX + 2 }; /* with CRLF */

static struct config_place place_of(const struct config *config, const char *name) {
    return config->places[option_find("admin", name) - options];
}

/* Opens what may be read. -1 with the reason in `why`. */
static int open_file(const char *path, char *why, size_t why_size) {
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) != 0)
        snprintf(why, why_size, "cannot be read: %s", strerror(errno));
    else if (!S_ISREG(status.st_mode))
        snprintf(why, why_size, "is no regular file");
    else if ((status.st_mode & S_IRWXO) != 0)
        snprintf(why, why_size, "may be reached by everybody (mode %04o); run chmod 600 on it",
                 (unsigned)status.st_mode & 07777);
    else
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* The one line in text[0..size), without its end; or NULL with the reason in *wrong. */
static char *only_line(char *text, size_t size, const char **wrong) {
    if (size > 0 && text[size - 1] == '\n')
        size -= size > 1 && text[size - 2] == '\r' ? 2 : 1;
    text[size] = '\0';
    if (size > TOKEN_MAX)
        *wrong = "is too long; it must have one line of 16 to 256 characters";
    else if (size == 0)
        *wrong = "is empty; it must have one line of 16 to 256 characters";
    else if (memchr(text, '\n', size) != NULL)
        *wrong = "has more than one line";
    else if (strlen(text) < size)
        *wrong = "has a zero byte";
    else
        *wrong = value_secret(text);
    return *wrong == NULL ? text : NULL;
}

/* A new string, or NULL with the reason in `why`. */
static char *read_token_file(const char *path, char *why, size_t why_size) {
    char text[TOKEN_FILE_MAX + 2];
    int fd = open_file(path, why, why_size);
    if (fd < 0)
        return NULL;
    ssize_t size = read(fd, text, TOKEN_FILE_MAX + 1);
    const char *wrong = "cannot be read: an input/output error";
    close(fd);
    const char *line = size < 0 ? NULL : only_line(text, (size_t)size, &wrong);
    char *token = line != NULL ? strdup(line) : NULL;
    if (token == NULL)
        snprintf(why, why_size, "%s", line != NULL ? "does not fit into the memory that is left" : wrong);
    explicit_bzero(text, sizeof text);
    return token;
}

int config_read_token(struct config *config, char *error, size_t error_size) {
    struct config_admin *admin = &config->admin;
    char why[128] = "";
    char *secret = NULL;
    if (admin->token != NULL && admin->token_file != NULL) {
        const char *other = place_of(config, "token").source;
        return config_fail_at(place_of(config, "token_file"), "token_file", error, error_size,
                              "there is a token too, from %s; give one of both, and `none` for the other", other);
    }
    if (admin->token_file != NULL) {
        char quoted[VALUE_QUOTED_SIZE];
        secret = read_token_file(admin->token_file, why, sizeof why);
        if (secret == NULL)
            return config_fail_at(place_of(config, "token_file"), "token_file", error, error_size, "%s %s",
                                  value_quote(admin->token_file, quoted), why);
    } else if (admin->token != NULL && (secret = strdup(admin->token)) == NULL) {
        return config_fail_at(place_of(config, "token"), "token", error, error_size, "out of memory");
    }
    free(admin->secret);
    admin->secret = secret;
    return 0;
}
