/* health.c - `weir health`: asks a server whether it accepts clients. A container's health check that uses it
 * needs neither a shell nor another HTTP client.
 *
 * One thread with blocking calls. SIGALRM ends anything that takes too long, including name resolution. Of the
 * answer it uses the status and the first line of the body. It supports neither TLS nor redirects.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "commands/sources.h"

static const char help[] =
    "usage: weir health [-c FILE] [-s SECTION.KEY=VALUE] [URL]\n\n"
    "Sends GET /readyz to the server that the configuration describes, at the first address of\n"
    "its [server] listen, or to URL (http://HOST[:PORT][/PATH]). Waits at most 2 s.\n\n" SOURCES_HELP
    "  -h, --help         print this help\n\n" SOURCES_HELP_ENVIRONMENT
    "\nExit status: 0 if the server accepts clients, 1 if not (the reason is on stderr), 2 if an\n"
    "argument or the configuration is invalid.\n";

enum { TIMEOUT_S = 2, HOST_SIZE = 256, PORT_SIZE = 6, PATH_SIZE = 1024, ANSWER_SIZE = 4096 };

struct target {
    char host[HOST_SIZE]; /* as getaddrinfo() expects it: IPv6 without brackets */
    char port[PORT_SIZE];
    char path[PATH_SIZE];
};

/* --- The server to ask ------------------------------------------------------------------------------------- */

/* Parses HOST, HOST:PORT, [HOST] or [HOST]:PORT, `size` bytes long. Without a port, the target keeps its own. */
static bool health_parse_authority(const char *text, size_t size, struct target *target) {
    char authority[HOST_SIZE];
    if (size == 0 || size >= sizeof authority)
        return false;
    memcpy(authority, text, size);
    authority[size] = '\0';
    char *host = authority, *end = authority + strcspn(authority, ":");
    if (*host == '[') {
        end = strchr(++host, ']');
        if (end == NULL)
            return false;
        *end++ = '\0';
    }
    if (*end == ':') {
        const char *port = end + 1;
        size_t digits = strspn(port, "0123456789");
        if (digits == 0 || digits >= PORT_SIZE || port[digits] != '\0')
            return false;
        memcpy(target->port, port, digits + 1);
        *end = '\0';
    } else if (*end != '\0') {
        return false;
    }
    memcpy(target->host, host, strlen(host) + 1);
    return *host != '\0';
}

static bool health_parse_url(const char *url, struct target *target) {
    static const char scheme[] = "http://";
    *target = (struct target){.port = "80", .path = "/readyz"};
    if (strncmp(url, scheme, sizeof scheme - 1) != 0)
        return false;
    for (const char *c = url; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~') /* rejects characters that would end the request line */
            return false;
    const char *authority = url + sizeof scheme - 1;
    const char *path = authority + strcspn(authority, "/");
    size_t size = strlen(path) + 1;
    if (size > sizeof target->path)
        return false;
    if (*path != '\0')
        memcpy(target->path, path, size);
    return health_parse_authority(authority, (size_t)(path - authority), target);
}

/* Turns a wildcard listen address into an address to connect to. */
static void health_replace_wildcard(struct target *target) {
    if (strcmp(target->host, "0.0.0.0") == 0)
        strcpy(target->host, "127.0.0.1");
    else if (strcmp(target->host, "::") == 0)
        strcpy(target->host, "::1");
}

/* Finds the server of this configuration. Returns STATUS_OK, or the exit status after printing the error. */
static int health_find_configured(struct config_sources *sources, struct target *target) {
    char error[CONFIG_ERROR_SIZE];
    if (!sources_find_file(sources, "weir health"))
        return STATUS_USAGE;
    struct config *config = config_build(sources, error, sizeof error);
    if (config == NULL) {
        fprintf(stderr, "%s\n", error);
        return STATUS_USAGE;
    }
    const char *listen = config->server.listen[0];
    *target = (struct target){.path = "/readyz"};
    bool understood = health_parse_authority(listen, strlen(listen), target);
    config_destroy(config);
    if (!understood)
        return STATUS_USAGE;
    health_replace_wildcard(target);
    return STATUS_OK;
}

/* --- The request ------------------------------------------------------------------------------------------- */

static char timed_out[HOST_SIZE + 64]; /* the signal handler's message */

static void health_on_alarm(int signal) {
    (void)signal;
    ssize_t ignored = write(STDERR_FILENO, timed_out, strlen(timed_out));
    (void)ignored;
    _exit(STATUS_FAILURE);
}

static void health_limit_time(const struct target *target) {
    snprintf(timed_out, sizeof timed_out, "weir health: %s port %s: timed out after %d s\n", target->host,
             target->port, TIMEOUT_S);
    const struct sigaction action = {.sa_handler = health_on_alarm};
    sigaction(SIGALRM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    alarm(TIMEOUT_S);
}

static int health_fail(const struct target *target, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "weir health: %s port %s: ", target->host, target->port);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return STATUS_FAILURE;
}

/* Returns a connected socket; or -1, with *error saying why. */
static int health_connect_to(const struct target *target, const char **error) {
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *addresses;
    int result = getaddrinfo(target->host, target->port, &hints, &addresses);
    if (result != 0) {
        *error = gai_strerror(result);
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *address = addresses; address != NULL && fd < 0; address = address->ai_next) {
        fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) == 0)
            break;
        *error = strerror(errno);
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(addresses);
    return fd;
}

/* Sends the request and reads the answer up to its end, as far as it fits. Returns false with errno set. */
static bool health_exchange(int fd, const struct target *target, char answer[ANSWER_SIZE]) {
    char request[PATH_SIZE + HOST_SIZE + 128];
    bool v6 = strchr(target->host, ':') != NULL;
    int size = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s%s%s:%s\r\nConnection: close\r\n\r\n",
                        target->path, v6 ? "[" : "", target->host, v6 ? "]" : "", target->port);
    if (send(fd, request, (size_t)size, MSG_NOSIGNAL) != size)
        return false;
    size_t filled = 0;
    ssize_t got;
    while ((got = recv(fd, answer + filled, ANSWER_SIZE - 1 - filled, 0)) > 0)
        filled += (size_t)got;
    answer[filled] = '\0';
    return got == 0 || filled > 0;
}

/* Returns the first line of the body, cut at the first character that is not plain text: the other side is
 * untrusted. */
static const char *health_first_line(char *answer) {
    char *body = strstr(answer, "\r\n\r\n");
    if (body == NULL)
        return "";
    body += 4;
    size_t length = 0;
    while (length < 80 && body[length] >= ' ' && body[length] <= '~')
        length++;
    body[length] = '\0';
    return body;
}

static int health_ask(const struct target *target) {
    const char *error = "the host has no address";
    health_limit_time(target);
    int fd = health_connect_to(target, &error);
    if (fd < 0)
        return health_fail(target, "%s", error);
    char answer[ANSWER_SIZE];
    bool answered = health_exchange(fd, target, answer);
    error = strerror(errno);
    close(fd);
    if (!answered)
        return health_fail(target, "%s", error);
    int status;
    if (sscanf(answer, "HTTP/1.%*1[01] %3d", &status) != 1)
        return health_fail(target, "the response is not HTTP");
    const char *line = health_first_line(answer);
    if (status != 200)
        return health_fail(target, "%d%s%s", status, *line == '\0' ? "" : " ", line);
    printf("%s\n", line);
    return STATUS_OK;
}

static int health_run(struct config_sources *sources, const char *url) {
    struct target target;
    if (url == NULL) {
        int status = health_find_configured(sources, &target);
        return status == STATUS_OK ? health_ask(&target) : status;
    }
    if (!health_parse_url(url, &target)) {
        fprintf(stderr, "weir health: invalid URL; write it like http://127.0.0.1:9000/readyz\n");
        return STATUS_USAGE;
    }
    return health_ask(&target);
}

int command_health(int argc, char **argv) {
    struct config_sources sources = sources_init();
    int status = sources_read(&sources, argc, argv, help, NULL, 1);
    if (status < 0)
        status = health_run(&sources, argv[optind]);
    sources_release(&sources);
    return status;
}
