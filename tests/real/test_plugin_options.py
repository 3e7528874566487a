"""test_plugin_options - the options that a plug-in declares: wrong declarations, secrets that are never shown, values
from the environment.

SPDX-License-Identifier: MIT
"""

import os
import signal
import unittest
import unittest.mock

from admin_server import WithAdmin
from config_case import ConfigTestCase
from plugin_build import compile_plugin
from raw_client import TEXT, RawClient, frame
from weir_process import ROOT, run_weir, until

SECRET = "S3cret-Not-To-Be-Seen"
OTHER = "0ther-Not-To-Be-Seen"

# Answers with the options that it was started with.
SOURCE = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/weir.h>
static int start(weir_server *server, const weir_options *options, void **context, char *error, size_t size) {
    (void)server, (void)error, (void)size;
    const char *password = weir_option_text(options, "password"), *note = weir_option_text(options, "note");
    char *text = malloc(3000);
    snprintf(text, 3000, "%%s %%s %%llu", password == NULL ? "(none)" : password, note == NULL ? "(none)" : note,
             (unsigned long long)weir_option_number(options, "max-delay"));
    *context = text;
    return 0;
}
static void answer(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)opcode, (void)data, (void)size;
    weir_conn_send(conn, WEIR_TEXT, context, strlen(context));
}
static const struct weir_handler handler = {WEIR_HANDLER_INIT, .message = answer};
static const struct weir_option options[] = {%s {NULL, 0, NULL, NULL}};
const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "shows", .handler = &handler,
                                        .options = options, .start = start, .stop = free};
"""
SHOWS = """{"password", WEIR_OPTION_SECRET, NULL, "a secret"}, {"note", WEIR_OPTION_TEXT, NULL, "a text"},
           {"max-delay", WEIR_OPTION_DURATION, "2s", "a duration"},"""


class PluginTestCase(ConfigTestCase):
    def compile(self, declared=SHOWS):
        return compile_plugin("shows", self.directory, text=SOURCE % declared)

    def route(self, more=""):
        return f"{self.listen}[route /x/{{y}}]\nhandler = plugin:{self.compile()}\n{more}"


class Declared(PluginTestCase):
    CASES = {  # option: what is wrong
        '{"delay", WEIR_OPTION_DURATION, "fast", ""}': 'its default "fast" is not a duration',
        '{"delay", WEIR_OPTION_INTEGER, "-1", ""}': 'its default "-1" is not a number',
        '{"delay", WEIR_OPTION_BOOLEAN, "maybe", ""}': 'its default "maybe" is neither yes nor no',
        '{"delay", WEIR_OPTION_SIZE, "", ""}': 'its default "" is not a size',
        '{"delay", WEIR_OPTION_TEXT, "a\\n[server]", ""}': "contains a control character",
        '{"handler", WEIR_OPTION_TEXT, "", ""}': "each route has a key of this name",
        '{"Origins", WEIR_OPTION_TEXT, "", ""}': "each route has a key of this name",
        '{"", WEIR_OPTION_TEXT, "", ""}': "its name must have 1 to 64 letters",
        '{"a\\nb", WEIR_OPTION_TEXT, "", ""}': "its name must have 1 to 64 letters",
        '{"a b", WEIR_OPTION_TEXT, "", ""}': "its name must have 1 to 64 letters",
        '{"a=b", WEIR_OPTION_TEXT, "", ""}': "its name must have 1 to 64 letters",
        '{"delay", 77, "", ""}': "this weir does not know its type",
        '{"a", WEIR_OPTION_TEXT, "", ""}, {"A", WEIR_OPTION_TEXT, "", ""}': 'it cannot be told from "a"',
        '{"key", WEIR_OPTION_SECRET, 0, ""}, {"key_file", WEIR_OPTION_TEXT, "", ""}': 'it cannot be told from "key"',
        f'{{"key", WEIR_OPTION_SECRET, "{SECRET}\\x01", ""}}': "its default contains a control character",
    }

    def test_wrong_declarations_are_refused_at_load(self):
        for declared, why in self.CASES.items():
            with self.subTest(declared):
                plugin = self.compile(declared + ",")
                text = f"{self.listen}[route /x]\nhandler = plugin:{plugin}\n"
                self.assertWrong(text, f"handler: {plugin} declares its option ", why, line=4)
                self.assertNotIn(SECRET, run_weir("check", "-c", self.write(text)).stderr)

    def test_every_wrong_declaration_is_reported(self):
        plugin = self.compile('{"handler", WEIR_OPTION_TEXT, "", ""}, {"a", WEIR_OPTION_SIZE, "x", ""},')
        done = run_weir("check", "-c", self.write(f"[route /x]\nhandler = plugin:{plugin}\nhandle = 1\n"))
        self.assertEqual(len(done.stderr.splitlines()), 3, done.stderr)


class Secrets(PluginTestCase):
    def assertHidden(self, arguments, environment={}, shown=()):
        done = run_weir("check", *arguments, **environment)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertNotIn(SECRET, done.stdout)
        for part in shown:
            self.assertIn(part, done.stdout)

    def test_check_never_shows_a_secret(self):
        file = self.write(self.route(f"password = {SECRET}\n"))
        self.assertHidden(["-c", file], shown=[f"\n# password is set, not shown; from {file}:5\n"])
        file = self.write(self.route())
        self.assertHidden(["-c", file, "--set", f"route /x/{{y}}.password={SECRET}"],
                          shown=["\n# password is set, not shown; from --set route /x/{y}.password\n"])
        self.assertHidden(["-c", file], {"WEIR_ROUTE_X_Y_PASSWORD": SECRET},
                          ["\n# password is set, not shown; from WEIR_ROUTE_X_Y_PASSWORD\n"])
        self.assertHidden(["-c", self.write(self.route("password = none\n"))], shown=["\npassword = none\n"])

    def test_errors_never_show_a_secret(self):
        other = f"[route /other]\nhandler = echo\npassword = {SECRET}\n"
        for text in (self.route(f"password = {SECRET}\npassword = {SECRET}\n"), self.route(f"passwrd = {SECRET}\n"),
                     self.route(f"max-delay = 1s\npassword = {SECRET}\nnot = {OTHER}\n"), self.route() + other,
                     self.route("password =\n")):
            done = run_weir("check", "-c", self.write(text))
            self.assertEqual(done.returncode, 2)
            self.assertNotIn(SECRET, done.stderr)

    def test_secret_can_be_read_from_a_private_file(self):
        secret = self.directory / "secret"
        secret.write_text(SECRET + "\n")
        secret.chmod(0o600)
        file = self.write(self.route("password_file = secret\n"))
        self.assertHidden(["-c", file], shown=[f"\npassword_file = {secret}\n"])
        secret.chmod(0o644)
        self.assertWrong(self.route("password_file = secret\n"), f'password_file: "{secret}" can be accessed by other users',
                         "chmod 600", line=5)
        secret.chmod(0o600)
        secret.write_text("")
        self.assertWrong(self.route("password_file = secret\n"), "is empty; it must have one line of 1 to 1024", line=5)
        self.assertWrong(self.route("password_file = none.such\n"), "No such file", line=5)
        secret.write_text(SECRET)
        self.assertWrong(self.route("password = x\npassword_file = secret\n"),
                         f"password_file: password is also set, by {file}; set only one of the two", line=6)
        file = self.write(self.route("password = x\n"))
        relative = os.path.relpath(secret, ROOT)
        self.assertHidden(["-c", file, "--set", "route /x/{y}.password=none"],
                          {"WEIR_ROUTE_X_Y_PASSWORD_FILE": relative}, [f"\npassword_file = {ROOT}/{relative}\n"])


class Serving(PluginTestCase):
    """A server with the route, its log and its admin API."""

    def ask(self, weir):
        with RawClient(weir.port, "/x/1") as client:
            client.send(frame(TEXT, b"?"))
            return client.frame().payload.decode()

    def start(self, more="", environment={}):
        configuration = ("[server]\nlisten = 127.0.0.1:PORT\n[admin]\nlisten = 127.0.0.1:ADMIN\n[log]\nlevel = debug\n"
                         f"[route /x/{{y}}]\nhandler = plugin:{self.compile()}\n{more}")
        with unittest.mock.patch.dict(os.environ, environment):
            return WithAdmin(configuration)

    def test_option_values_come_from_file_and_environment(self):
        secret = self.directory / "secret"
        secret.write_text(OTHER)
        secret.chmod(0o600)
        for more, environment, answer in (
            ("", {}, "(none) (none) 2000"),
            (f"password = {SECRET}\nnote = a b\nmax-delay = 5s\n", {}, f"{SECRET} a b 5000"),
            (f"password_file = {secret}\n", {}, f"{OTHER} (none) 2000"),
            (f"password = {SECRET}\nnote = a\n", {"WEIR_ROUTE_X_Y_NOTE": "b", "WEIR_ROUTE_X_Y_PASSWORD": OTHER},
             f"{OTHER} b 2000"),
            ("password = none\n", {"WEIR_ROUTE_X_Y_PASSWORD_FILE": str(secret)}, f"{OTHER} (none) 2000"),
        ):
            with self.start(more, environment) as weir:
                self.assertEqual(self.ask(weir), answer)

    def test_new_secret_takes_effect_at_a_reload(self):
        secret = self.directory / "secret"
        secret.write_text(SECRET)
        secret.chmod(0o600)
        with self.start(f"password_file = {secret}\n") as weir:
            self.assertIn(SECRET, self.ask(weir))
            secret.write_text(OTHER)
            weir.process.send_signal(signal.SIGHUP)
            until(lambda: OTHER in self.ask(weir), "the new secret")
            reload = weir.log_line("event=reload", "done=yes")
            weir.process.send_signal(signal.SIGHUP)  # nothing has changed now
            until(lambda: weir.log().count("done=yes") == 2, "a second reload")
            self.assertIn("routes=1", reload)
            for path in ("/metrics", "/api/connections", "/api/channels"):
                self.assertNotIn(OTHER, str(weir.ask("GET", path)))
            log = weir.log()
        self.assertNotIn(SECRET, log)
        self.assertNotIn(OTHER, log)

    def test_reload_does_not_need_the_file_of_a_loaded_plugin(self):
        with self.start("note = a\n") as weir:
            (self.directory / "shows.so").unlink()
            weir.process.send_signal(signal.SIGHUP)
            self.assertIn("done=yes", weir.log_line("event=reload", "done="))
            self.assertEqual(self.ask(weir), "(none) a 2000")


if __name__ == "__main__":
    unittest.main()
