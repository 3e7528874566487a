"""test_config - the command line and the configuration as a user sees them: each error is one line with the file and
the line number, and nothing is started.

SPDX-License-Identifier: MIT
"""

import re
import socket
import subprocess
import unittest
from pathlib import Path

from config_case import ROUTE, ConfigTestCase, values
from raw_client import TEXT, RawClient, frame
from weir_process import EXAMPLES, PATIENCE, ROOT, WEIR, Weir, free_port, run_weir

CHANNEL = "[channel news:*]\nhistory = 5\n"
WRONG_ABI = 'const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI + 1, .name = "x", .handler = &handler};'
REFUSES = """
#include <stdio.h>
static int start(weir_server *server, const weir_options *options, void **context, char *error, size_t size) {
    (void)server, (void)options, (void)context;
    snprintf(error, size, "the lamp is broken");
    return -1;
}
const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "x", .handler = &handler, .start = start};
"""
NO_SYMBOL = "const void *used = &handler;"


def namespace_command():
    """The command that runs another one in a new mount namespace, or [] where that is not allowed."""
    for options in ("-m", "-rm"):
        command = ["unshare", options]
        if subprocess.run([*command, "mount", "-t", "tmpfs", "none", "/etc"], capture_output=True).returncode == 0:
            return command
    return []


IN_NAMESPACE = namespace_command()


class CommandLine(ConfigTestCase):
    def test_help_exits_with_0(self):
        for arguments in (["--help"], ["serve", "--help"], ["check", "--help"]):
            with self.subTest(arguments=arguments):
                done = run_weir(*arguments)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn("weir", done.stdout)
        for command in ("serve", "check"):
            self.assertIn(command, run_weir("--help").stdout)

    def test_version_is_that_of_the_header(self):
        header = (ROOT / "include/weir/version.h").read_text()
        version = re.search('WEIR_VERSION +"(.*)"', header).group(1)
        done = run_weir("--version")
        self.assertEqual(done.returncode, 0)
        self.assertIn(version, done.stdout)

    def test_usage_errors_are_one_line(self):
        self.assertOneLine(run_weir("sevre"), "sevre")
        self.assertOneLine(run_weir("serve", "--wrokers"), "--wrokers")
        self.assertOneLine(run_weir("check", "--wrong"), "--wrong")
        self.assertOneLine(run_weir("serve", "-c"), "argument")
        self.assertOneLine(run_weir("serve", "surplus"), "surplus")


class Check(ConfigTestCase):
    def test_check_prints_the_default_configuration(self):
        done = run_weir("check", "-c", ROOT / "conf/weir.ini")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for part in ("[server]", "0.0.0.0:9000", "[websocket]", "[log]", "[route /echo]", "[route /broadcast]",
                     "[route /room/{name}]", "[route /channels]"):
            self.assertIn(part, done.stdout)

    def test_check_without_a_file_takes_the_default_one(self):
        self.assertEqual(run_weir("check").stdout, run_weir("check", "-c", "conf/weir.ini").stdout)

    def test_check_accepts_the_tutorial_configuration(self):
        text = (ROOT / "conf/tutorial.ini").read_text().replace("../build/examples", str(EXAMPLES))
        done = run_weir("check", "-c", self.write(text))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for pattern in ("/", "/light/{status}", "/distribute", "/command"):
            self.assertIn(f"[route {pattern}]", done.stdout)

    def test_check_shows_subprotocols_of_pubsub_routes(self):
        route = "[route /a]\nhandler = pubsub\n"
        for text, spoken in ((ROUTE, "none"), (route, "weir.v1"), (route + "subprotocols = chat.v2, weir.v1\n", "chat.v2, weir.v1")):
            done = run_weir("check", "-c", self.write(self.listen + text))
            self.assertEqual(done.returncode, 0)
            self.assertIn(f"\nsubprotocols = {spoken}\n", done.stdout)

    def test_check_output_loads_to_the_same(self):
        text = f"{self.listen}workers = 3\ndrain_timeout = 1500ms\n{ROUTE}"
        text += f"[route /light/{{status}}]\nhandler = plugin:{EXAMPLES}/light.so\ndelay = 70s\n"
        first = run_weir("check", "-c", self.write(text))
        self.assertEqual((first.returncode, first.stderr), (0, ""))
        for line in ("workers = 3", "drain_timeout = 1500ms", "delay = 70s"):
            self.assertIn(line, first.stdout)
        second = run_weir("check", "-c", self.write(first.stdout))
        self.assertEqual((second.returncode, second.stderr), (0, ""))
        self.assertEqual(values(second.stdout), values(first.stdout))

    def test_check_quiet_prints_ok_or_the_error(self):
        for option in ("-q", "--quiet"):
            done = run_weir("check", option, "-c", self.write(self.listen + ROUTE))
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "ok\n", ""))
        done = run_weir("check", "-q", "-c", self.write(self.listen + "workers = x\n" + ROUTE))
        self.assertOneLine(done, "workers")
        self.assertOneLine(run_weir("serve", "--quiet"), "quiet")

    def test_systemd_unit_checks_quietly(self):
        unit = (ROOT / "conf/weir.service").read_text()
        self.assertIn("ExecStartPre=/usr/local/bin/weir check -q -c /etc/weir/weir.ini\n", unit)

    def test_configuration_without_routes_gets_a_warning(self):
        file = self.write(self.listen)
        done = run_weir("check", "-c", file)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stderr,
                         f"{file}: warning: no [route PATTERN] is configured, so no client can connect\n")
        done = run_weir("check", "-c", file, "--set", "route /x.handler=echo")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with Weir("[server]\nlisten = 127.0.0.1:PORT\n") as weir:
            self.assertIn("level=warning", weir.log_line("event=no_routes"))

    def test_check_leaves_out_options_without_effect(self):
        done = run_weir("check", "-c", self.write(self.listen + "[websocket]\ncompression = off\n" + ROUTE))
        for key in ("channels", "channel", "publish", "echo_self", "concurrency", "compression_threshold"):
            self.assertNotIn(f"\n{key} = ", done.stdout)

    def test_check_list_has_the_options(self):
        done = run_weir("check", "--list")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for name in ("listen", "workers", "drain_timeout", "max_message_size", "level", "handler", "concurrency",
                     "[channel_limits]", "max_channels", "[channel PATTERN]", "history_age"):
            self.assertIn(name, done.stdout)


class DefaultFile(ConfigTestCase):
    """./conf/weir.ini, else /etc/weir/weir.ini, which is created in a new mount namespace."""

    WITH_ETC = """
        mount -t tmpfs none /etc && mkdir /etc/weir && printf '[route /etc]\\nhandler = echo\\n' > /etc/weir/weir.ini
        cd "$1" && shift && exec "$@"
        """

    def run_here(self, *arguments, with_etc=False):
        """Like run_weir(), but in an empty folder."""
        command = [WEIR, *arguments]
        if with_etc:
            command = [*IN_NAMESPACE, "sh", "-ec", self.WITH_ETC, "sh", self.directory, *command]
        return subprocess.run(command, cwd=self.directory, capture_output=True, text=True, timeout=PATIENCE)

    def write_conf(self, text):
        (self.directory / "conf").mkdir()
        (self.directory / "conf/weir.ini").write_text(text)

    @unittest.skipIf(Path("/etc/weir/weir.ini").exists(), "this machine has an /etc/weir/weir.ini")
    def test_missing_default_file_is_reported(self):
        for command in ("serve", "check", "health"):
            done = self.run_here(command)
            self.assertOneLine(done)
            self.assertEqual(done.stderr, f"weir {command}: neither ./conf/weir.ini nor /etc/weir/weir.ini exists; "
                                          "name an ini file with -c FILE\n")

    def test_default_file_of_the_folder_is_used(self):
        self.write_conf(ROUTE)
        done = self.run_here("check")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("# from conf/weir.ini:1\n[route /echo]", done.stdout)

    def test_wrong_default_file_is_not_skipped(self):
        self.write_conf("[sever]\n")
        self.assertOneLine(self.run_here("check"), "conf/weir.ini:1: ")
        self.assertOneLine(self.run_here("health"), "conf/weir.ini:1: ")

    @unittest.skipUnless(IN_NAMESPACE, "needs a mount namespace")
    def test_default_file_of_the_system_is_used_second(self):
        done = self.run_here("check", with_etc=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("# from /etc/weir/weir.ini:1\n[route /etc]", done.stdout)
        self.write_conf(ROUTE)
        self.assertIn("[route /echo]", self.run_here("check", with_etc=True).stdout)


class Wrong(ConfigTestCase):
    def test_missing_file_is_refused(self):
        for command in ("check", "serve"):
            self.assertOneLine(run_weir(command, "-c", "/nonexistent/weir.ini"), "/nonexistent/weir.ini")
            self.assertOneLine(run_weir(command, "-c", self.directory), self.directory)

    def test_unknown_section_is_refused(self):
        self.assertWrong("[sever]\nworkers = 4\n" + ROUTE, "sever", "server")
        self.assertWrong("[route]\nhandler = echo\n", "route")

    def test_unknown_key_is_refused_with_a_suggestion(self):
        self.assertWrong(self.listen + "worker = 4\n" + ROUTE, '"worker"', "workers", line=3)
        self.assertWrong(self.listen + ROUTE + "concurency = 2\n", "concurency", "concurrency", line=5)
        self.assertWrong(self.listen + "zzzzzzzz = 2\n" + ROUTE, "zzzzzzzz", line=3)

    def test_malformed_values_are_refused(self):
        wrong = {
            "drain_timeout": ("20 sec", "20", "-1s", "s", ""),
            "workers": ("many", "0", "-1", "4.5", "99999999999999999999", ""),
            "listen": ("9000x", "127.0.0.1:99999", "localhost:9000", "127.0.0.1:9000,,", ""),
            "unknown_route": ("maybe",),
        }
        for key, value in ((key, value) for key, values in wrong.items() for value in values):
            with self.subTest(key=key, value=value):
                head = "[server]\n" if key == "listen" else self.listen
                self.assertWrong(f"{head}{key} = {value}\n{ROUTE}", key, line=head.count("\n") + 1)
        self.assertWrong(f"{self.listen}{ROUTE}[websocket]\nmax_message_size = 1 MB\n", "max_message_size", line=6)
        self.assertWrong(f"{self.listen}{ROUTE}[log]\nlevel = loud\n", "level", line=6)
        self.assertWrong(f"{self.listen}{ROUTE}echo_self = perhaps\n", "echo_self", line=5)

    def test_check_reports_every_error(self):
        """Each error is one line, those of plug-ins and ambiguous patterns too; no error that follows from another."""
        light = f"handler = plugin:{EXAMPLES}/light.so\n"
        text = (f"[server]\nlisten = x\nworker = 4\n[sever]\nx = 1\n[route /a/{{x}}]\n{light}dely = 2s\ndelay = fast\n"
                f"[route /a/{{y}}]\n{light}x = 1\n[route /b]\nhandler = plugin:none.so\nconcurrency = many\n"
                "[route c]\nhandler = ehco\n")
        file = self.write(text)
        done = run_weir("check", "-c", file, WEIR_LOG_LEVEL="loud")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        lines = done.stderr.splitlines()
        where = [str(file) + f":{line}: " for line in (2, 3, 4, 15, 17)] + ["WEIR_LOG_LEVEL: "]
        where += [str(file) + f":{line}: " for line in (8, 9, 10, 12, 14, 16)]
        self.assertEqual(len(lines), len(where), done.stderr)
        for line, begin in zip(lines, where):
            self.assertTrue(line.startswith(begin), f"{line} does not begin with {begin}")

    def test_repeated_key_is_refused(self):
        self.assertWrong(self.listen + "workers = 2\nworkers = 3\n" + ROUTE, "workers")

    def test_wrong_routes_are_refused(self):
        self.assertWrong(self.listen + ROUTE + ROUTE, "/echo")
        self.assertWrong(self.listen + ROUTE + "[route /a/{x}]\nhandler = echo\n[route /a/{y}]\nhandler = echo\n",
                         "/a/{x}", "/a/{y}")
        self.assertWrong(self.listen + "[route echo]\nhandler = echo\n", "echo")
        self.assertWrong(self.listen + "[route /a/{x}/{x}]\nhandler = echo\n", "/a/{x}/{x}")
        self.assertWrong(self.listen + "[route /echo]\nhandler = ecoh\n", "ecoh", "echo", line=4)
        self.assertWrong(self.listen + "[route /echo]\nconcurrency = 1\n", "handler")

    def test_wrong_channel_sections_are_refused(self):
        self.assertWrong(self.listen + "[channel_limits]\nmax_chanels = 3\n", '"max_chanels"', "max_channels?", line=4)
        self.assertWrong(self.listen + "[channel]\n", "[channel news:*]", line=3)
        self.assertWrong(self.listen + "[channel a*b]\n", '"a*b"', "news:*", line=3)
        self.assertWrong(self.listen + CHANNEL + CHANNEL, '"news:*"', "on line 3", line=5)
        self.assertWrong(self.listen + CHANNEL + "histroy = 2\n", '"histroy"', "history?", line=5)
        self.assertWrong(self.listen + CHANNEL + "history_age = 721h\n", '"721h"', "0 to 720h", line=5)

    def test_wrong_routes_to_channels_are_refused(self):
        room = self.listen + "[route /room/{name}]\nhandler = relay\n"
        self.assertWrong(room, "write channel = NAME", line=4)
        self.assertWrong(room + "channel = room:{nam}\n", "{nam}", "{name}", line=5)
        self.assertWrong(room + "channel = room {name}\n", '"room {name}"', "room:{name}", line=5)
        self.assertWrong(room + "channel = x\nallowed_channels = the news\n", '"the news"', line=6)
        self.assertWrong(self.listen + ROUTE + "channel = x\n", "handler = relay", line=5)

    def test_text_that_is_no_ini_file_is_refused(self):
        self.assertWrong("this is no ini file\n")
        self.assertWrong(self.listen + "workers\n" + ROUTE, line=3)
        self.assertWrong("[server\nworkers = 4\n")


class Plugins(ConfigTestCase):
    def route(self, handler, more=""):
        return f"{self.listen}[route /x/{{status}}]\nhandler = {handler}\n{more}"

    def test_missing_plugin_is_refused(self):
        self.assertWrong(self.route("plugin:/nonexistent/light.so"), "/nonexistent/light.so", line=4)
        self.assertWrong(self.route("plugin:"), "plugin", line=4)

    def test_relative_plugin_path_begins_at_the_file(self):
        (self.directory / "light.so").symlink_to(EXAMPLES / "light.so")
        (self.directory / "sub").mkdir()
        (self.directory / "sub/a.ini").write_text("[route /a]\nhandler = plugin:../light.so\n")
        done = run_weir("check", "-c", self.write(f"include = sub/*.ini\n{self.route('plugin:light.so')}"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn(f"\nhandler = plugin:{self.directory}/light.so\n", done.stdout)
        self.assertIn(f"\nhandler = plugin:{self.directory}/sub/../light.so\n", done.stdout)
        self.assertWrong(self.route("plugin:build/light.so"), f"there is no {self.directory}/build/light.so",
                         "folder of the ini file", line=4)

    def test_shipped_files_find_their_plugins(self):
        for name in ("tutorial.ini", "chat.ini"):
            text = (ROOT / "conf" / name).read_text()
            for path in re.findall("handler = plugin:(.*)", text):
                self.assertTrue((ROOT / "conf" / path).resolve().parent.is_relative_to(ROOT / "build"), path)
                self.assertTrue((EXAMPLES / Path(path).name).exists())

    def test_plugin_that_is_no_shared_object_is_refused(self):
        self.assertWrong(self.route(f"plugin:{ROOT}/conf/tutorial.ini"), "tutorial.ini", line=4)

    def test_plugin_without_its_symbol_is_refused(self):
        self.assertWrong(self.route(f"plugin:{self.compile(NO_SYMBOL)}"), "weir_plugin", line=4)

    def test_plugin_with_another_abi_is_refused(self):
        self.assertWrong(self.route(f"plugin:{self.compile(WRONG_ABI)}"), "abi", line=4)

    def test_plugin_whose_start_fails_ends_the_server(self):
        text = self.route(f"plugin:{self.compile(REFUSES)}")
        self.assertWrong(text, "the lamp is broken", line=4, commands=["serve"])

    def test_wrong_plugin_options_are_refused(self):
        light = f"plugin:{EXAMPLES}/light.so"
        self.assertWrong(self.route(light, "dely = 2s\n"), "dely", "delay", line=5)
        self.assertWrong(self.route(light, "delay = fast\n"), "delay", "fast", line=5)
        self.assertWrong(self.route(light, "delay = -2s\n"), "delay", line=5)
        self.assertWrong(self.route("echo", "delay = 2s\n"), "delay", line=5)


class Listening(ConfigTestCase):
    def test_port_in_use_is_reported(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            done = run_weir("serve", "-c", self.write(f"[server]\nlisten = {address}\n{ROUTE}"))
        self.assertOneLine(done, address, "in use")

    def test_foreign_address_is_reported(self):
        done = run_weir("serve", "-c", self.write(f"[server]\nlisten = 192.0.2.1:9000\n{ROUTE}"))
        self.assertOneLine(done, "192.0.2.1:9000")

    def test_several_addresses_are_served(self):
        second = free_port()
        with Weir(f"[server]\nlisten = 127.0.0.1:PORT, 127.0.0.1:{second}\n{ROUTE}") as weir:
            for port in (weir.port, second):
                with RawClient(port, upgrade="/echo") as client:
                    client.send(frame(TEXT, b"hello"))
                    self.assertEqual(client.frame(), (TEXT, b"hello"))

    def test_ipv6_is_served_or_refused_in_one_line(self):
        """Debian 12's civetweb has no IPv6, which must be an error; Debian 13's has it."""
        if "without IPv6" in self.civetweb():
            done = run_weir("serve", "-c", self.write(f"[server]\nlisten = [::1]:{free_port()}\n{ROUTE}"))
            self.assertOneLine(done, "IPv6")
        else:
            six = free_port()
            with Weir(f"[server]\nlisten = 127.0.0.1:PORT, [::1]:{six}\n{ROUTE}"):
                socket.create_connection(("::1", six), timeout=5).close()

    def civetweb(self):
        """Asks the installed library, as the server does: feature 8 is IPv6."""
        source = """
            #include <civetweb.h>
            #include <stdio.h>
            int main(void) { puts(mg_check_feature(8) ? "with IPv6" : "without IPv6"); }
            """
        program = self.directory / "feature"
        subprocess.run(["cc", "-o", program, "-xc", "-", "-lcivetweb"], input=source.encode(), check=True)
        return subprocess.run([program], capture_output=True, text=True, check=True).stdout


class Spelling(ConfigTestCase):
    """Files as editors on other systems write them are accepted."""

    def assertLoads(self, data):
        expected = run_weir("check", "-c", self.write(f"{self.listen}workers = 3\n{ROUTE}"))
        self.assertEqual((expected.returncode, expected.stderr), (0, ""))
        done = run_weir("check", "-c", self.write(data))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(values(done.stdout), values(expected.stdout))

    def text(self):
        return f"{self.listen}workers = 3\n{ROUTE}"

    def test_byte_order_mark_is_accepted(self):
        self.assertLoads(b"\xef\xbb\xbf" + self.text().encode())

    def test_crlf_is_accepted(self):
        self.assertLoads(self.text().replace("\n", "\r\n"))

    def test_missing_final_newline_is_accepted(self):
        self.assertLoads(self.text().rstrip("\n"))

    def test_byte_order_mark_crlf_and_no_final_newline_are_accepted(self):
        self.assertLoads(b"\xef\xbb\xbf" + self.text().rstrip("\n").replace("\n", "\r\n").encode())

    def test_blanks_and_comments_are_accepted(self):
        self.assertLoads("# a comment\n\n" + self.text().replace(" = ", "="))


if __name__ == "__main__":
    unittest.main()
