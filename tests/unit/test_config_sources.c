/* test_config_sources.c - the file, the environment and the command line together: precedence, errors of each, and
 * the source of a value.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "server/config/options.h"
#include "tests/unit/config_text.h"

enum { MANY = 8 };

/* One of each, or what a NULL ends. `file` is the text of main.ini. */
struct given {
    const char *file;
    const char *environment[MANY];
    const char *settings[MANY];
    const char *expected;
};

static struct config *build(const struct given *given, char error[CONFIG_ERROR_SIZE]) {
    char path[200];
    snprintf(path, sizeof path, "%s/main.ini", config_folder);
    if (given->file != NULL)
        config_folder_write("main.ini", given->file);
    struct config_sources sources = {.path = given->file != NULL ? path : NULL,
                                     .environment = (char *const *)given->environment,
                                     .settings = (char *const *)given->settings};
    while (given->settings[sources.setting_count] != NULL)
        sources.setting_count++;
    *error = '\0';
    return config_build(&sources, error, CONFIG_ERROR_SIZE);
}

#define FILE_TEXT "[server]\nworkers = 2\nhttp_threads = 2\nconnection_queue = 2\n[route /x]\nhandler = echo\n"

#define LIGHT     "[route /light/{status}]\nhandler = plugin:/light.so\n"

/* `expected` is a part of what is printed. */
static const struct given right[] = {
    {NULL, {NULL}, {NULL}, "\nworkers = 8\nwake_threshold = 128\nhttp_threads = 16\n"},
    {FILE_TEXT, {NULL}, {NULL}, "\n# from DIR/main.ini:2\nworkers = 2\n"},
    {FILE_TEXT,
     {"WEIR_SERVER_HTTP_THREADS=3", "WEIR_SERVER_CONNECTION_QUEUE=3"},
     {"server.connection_queue=4"},
     "\n# from DIR/main.ini:2\nworkers = 2\nwake_threshold = 128\n# from WEIR_SERVER_HTTP_THREADS\nhttp_threads = "
     "3\n"
     "# from --set server.connection_queue\nconnection_queue = 4\n"},
    {NULL, {"WEIR_SERVER_LISTEN=9001, 127.0.0.1:9002"}, {NULL}, "\nlisten = 0.0.0.0:9001, 127.0.0.1:9002\n"},
    {NULL, {"WEIR_LOG_LEVEL=  debug ", "WEIR_LOG_LEVEL_=", "PATH=/bin"}, {NULL}, "\nlevel = debug\n"},
    {NULL, {"WEIR_SERVER_WORKERS="}, {NULL}, "\nworkers = 8\n"},
    {NULL,
     {"WEIR_SCALE=1", "WEIR=x", "WEIR_SERVER=x", "WEIR_SERVER_=", "WEIR_ROUTE_X="},
     {NULL},
     "\nworkers = 8\n"},
    {NULL,
     {"WEIR_SERVER_SERVICE_HOST=10.0.0.1", "WEIR_SERVER_SERVICE_PORT_WS=9000",
      "WEIR_SERVER_PORT=tcp://10.0.0.1:9000", "WEIR_SERVER_PORT_9000_TCP=tcp://10.0.0.1:9000",
      "WEIR_LOG_PORT_1_TCP_ADDR=10.0.0.1"},
     {NULL},
     "\nworkers = 8\n"},
    {NULL,
     {NULL},
     {"server.workers=3", " server . workers = 4 "},
     "\n# from --set server . workers\nworkers = 4\n"},
    {NULL,
     {NULL},
     {"route /a.b/{c}.handler=plugin:/x.so", "route /a.b/{c}.delay=2s = x"},
     "\n# from --set route /a.b/{c}.handler\n[route /a.b/{c}]\n# from --set route /a.b/{c}.handler\n"
     "handler = plugin:/x.so\n"},
    {NULL,
     {NULL},
     {"route /a.handler=plugin:/x.so", "route /a.delay=2s = x"},
     "\n# from --set route /a.delay\ndelay = 2s = x\n"},
    {FILE_TEXT,
     {NULL},
     {"route  /x.handler=broadcast", "route /x.echo_self=no"},
     "\n# from DIR/main.ini:5\n[route /x]\n# from --set route  /x.handler\nhandler = broadcast\n"},
    {"[route /x]\nhandler = plugin:/x.so\ndelay = 1s\n",
     {NULL},
     {"route /x.delay=2s"},
     "\nslow_consumer = inherit\n# from --set route /x.delay\ndelay = 2s\n"},
    {"[route /x]\ndelay = 1s\n", {NULL}, {"route /x.handler=plugin:/y"}, "\nhandler = plugin:/y\n"},
    {"[route /x]\nhandler = plugin:/x.so\ndelay = 1s\n",
     {NULL},
     {"route /x.Delay=2s"},
     "\nslow_consumer = inherit\n# from --set route /x.Delay\nDelay = 2s\n"},
    {"[channel news:*]\nhistory = 5\n",
     {"WEIR_CHANNEL_LIMITS_MAX_CHANNELS=3", "WEIR_CHANNEL_HISTORY="},
     {"channel  news:*.history=100", "channel news:*.presence=yes"},
     "\n# from DIR/main.ini:1\n[channel news:*]\n# from --set channel  news:*.history\nhistory = 100\n"
     "history_age = 5m\n"},
    {NULL,
     {"WEIR_CHANNEL_LIMITS_MAX_CHANNELS=3"},
     {NULL},
     "\n# from WEIR_CHANNEL_LIMITS_MAX_CHANNELS\nmax_channels = 3\n"},
    {NULL,
     {NULL},
     {"channel a.b.history=100"},
     "\n# from --set channel a.b.history\n[channel a.b]\n# from --set channel a.b.history\nhistory = 100\n"},
    {"[log]\nlevel = info\n", {NULL}, {NULL}, "\n# from DIR/main.ini:2\nlevel = info\n"},
    /* sections with a pattern from the environment */
    {LIGHT, {"WEIR_ROUTE_LIGHT_STATUS_DELAY=2s"}, {NULL}, "\n# from WEIR_ROUTE_LIGHT_STATUS_DELAY\ndelay = 2s\n"},
    {LIGHT,
     {NULL},
     {NULL},
     "\n\n# variables: WEIR_ROUTE_LIGHT_STATUS_...\n# from DIR/main.ini:1\n[route /light/{status}]\n"},
    {LIGHT "Delay = 1s\n",
     {"WEIR_ROUTE_LIGHT_STATUS_DELAY=2s"},
     {NULL},
     "\n# from WEIR_ROUTE_LIGHT_STATUS_DELAY\nDelay = 2s\n"},
    {LIGHT "delay = 1s\n",
     {"WEIR_ROUTE_LIGHT_STATUS_DELAY=2s"},
     {"route /light/{status}.delay=3s"},
     "\n# from --set route /light/{status}.delay\ndelay = 3s\n"},
    {LIGHT, {"WEIR_ROUTE_LIGHT_STATUS_CONCURRENCY= 3 "}, {NULL}, "\nconcurrency = 3\n"},
    {LIGHT "[route /light]\nhandler = plugin:/y.so\n",
     {"WEIR_ROUTE_LIGHT_STATUS_DELAY=2s"},
     {NULL},
     "\ndelay = 2s\n\n# variables: WEIR_ROUTE_LIGHT_...\n"},
    {FILE_TEXT "[route /x/echo]\nhandler = echo\n",
     {"WEIR_ROUTE_X_ECHO_SELF=no", "WEIR_ROUTE_X_HANDLER=broadcast"},
     {NULL},
     "\n# from WEIR_ROUTE_X_HANDLER\nhandler = broadcast\n# from WEIR_ROUTE_X_ECHO_SELF\necho_self = no\n"},
    {"[route /]\nhandler = echo\n[route /*]\nhandler = echo\n",
     {"WEIR_ROUTE_ROOT_ORIGINS=*"},
     {NULL},
     "\n# from WEIR_ROUTE_ROOT_ORIGINS\norigins = *\n"},
    {"[route /]\nhandler = echo\n[route /*]\nhandler = echo\n",
     {NULL},
     {NULL},
     "\n# variables: WEIR_ROUTE_ALL_...\n"},
    {"[route /a-b]\nhandler = echo\n[route /a_b]\nhandler = echo\n",
     {NULL},
     {NULL},
     "\n# variables: none, since another section has the same name\n"},
    {"[channel news:*]\n",
     {"WEIR_CHANNEL_NEWS_ALL_HISTORY=7"},
     {NULL},
     "\n# from WEIR_CHANNEL_NEWS_ALL_HISTORY\nhistory = 7\n"},
};

START_TEST(config_later_source_wins) {
    char error[CONFIG_ERROR_SIZE];
    struct config *config = build(&right[_i], error);
    ck_assert_msg(config != NULL, "%s", error);
    char *text = config_printed_whole(config);
    char *shown = malloc(2 * strlen(text) + 1), *to = shown; /* with DIR for the folder */
    for (const char *from = text; *from != '\0';)
        if (strncmp(from, config_folder, strlen(config_folder)) == 0) {
            to = stpcpy(to, "DIR");
            from += strlen(config_folder);
        } else {
            *to++ = *from++;
        }
    *to = '\0';
    ck_assert_msg(strstr(shown, right[_i].expected) != NULL, "%s", shown);
    free(shown);
    free(text);
    config_destroy(config);
}
END_TEST

#define SECRET "Not-To-Be-Seen-By-Anybody"

/* One of each at most. */
static const struct {
    const char *file, *variable, *setting, *expected;
} wrong[] = {
    {"[server]\nworkers = x\n", NULL, NULL,
     "DIR/main.ini:2: workers: \"x\" is not a number; write it in digits, like 8"},
    {NULL, "WEIR_SERVER_WORKERS=abc", NULL,
     "WEIR_SERVER_WORKERS: \"abc\" is not a number; write it in digits, like 8"},
    {NULL, "WEIR_SERVER_WORKERS=0", NULL, "WEIR_SERVER_WORKERS: \"0\" is out of range; it must be from 1 to 1024"},
    {NULL, "WEIR_SERVER_WORKERS= ", NULL, "WEIR_SERVER_WORKERS: \"\" is not a number; write it in digits, like 8"},
    {NULL, "WEIR_SERVER_WORKER=8", NULL,
     "WEIR_SERVER_WORKER: no option has this name; did you mean WEIR_SERVER_WORKERS?"},
    {NULL, "WEIR_SERVER_workers=8", NULL,
     "WEIR_SERVER_workers: no option has this name; did you mean WEIR_SERVER_WORKERS?"},
    {NULL, "WEIR_LOG_ORIGINS=*", NULL,
     "WEIR_LOG_ORIGINS: no option has this name; did you mean WEIR_WEBSOCKET_ORIGINS?"},
    {NULL, "WEIR_ADMIN_COLOUR_OF_IT=red", NULL,
     "WEIR_ADMIN_COLOUR_OF_IT: no option has this name; `weir check --list` shows every key"},
    {NULL, "WEIR_SERVER_HANDLER=echo", NULL,
     "WEIR_SERVER_HANDLER: no option has this name; `weir check --list` shows every key"},
    {NULL, "WEIR_SERVER_PORT=9000", NULL,
     "WEIR_SERVER_PORT: no option has this name; `weir check --list` shows every key"},
    {NULL, "WEIR_SERVER_LISTEN=1\n2", NULL, "WEIR_SERVER_LISTEN: the value contains a control character"},
    {NULL, "WEIR_SERVER_\n=2", NULL, "the environment: a variable of [server] has a name that is not text"},
    {NULL, "WEIR_ADMIN_TOKEN=" SECRET " " SECRET, NULL,
     "WEIR_ADMIN_TOKEN: the value contains a blank or a character that is not printable ASCII"},
    {NULL, NULL, "server.workers=abc", "--set server.workers: \"abc\" is not a number; write it in digits, like 8"},
    {NULL, NULL, "server.worker=1",
     "--set server.worker: unknown key \"worker\" in [server]; did you mean workers?"},
    {NULL, NULL, "server.include=x",
     "--set server.include: include belongs before the first section, not in [server]"},
    {NULL, NULL, "sever.workers=1", "--set sever.workers: unknown section \"sever\"; did you mean [server]?"},
    {NULL, NULL, "workers=1", "--set workers: the section is missing; did you mean server.workers?"},
    {NULL, NULL, "lvel=info", "--set lvel: the section is missing; did you mean log.level?"},
    {NULL, NULL, "colour=" SECRET,
     "--set colour: the section is missing; write it as SECTION.KEY=VALUE, like "
     "server.workers=16 or 'route /echo.handler=echo'"},
    {NULL, NULL, "server.workers",
     "--set: the = is missing; write it as SECTION.KEY=VALUE, like server.workers=16 or 'route "
     "/echo.handler=echo'"},
    {NULL, NULL, "log.level=\n", "--set: the argument contains a control character"},
    {NULL, NULL, "admin.token=short",
     "--set admin.token: the value is too short; it must have 16 to 256 characters"},
    {NULL, NULL, "route.handler=echo",
     "--set route.handler: the route has no pattern; write it like [route /chat]"},
    {NULL, NULL, "route /x.concurrency=1",
     "--set route /x.concurrency: the route has no handler; write handler = echo, broadcast, relay, pubsub or "
     "plugin:PATH"},
    {NULL, NULL, "channel.history=1",
     "--set channel.history: the channel has no pattern; write it like [channel news:*]"},
    {NULL, NULL, "channel a*b.history=1",
     "--set channel a*b.history: \"a*b\" has a * that is not at its end; write it like news:*"},
    {NULL, NULL, "channel x.histroy=1",
     "--set channel x.histroy: unknown key \"histroy\" in [channel PATTERN]; did you mean history?"},
    {NULL, NULL, "channel x.history=many",
     "--set channel x.history: \"many\" is not a number; write it in digits, like 8"},
    {NULL, NULL, "channels x.history=1",
     "--set channels x.history: unknown section \"channels x\"; did you mean [channel PATTERN]?"},
    {"[route /x/{y}]\nhandler = relay\n", NULL, "route /x/{y}.channel={z}",
     "--set route /x/{y}.channel: {z} is not a parameter of the route \"/x/{y}\"; it has {y}"},
    {LIGHT, "WEIR_ROUTE_LIGHT_DELAY=2s", NULL,
     "WEIR_ROUTE_LIGHT_DELAY: no section has this name; `weir check` shows the variables of each section"},
    {NULL, "WEIR_CHANNEL_X_HISTORY=2", NULL,
     "WEIR_CHANNEL_X_HISTORY: no section has this name; `weir check` shows the variables of each section"},
    {LIGHT, "WEIR_ROUTE_LIGHT_STATUS_CONCURRENCY=many", NULL,
     "WEIR_ROUTE_LIGHT_STATUS_CONCURRENCY: \"many\" is not a number; write it in digits, like 8"},
    {FILE_TEXT, "WEIR_ROUTE_X_CONCURENCY=1", NULL,
     "WEIR_ROUTE_X_CONCURENCY: [route /x] has no such key; did you mean WEIR_ROUTE_X_CONCURRENCY?"},
    {FILE_TEXT, "WEIR_ROUTE_X_DELAY=1", NULL,
     "WEIR_ROUTE_X_DELAY: [route /x] has no such key; `weir check --list` shows every key"},
    {"[channel a]\n", "WEIR_CHANNEL_A_HISTROY=1", NULL,
     "WEIR_CHANNEL_A_HISTROY: [channel a] has no such key; did you mean WEIR_CHANNEL_A_HISTORY?"},
    {"[route /a-b]\nhandler = echo\n[route /a_b]\nhandler = echo\n", "WEIR_ROUTE_A_B_ORIGINS=*", NULL,
     "WEIR_ROUTE_A_B_ORIGINS: [route /a-b] and [route /a_b] have the same name here; use a file or --set instead"},
    {NULL, "WEIR_CHANNELS_MAX_CHANNELS=1", NULL,
     "WEIR_CHANNELS_MAX_CHANNELS: this variable is now called WEIR_CHANNEL_LIMITS_MAX_CHANNELS"},
    {NULL, "WEIR_SERVER_WAKE_AFTER=1", NULL,
     "WEIR_SERVER_WAKE_AFTER: this variable is now called WEIR_SERVER_WAKE_THRESHOLD"},
    {NULL, NULL, "server.upgrades_per_ip=1",
     "--set server.upgrades_per_ip: upgrades_per_ip is now called handshake_rate_per_ip"},
    {"[channel limits:*]\n", "WEIR_CHANNEL_LIMITS_ALL_HISTROY=1", NULL,
     "WEIR_CHANNEL_LIMITS_ALL_HISTROY: [channel limits:*] has no such key; did you mean "
     "WEIR_CHANNEL_LIMITS_ALL_HISTORY?"},
    {NULL, "WEIR_CHANNEL_LIMITS_HISTORY=1", NULL,
     "WEIR_CHANNEL_LIMITS_HISTORY: no option has this name; `weir check --list` shows every key"},
    {NULL, NULL, "server.=1",
     "--set server.: this is not a key; write it as SECTION.KEY=VALUE, like "
     "server.workers=16 or 'route /echo.handler=echo'"},
    {NULL, NULL, "route /x.=1",
     "--set route /x.: this is not a key; write it as SECTION.KEY=VALUE, like "
     "server.workers=16 or 'route /echo.handler=echo'"},
    {NULL, NULL, "route /x.[y=1",
     "--set route /x.[y: this is not a key; write it as SECTION.KEY=VALUE, like "
     "server.workers=16 or 'route /echo.handler=echo'"},
    {NULL, NULL, "route /x.caf\xc3\xa9=1",
     "--set route /x.caf\xc3\xa9: this is not a key; write it as SECTION.KEY=VALUE, like "
     "server.workers=16 or 'route /echo.handler=echo'"},
    {FILE_TEXT, NULL, "route /x.delay=1",
     "--set route /x.delay: unknown key \"delay\" in [route PATTERN]; `weir check --list` shows every key"},
    {FILE_TEXT, NULL, "route /x.Handler=echo",
     "--set route /x.Handler: unknown key \"Handler\" in [route PATTERN]; did you mean handler?"},
    {"[route /x]\nhandler = plugin:/y\ndelay = 1s\n", NULL, "route /x.handler=echo",
     "DIR/main.ini:3: unknown key \"delay\" in [route PATTERN]; `weir check --list` shows every key"},
    {"[websocket]\nsend_buffer_hard = 3MiB\n", "WEIR_WEBSOCKET_MAX_MESSAGE_SIZE=2MiB", NULL,
     "DIR/main.ini:2: send_buffer_hard: 3MiB is too small; send_buffer_soft, max_message_size and 1MiB together "
     "need 4MiB"},
    {NULL, "WEIR_WEBSOCKET_MAX_MESSAGE_SIZE=16MiB", NULL,
     "WEIR_WEBSOCKET_MAX_MESSAGE_SIZE: send_buffer_hard: 16MiB is too small; send_buffer_soft, max_message_size "
     "and 1MiB together need 18MiB"},
};

START_TEST(config_errors_name_their_source) {
    char error[CONFIG_ERROR_SIZE];
    const struct given given = {wrong[_i].file, {wrong[_i].variable}, {wrong[_i].setting}, NULL};
    ck_assert_ptr_null(build(&given, error));
    ck_assert_str_eq(config_folder_error(error), wrong[_i].expected);
    ck_assert_ptr_null(strstr(error, SECRET));
}
END_TEST

/* Kubernetes sets these for every service of the namespace. */
START_TEST(config_ignores_variables_of_kubernetes_services) {
    static const char *const services[] = {
        "WEIR",          "WEIR_SERVER",   "WEIR_LOG",           "WEIR_SERVER_INTERNAL",  "WEIR_ADMIN_WORKERS",
        "WEIR_CHANNELS", "WEIR_ROUTE_X",  "WEIR_ROUTE",         "WEIR_SERVER_PORT",      "WEIR_SERVER_LISTEN",
        "WEIR_CHANNEL",  "WEIR_SERVER_8", "WEIR_WEBSOCKET_TLS", "WEIR_LOG_SERVICE_PORT",
    };
    static const char *const links[] = {
        "_SERVICE_HOST=10.9.3.7",           "_SERVICE_PORT=9000",      "_SERVICE_PORT_WEBSOCKET_2=9000",
        "_PORT=tcp://10.9.3.7:9000",        "_PORT=udp://[fd00::7]:9", "_PORT_9000_TCP=tcp://10.9.3.7:9000",
        "_PORT_9000_TCP_PROTO=tcp",         "_PORT_9000_TCP_PORT=80",  "_PORT_9000_TCP_ADDR=10.9.3.7",
        "_PORT_65535_UDP=udp://10.9.3.7:1", "_PORT_53_UDP_PROTO=udp",  "_PORT_1_SCTP_ADDR=fd00::7",
    };
    char error[CONFIG_ERROR_SIZE], variable[200];
    for (int i = 0; i < COUNT(services) * COUNT(links); i++) {
        snprintf(variable, sizeof variable, "%s%s", services[i / COUNT(links)], links[i % COUNT(links)]);
        const struct given given = {FILE_TEXT, {variable}, {NULL}, NULL};
        struct config *config = build(&given, error);
        ck_assert_msg(config != NULL, "%s", error);
        config_destroy(config);
    }
}
END_TEST

START_TEST(config_refuses_variables_that_resemble_services) {
    static const char *const variables[] = {"WEIR_SERVER_PORT=9000",
                                            "WEIR_SERVER_SERVICE=x",
                                            "WEIR_SERVER_PORT_9000=1",
                                            "WEIR_SERVER_PORT_X_TCP=1",
                                            "WEIR_SERVER_PORT_9000_TLS=1",
                                            "WEIR_SERVER_PORT_9000_TCP_X=1",
                                            "WEIR_SERVER_SERVICE_HOSTS=x",
                                            "WEIR_SERVER_XSERVICE_HOST=x",
                                            "WEIR_SERVER_PORT_9000_TCPPORT"
                                            "=1"};
    char error[CONFIG_ERROR_SIZE];
    for (int i = 0; i < COUNT(variables); i++) {
        const struct given given = {NULL, {variables[i]}, {NULL}, NULL};
        ck_assert_msg(build(&given, error) == NULL, "%s", variables[i]);
        ck_assert_ptr_nonnull(strstr(error, "no option has this name"));
    }
}
END_TEST

static void collect(void *context, const char *error) {
    fprintf(context, "%s\n", config_folder_error(error));
}

/* Every error once, none that follows from another, and none for keys of a section with a wrong header. */
START_TEST(config_reports_every_error_once) {
    static const char file[] = "include = a.ini, no.ini\ninclude = \ninclud = x\n"
                               "[server]\nworkers = x\nworkers = 8\nlisten\nhttp_threads = 7\n"
                               "[sever]\nworkers = y\n[\nlistem = 1\n"
                               "[websocket]\nsend_buffer_hard = many\nmax_message_size = 64MiB\n"
                               "[route /a]\nhandler = ehco\nconcurency = 1\n"
                               "[route /b]\nhandler = echo\nx = 1\ny = 2\nchannel = z\n"
                               "[route /b]\nhandler = nothing\n"
                               "[route /c]\nhandler = relay\nchannel = a b\necho_self = maybe\n"
                               "[route /d]\n[channel a*b]\nhistory = x\n[log]\nle!vel = info\nlevel = all\n"
                               "[admin]\ntoken_file = none.such\n";
    static const char expected[] =
        "DIR/a.ini:2: workers: \"0\" is out of range; it must be from 1 to 1024\n"
        "DIR/main.ini:1: include: \"no.ini\" does not exist\n"
        "DIR/main.ini:2: include: \"\" has an empty item; write it like a, b, c\n"
        "DIR/main.ini:3: unknown key \"includ\"; did you mean include?\n"
        "DIR/main.ini:5: workers: \"x\" is not a number; write it in digits, like 8\n"
        "DIR/main.ini:6: \"workers\" is set twice in this section; remove one of the two lines\n"
        "DIR/main.ini:7: \"listen\" is neither `[section]` nor `key = value`\n"
        "DIR/main.ini:9: unknown section \"sever\"; did you mean [server]?\n"
        "DIR/main.ini:11: the section header has no closing ]; write it like [server]\n"
        "DIR/main.ini:14: send_buffer_hard: \"many\" is not a size; write it like 512, 64KiB or 1MiB\n"
        "DIR/main.ini:17: handler: \"ehco\" is not a handler; write echo, broadcast, relay, pubsub or "
        "plugin:PATH\n"
        "DIR/main.ini:24: the route \"/b\" is already defined on line 19\n"
        "DIR/main.ini:28: channel: \"a b\" is not a channel; write letters, digits, _-.:@/+~ and {parameters} "
        "alone, "
        "like "
        "room:{name}\n"
        "DIR/main.ini:29: echo_self: \"maybe\" is neither yes nor no\n"
        "DIR/main.ini:31: \"a*b\" has a * that is not at its end; write it like news:*\n"
        "DIR/main.ini:34: \"le!vel\" contains a character that is not allowed in a key\n"
        "DIR/main.ini:35: level: \"all\" is not one of error, warning, info, debug\n"
        "WEIR_SERVER_WORKRS: no option has this name; did you mean WEIR_SERVER_WORKERS?\n"
        "WEIR_LOG_BUFFER: \"1\" is out of range; it must be from 16KiB to 1GiB\n"
        "--set x.y: unknown section \"x\"; the sections are [server], [websocket], [log], [admin], "
        "[channel_limits], "
        "[channel "
        "PATTERN] "
        "and [route PATTERN]\n"
        "--set: the = is missing; write it as SECTION.KEY=VALUE, like server.workers=16 or 'route "
        "/echo.handler=echo'\n"
        "DIR/main.ini:23: channel: only a route with handler = relay may have a channel; this route has handler = "
        "\"echo\"\n"
        "DIR/main.ini:21: unknown key \"x\" in [route PATTERN]; `weir check --list` shows every key\n"
        "DIR/main.ini:22: unknown key \"y\" in [route PATTERN]; `weir check --list` shows every key\n"
        "DIR/main.ini:30: the route has no handler; write handler = echo, broadcast, relay, pubsub or "
        "plugin:PATH\n"
        "DIR/main.ini:37: token_file: \"DIR/none.such\" cannot be read: No such file or directory\n";
    char path[200], *text = NULL, *environment[] = {"WEIR_SERVER_WORKRS=3", "WEIR_LOG_BUFFER=1", NULL};
    char *settings[] = {"x.y=1", "workers"};
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct config_errors errors = {.report = collect, .context = out};
    config_folder_write("main.ini", file);
    config_folder_write("a.ini", "[server]\nworkers = 0\n");
    snprintf(path, sizeof path, "%s/main.ini", config_folder);
    const struct config_sources sources = {path, environment, settings, COUNT(settings)};
    struct config *config = config_build_all(&sources, &errors);
    fclose(out);
    ck_assert_str_eq(text, expected);
    ck_assert_uint_eq(errors.count, 26);
    ck_assert_uint_eq(config->server.http_threads, 7);
    free(text);
    config_destroy(config);
}
END_TEST

/* Each option's default is accepted from its variable and from --set. */
START_TEST(config_option_has_a_variable_and_a_setting) {
    char error[CONFIG_ERROR_SIZE], variable[200], setting[200];
    for (const struct option *option = options; !option_section_has_pattern(option->section); option++) {
        snprintf(variable, sizeof variable, "WEIR_%s_%s", option->section, option->name);
        for (char *at = variable; *at != '\0'; at++)
            *at = (char)toupper((unsigned char)*at);
        size_t size = strlen(variable);
        snprintf(variable + size, sizeof variable - size, "=%s", option->default_value);
        snprintf(setting, sizeof setting, "%s.%s=%s", option->section, option->name, option->default_value);
        const struct given both[] = {{NULL, {variable}, {NULL}, NULL}, {NULL, {NULL}, {setting}, NULL}};
        for (int i = 0; i < COUNT(both); i++) {
            struct config *config = build(&both[i], error);
            ck_assert_msg(config != NULL, "%s", error);
            const char *name = i == 0 ? variable : "--set ";
            ck_assert_msg(config->locations[option - options].source != NULL, "%s", variable);
            ck_assert_int_eq(strncmp(config->locations[option - options].source, name, i == 0 ? size : 6), 0);
            config_destroy(config);
        }
    }
}
END_TEST

/* The file has changed; the environment and the command line have not. */
START_TEST(config_rebuild_uses_the_same_sources) {
    char error[CONFIG_ERROR_SIZE];
    struct given given = {FILE_TEXT, {"WEIR_SERVER_HTTP_THREADS=3"}, {"log.level=debug"}, NULL};
    struct config *before = build(&given, error);
    given.file = "[server]\nworkers = 5\nhttp_threads = 7\n";
    struct config *after = build(&given, error);
    ck_assert(before != NULL && after != NULL);
    ck_assert_uint_eq(before->server.workers, 2);
    ck_assert_uint_eq(after->server.workers, 5);
    ck_assert_uint_eq(after->server.http_threads, 3);
    ck_assert_int_eq(after->log.level, CONFIG_LOG_DEBUG);
    config_destroy(before);
    config_destroy(after);
}
END_TEST

TCase *config_sources_tcase(void) {
    TCase *sources = tcase_create("sources");
    tcase_add_checked_fixture(sources, config_folder_make, config_folder_remove);
    tcase_add_loop_test(sources, config_later_source_wins, 0, COUNT(right));
    tcase_add_loop_test(sources, config_errors_name_their_source, 0, COUNT(wrong));
    tcase_add_test(sources, config_ignores_variables_of_kubernetes_services);
    tcase_add_test(sources, config_refuses_variables_that_resemble_services);
    tcase_add_test(sources, config_option_has_a_variable_and_a_setting);
    tcase_add_test(sources, config_reports_every_error_once);
    tcase_add_test(sources, config_rebuild_uses_the_same_sources);
    return sources;
}
