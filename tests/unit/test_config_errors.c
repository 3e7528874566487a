/* test_config_errors.c - invalid ini files: each error has its line and a remedy.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/config_text.h"

#define ROUTE   "[route /x]\nhandler = echo\n"
#define ROOM    "[route /room/{name}/{x}/*]\nhandler = relay\n"
#define CHANNEL "[channel news:*]\nhistory = 1\n"

static const char *const errors[][2] = {
    /* lines */
    {"[server]\nworkers 8\n", "2: \"workers 8\" is neither `[section]` nor `key = value`"},
    {"[server]\n  workers\r\n", "2: \"workers\" is neither `[section]` nor `key = value`"},
    {"[log]\n\n# x\n  = info", "4: \"= info\" has no key before the ="},
    {"workers = 8\n", "1: \"workers\" stands before the first [section]; only include may stand there"},
    {"\xEF\xBB\xBF# x\n\nx\n[server]", "3: \"x\" is neither `[section]` nor `key = value`"},
    {"[server]\nwork!ers = 8\n", "2: \"work!ers\" contains a character that is not allowed in a key"},
    {"[log]\n\tlevel\t=\tinfo\nle\tvel = info\n",
     "3: \"le\tvel\" contains a character that is not allowed in a key"},
    {"[server]\n# !\n\nw\xc3\xb6rkers=8",
     "4: \"w\xc3\xb6rkers\" contains a character that is not allowed in a key"},
    {"[server]\nworkers = 8\n[log]\nlevel = caf\xe9\n", "4: the line is not UTF-8 text"},
    {"\xFF\xFE[\0s\0]\0", "1: the line is not UTF-8 text"},
    {"[server]\n# \x1b[2J\n", "2: the line contains a control character"},
    {"[server]\rworkers = 8\r", "1: the line contains a control character"},
    {"inclued = x\n", "1: unknown key \"inclued\"; did you mean include?"},
    /* sections */
    {"[server\n", "1: the section header has no closing ]; write it like [server]"},
    {"\n[", "2: the section header has no closing ]; write it like [server]"},
    {"[]\n", "1: the section header is empty; write it like [server]"},
    {"[   ]\n", "1: the section header is empty; write it like [server]"},
    {"[server] # x\n", "1: there is text after the ] of the section header; put a comment on a line of its own"},
    {"[sever]\n", "1: unknown section \"sever\"; did you mean [server]?"},
    {"[Server]\n", "1: unknown section \"Server\"; did you mean [server]?"},
    {"[server x]\n", "1: unknown section \"server x\"; did you mean [server]?"},
    {"[routes /x]\n", "1: unknown section \"routes /x\"; did you mean [route PATTERN]?"},
    {"[default]\n",
     "1: unknown section \"default\"; the sections are [server], [websocket], [log], [admin], [channel_limits], "
     "[channel PATTERN] and [route PATTERN]"},
    {"[channels news:*]\n", "1: unknown section \"channels news:*\"; did you mean [channel PATTERN]?"},
    {"[Channel news:*]\n", "1: unknown section \"Channel news:*\"; did you mean [channel PATTERN]?"},
    {"[channels]\nmax_channels = 5\n", "1: [channels] is now called [channel_limits]"},
    {"[chanels]\n", "1: unknown section \"chanels\"; did you mean [channel PATTERN]?"},
    {"[log]\n[server]\n[log]\n", "3: [log] appears a second time; put all its keys under the first"},
    /* keys */
    {"[server]\nhandshakes_per_ip = 8\n", "2: handshakes_per_ip is now called max_half_open_per_ip"},
    {"[server]\nupgrades_per_ip = 8\n", "2: upgrades_per_ip is now called handshake_rate_per_ip"},
    {"[server]\nwake_after = 8\n", "2: wake_after is now called wake_threshold"},
    {"[route /x]\nhandler = pubsub\nchannels = a\n", "3: channels is now called allowed_channels"},
    {"[route /x]\nhandler = channel\nchannel = a\n", "2: handler: the handler channel is now called relay"},
    {"[route /x]\nhandler = channels\n", "2: handler: the handler channels is now called pubsub"},
    {"[server]\nworker = 8\n", "2: unknown key \"worker\" in [server]; did you mean workers?"},
    {"[server]\nWorkers = 8\n", "2: unknown key \"Workers\" in [server]; did you mean workers?"},
    {"[server]\nmax_message_size = 8\n", "2: max_message_size belongs in [websocket], not in [server]"},
    {"[log]\necho_self = no\n", "2: echo_self belongs in [route PATTERN], not in [log]"},
    {"[log]\nhandshake_time = 1s\n",
     "2: unknown key \"handshake_time\" in [log]; did you mean handshake_timeout, which belongs in [websocket]?"},
    {"[log]\ncolour = red\n", "2: unknown key \"colour\" in [log]; `weir check --list` shows every key"},
    {"[log]\nlevel = info\n\nlevel = info\n",
     "4: \"level\" is set twice in this section; remove one of the two lines"},
    /* values */
    {"[server]\nworkers = many\n", "2: workers: \"many\" is not a number; write it in digits, like 8"},
    {"[server]\nworkers =\n", "2: workers: \"\" is not a number; write it in digits, like 8"},
    {"[server]\nworkers = 0\n", "2: workers: \"0\" is out of range; it must be from 1 to 1024"},
    {"[server]\nworkers = 1025\n", "2: workers: \"1025\" is out of range; it must be from 1 to 1024"},
    {"[server]\nworkers = 99999999999999999999\n", "2: workers: \"99999999999999999999\" is too large"},
    {"[server]\nworkers = 8 # cores\n",
     "2: workers: \"8 # cores\" is not a number; write it in digits, like 8 (put a "
     "comment on a line of its own)"},
    {"[server]\ndrain_timeout = 20 sec\n",
     "2: drain_timeout: \"20 sec\" is not a duration; write it like 500ms, 20s or 5m"},
    {"[server]\ndrain_timeout = 25h\n", "2: drain_timeout: \"25h\" is out of range; it must be from 0 to 24h"},
    {"[websocket]\nclose_timeout = 0\n", "2: close_timeout: \"0\" is out of range; it must be from 1ms to 1h"},
    {"[websocket]\nmax_message_size = 2GiB\n",
     "2: max_message_size: \"2GiB\" is out of range; it must be from 1 to 1GiB"},
    {"[server]\nunknown_route = open\n", "2: unknown_route: \"open\" is not one of close, 404"},
    {"[log]\nlevel = trace\n", "2: level: \"trace\" is not one of error, warning, info, debug"},
    {"[server]\nlisten = 9000, localhost:80\n",
     "2: listen: \"localhost:80\" is not an address to listen on; write it "
     "like 127.0.0.1:9000, [::1]:9000 or 9000"},
    {"[server]\nlisten = 127.0.0.1:65536\n", "2: listen: \"127.0.0.1:65536\" has a port above 65535"},
    {"[server]\nlisten = 9000, 0.0.0.0:9000\n", "2: listen: \"0.0.0.0:9000\" is in the list twice"},
    {"[server]\nlisten = 9000,\n", "2: listen: \"9000,\" has an empty item; write it like a, b, c"},
    {"[server]\ntrusted_proxies = 10.0.0.0/8, 10.0.0.0/33\n",
     "2: trusted_proxies: \"10.0.0.0/33\" is not a network; write it like 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32"},
    {"[server]\ntrusted_proxies = 10.0.0.1/8\n",
     "2: trusted_proxies: \"10.0.0.1/8\" is not a network; write it like 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32"},
    {"[server]\ntrusted_proxies = proxy.example.com\n",
     "2: trusted_proxies: \"proxy.example.com\" is not a network; write it like 10.0.0.0/8, 192.0.2.7 or "
     "2001:db8::/32"},
    {"[server]\ntrusted_proxies = ::1, ::1\n", "2: trusted_proxies: \"::1\" is in the list twice"},
    {"[server]\ntrusted_proxies = none, ::1\n", "2: trusted_proxies: \"none\" must be the only item"},
    {"[server]\ntrusted_proxies = ::1, none\n", "2: trusted_proxies: \"none\" must be the only item"},
    /* channels */
    {"[channel_limits]\nmax_channels = 0\n",
     "2: max_channels: \"0\" is out of range; it must be from 1 to 10000000"},
    {"[channel_limits]\nmax_channels_per_connection = 100001\n",
     "2: max_channels_per_connection: \"100001\" is out of range; it must be from 1 to 100000"},
    {"[channel_limits]\nhistory_memory = 1025GiB\n",
     "2: history_memory: \"1025GiB\" is out of range; it must be from 0 to 1024GiB"},
    {"[channel_limits]\nhistory = 5\n", "2: history belongs in [channel PATTERN], not in [channel_limits]"},
    {"[channel]\n", "1: the channel has no pattern; write it like [channel news:*]"},
    {"[log]\n[channel a*b]\n", "2: \"a*b\" has a * that is not at its end; write it like news:*"},
    {"[channel the news]\n", "1: \"the news\" is not a channel pattern; write letters, digits and "
                             "_-.:@/+~ alone, and a * at the end"},
    {CHANNEL CHANNEL, "3: the channel \"news:*\" is already defined on line 1"},
    {CHANNEL "histroy = 2\n", "3: unknown key \"histroy\" in [channel PATTERN]; did you mean history?"},
    {"[channel x]\nHistory = 2\n", "2: unknown key \"History\" in [channel PATTERN]; did you mean history?"},
    {CHANNEL "colour = red\n",
     "3: unknown key \"colour\" in [channel PATTERN]; `weir check --list` shows every key"},
    {CHANNEL "max_channels = 1\n", "3: max_channels belongs in [channel_limits], not in [channel PATTERN]"},
    {CHANNEL "history = 1\n", "3: \"history\" is set twice in this section; remove one of the two lines"},
    {"[channel x]\nhistory = 1000001\n", "2: history: \"1000001\" is out of range; it must be from 0 to 1000000"},
    {CHANNEL "history_age = 721h\n", "3: history_age: \"721h\" is out of range; it must be from 0 to 720h"},
    {CHANNEL "max_subscribers = 10000001\n",
     "3: max_subscribers: \"10000001\" is out of range; it must be from 0 to 10000000"},
    {CHANNEL "presence = maybe\n", "3: presence: \"maybe\" is neither yes nor no"},
    /* channels in routes */
    {"[route /x]\nhandler = relay\n", "2: handler: the route has no channel; write channel = NAME, in which "
                                      "{parameters} of the route may stand, like room:{name}"},
    {"[route /x]\nchannel = none\nhandler = relay\n", "3: handler: the route has no channel; write channel = "
                                                      "NAME, in which {parameters} of the route may stand, like "
                                                      "room:{name}"},
    {ROUTE "channel = lobby\n",
     "3: channel: only a route with handler = relay may have a channel; this route has handler = \"echo\""},
    {"[route /x]\nchannel = lobby\nhandler = pubsub\n",
     "2: channel: only a route with handler = relay may have a channel; this route has handler = \"pubsub\""},
    {ROOM "channel =\n", "3: channel: \"\" is not a channel; write it like room:{name}"},
    {ROOM "channel = room:{name\n",
     "3: channel: \"room:{name\" has a { without a parameter's name and a } after it; "
     "write it like room:{name}"},
    {ROOM "channel = room:*\n", "3: channel: \"room:*\" is not a channel; write letters, digits, _-.:@/+~ and "
                                "{parameters} alone, like room:{name}"},
    {ROOM "channel = lobby # all\n", "3: channel: \"lobby # all\" is not a channel; write letters, digits, "
                                     "_-.:@/+~ and {parameters} alone, like "
                                     "room:{name} (put a comment on a line of its own)"},
    {ROOM "channel = {name}:{nam}\n",
     "3: channel: {nam} is not a parameter of the route \"/room/{name}/{x}/*\"; it has {name}, {x}, {*}"},
    {"[route /x*/ab]\nhandler = relay\nchannel = {*}\n",
     "3: channel: {*} is not a parameter of the route \"/x*/ab\"; it has none"},
    {ROOM "channel = x\nallowed_channels = a, the news\n",
     "4: allowed_channels: \"the news\" is not a channel pattern; write letters, digits and _-.:@/+~ alone, and a "
     "* "
     "at "
     "the end"},
    {ROOM "channel = x\nallowed_channels = a*, a*\n", "4: allowed_channels: \"a*\" is in the list twice"},
    {ROOM "channel = x\nallowed_channels = a*,\n",
     "4: allowed_channels: \"a*,\" has an empty item; write it like a, b, c"},
    {ROUTE "publish = maybe\n", "3: publish: \"maybe\" is neither yes nor no"},
    /* routes */
    {"[route]\n", "1: the route has no pattern; write it like [route /chat]"},
    {ROUTE "[route  /x]\nhandler = echo\n", "3: the route \"/x\" is already defined on line 1"},
    {"[route /x]\n", "1: the route has no handler; write handler = echo, broadcast, relay, pubsub or plugin:PATH"},
    {"\n[route /x]\nconcurrency = 1\n"
     "[server]\nworkers=1",
     "2: the route has no handler; write handler = echo, broadcast, relay, pubsub or plugin:PATH"},
    {"[route /x]\nhandler = ehco\n",
     "2: handler: \"ehco\" is not a handler; write echo, broadcast, relay, pubsub or plugin:PATH"},
    {"[route /x]\nhandler = plugin:\n",
     "2: handler: \"plugin:\" is not a handler; write echo, broadcast, relay, pubsub or plugin:PATH"},
    {ROUTE "echo_self = maybe\n", "3: echo_self: \"maybe\" is neither yes nor no"},
    {ROUTE "concurrency = 1025\n", "3: concurrency: \"1025\" is out of range; it must be from 0 to 1024"},
    {"[route /x]\nhandler = plugin:x.so\nSubprotocols = chat\n",
     "3: unknown key \"Subprotocols\" in [route PATTERN]; did you mean subprotocols?"},
    {ROUTE "echoself = no\n", "3: unknown key \"echoself\" in [route PATTERN]; did you mean echo_self?"},
    {"[route /x]\ndelay = 2s\nhandler = echo\n[log]\nlevel = debug\n",
     "2: unknown key \"delay\" in [route PATTERN]; `weir check --list` shows every key"},
    {ROUTE "workers = 2\n", "3: workers belongs in [server], not in [route PATTERN]"},
};

static void expect_error(const char *bytes, size_t size, const char *expected) {
    char error[CONFIG_ERROR_SIZE], full[CONFIG_ERROR_SIZE];
    struct config *config = config_create();
    ck_assert_int_eq(config_load_bytes(config, bytes, size, error), -1);
    snprintf(full, sizeof full, "FILE:%s", expected);
    ck_assert_str_eq(error, full);
    ck_assert_uint_eq(config->route_count + config->channel_rule_count, 0);
    config_destroy(config);
}

START_TEST(config_errors_name_the_line_and_a_remedy) {
    expect_error(errors[_i][0], strlen(errors[_i][0]), errors[_i][1]);
}
END_TEST

START_TEST(config_file_with_a_zero_byte_is_refused) {
    static const char bytes[] = "[log]\nlevel = info\0debug\n";
    expect_error(bytes, sizeof bytes - 1, "2: the line contains a control character");
}
END_TEST

START_TEST(config_file_bounds_are_enforced) {
    enum { MUCH = (1 << 20) + 1 };
    char *text = malloc(MUCH), *at = text;
    ck_assert_ptr_nonnull(text);
    at += sprintf(at, "[route /x]\n");
    memset(at, 'k', 5000);
    strcpy(at + 5000, " = 1\n");
    char error[CONFIG_ERROR_SIZE];
    snprintf(error, sizeof error, "2: \"%.60s...\" is too long for a key", at);
    expect_error(text, strlen(text), error);

    for (int i = 0; i < 1001; i++)
        at += sprintf(at, "key%d = 1\n", i);
    expect_error(text, strlen(text), "1002: the section has more than 1000 keys");

    at = text;
    for (int i = 0; i <= CONFIG_ROUTES_MAX; i++)
        at += sprintf(at, "[route /%d]\nhandler=echo\n", i);
    expect_error(text, strlen(text), "8193: too many routes");

    at = text;
    for (int i = 0; i <= CONFIG_CHANNEL_RULES_MAX; i++)
        at += sprintf(at, "[channel %d]\n", i);
    expect_error(text, strlen(text), "4097: too many channels");

    at = text + sprintf(text, "[server]\nlisten = 1");
    for (int i = 2; i <= 65; i++)
        at += sprintf(at, ", %d", i);
    expect_error(text, strlen(text), "2: listen: \"65\" is one item too many");

    memset(text, '\n', MUCH);
    struct config *config = config_loaded(text, MUCH - 1);
    config_destroy(config);
    expect_error(text, MUCH, " the file is larger than 1048576 bytes, the limit for a configuration");
    free(text);
}
END_TEST

START_TEST(config_file_that_cannot_be_read_is_reported) {
    static const char *const paths[][2] = {
        {"/tmp/weir/no/such.ini", "/tmp/weir/no/such.ini: No such file or directory"},
        {"", ": No such file or directory"},
        {"/tmp", "/tmp: Is a directory"},
        {"/dev/null/x", "/dev/null/x: Not a directory"},
        {"/dev/zero", "/dev/zero: the file is larger than 1048576 bytes, the limit for a configuration"},
    };
    for (int i = 0; i < COUNT(paths); i++) {
        char error[CONFIG_ERROR_SIZE];
        struct config *config = config_create();
        ck_assert_int_eq(config_load(config, paths[i][0], error, sizeof error), -1);
        ck_assert_str_eq(error, paths[i][1]);
        config_destroy(config);
    }
}
END_TEST

/* Every prefix of a file that has everything: none crashes, and each error is one line with its place. */
START_TEST(config_file_cut_anywhere_yields_one_line_errors) {
    for (size_t size = 0; size <= strlen(config_whole_file); size++) {
        char error[CONFIG_ERROR_SIZE];
        struct config *config = config_create();
        if (config_load_bytes(config, config_whole_file, size, error) != 0) {
            ck_assert_int_eq(strncmp(error, "FILE:", 5), 0);
            ck_assert_ptr_null(strchr(error, '\n'));
            ck_assert_uint_eq(config->route_count + config->channel_rule_count, 0);
        }
        config_destroy(config);
    }
}
END_TEST

TCase *config_errors_tcase(void) {
    TCase *wrong = tcase_create("errors");
    tcase_add_loop_test(wrong, config_errors_name_the_line_and_a_remedy, 0, COUNT(errors));
    tcase_add_test(wrong, config_file_with_a_zero_byte_is_refused);
    tcase_add_test(wrong, config_file_bounds_are_enforced);
    tcase_add_test(wrong, config_file_that_cannot_be_read_is_reported);
    tcase_add_test(wrong, config_file_cut_anywhere_yields_one_line_errors);
    return wrong;
}
