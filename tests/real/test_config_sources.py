"""test_config_sources - a configuration from several places: files that include others, the environment, --set, and a
file with the admin API's token.

SPDX-License-Identifier: MIT
"""

import os
import subprocess
import unittest

from config_case import ROUTE, ConfigTestCase, values
from raw_client import TEXT, RawClient, frame
from weir_process import EXAMPLES, PATIENCE, ROOT, WEIR, Weir, free_port, run_weir

TOKEN = "0123456789-abcdefghijklmnop"


class SourcesTestCase(ConfigTestCase):
    def check(self, *arguments, **environment):
        """The output of `weir check` for this configuration, which must be valid."""
        done = run_weir("check", *arguments, **environment)
        warnings = [line for line in done.stderr.splitlines() if "warning: no [route PATTERN]" not in line]
        self.assertEqual((done.returncode, warnings), (0, []))
        return done.stdout

    def assertRefused(self, expected, *arguments, **environment):
        """Both commands refuse it with this line."""
        for command in ("check", "serve"):
            with self.subTest(command=command):
                done = run_weir(command, *arguments, **environment)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (2, "", expected + "\n"))


class Precedence(SourcesTestCase):
    def test_check_shows_which_source_wins(self):
        text = "[server]\nworkers = 2\nhttp_threads = 2\nconnection_queue = 2\n" + ROUTE
        file = self.write(text)
        printed = self.check(
            "-c", file, "--set", "server.connection_queue=4", "-s", "route /set.handler=broadcast",
            WEIR_SERVER_HTTP_THREADS="3", WEIR_SERVER_CONNECTION_QUEUE="3", WEIR_SERVER_HANDSHAKE_RATE_PER_IP="",
            WEIR_SOMETHING="else",
        )
        self.assertIn(
            f"\n# from {file}:2\nworkers = 2\nwake_threshold = 128\n"
            "# from WEIR_SERVER_HTTP_THREADS\nhttp_threads = 3\n"
            "# from --set server.connection_queue\nconnection_queue = 4\nmax_connections = 16384\n", printed)
        self.assertIn("\nhandshake_rate_per_ip = 0\n", printed)
        self.assertIn(f"\n# from {file}:5\n[route /echo]\n# from {file}:6\nhandler = echo\nsubprotocols = none\n", printed)
        self.assertIn("\n# from --set route /set.handler\n[route /set]\n", printed)
        again = self.check("-c", self.write(printed))
        self.assertEqual(values(again), values(printed))

    def test_channel_sections_from_all_sources_are_merged(self):
        """There is one section without a pattern, and sections with one."""
        included = self.directory / "a.inc"
        included.write_text("[channel news]\nhistory = 1\n[channel *]\nannounce = yes\n")
        file = self.write("include = a.inc\n" + self.listen + ROUTE + "[channel news:*]\nhistory = 5\npresence = yes\n")
        printed = self.check(
            "-c", file, "--set", "channel news:*.history=100", "--set", "channel news.history_age=1h",
            "--set", "channel set.history=7", WEIR_CHANNEL_LIMITS_MAX_CHANNELS="3", WEIR_CHANNEL_NEWS_ALL_PUBLISH="no",
        )
        self.assertIn("\n# from WEIR_CHANNEL_LIMITS_MAX_CHANNELS\nmax_channels = 3\n", printed)
        self.assertIn(f"\n# from {file}:6\n[channel news:*]\n# from --set channel news:*.history\nhistory = 100\n"
                      f"history_age = 5m\nposition_ttl = 1h\nmax_subscribers = 0\nsubscribe = yes\n"
                      f"# from WEIR_CHANNEL_NEWS_ALL_PUBLISH\npublish = no\n"
                      f"# from {file}:8\npresence = yes\n", printed)
        self.assertIn(f"\n# from {included}:1\n[channel news]\n# from {included}:2\nhistory = 1\n"
                      "# from --set channel news.history_age\nhistory_age = 1h\n", printed)
        self.assertIn(f"\n# from {included}:3\n[channel *]\n", printed)
        self.assertIn("\n# from --set channel set.history\n[channel set]\n", printed)
        again = self.check("-c", self.write(printed))
        self.assertEqual(values(again), values(printed))

    def test_serve_uses_environment_and_set(self):
        """The file names a port that cannot be used: the environment and the command line replace it."""

        class Elsewhere(Weir):
            def command(self, file):
                self.port = free_port()
                self.environment["WEIR_SERVER_LISTEN"] = f"127.0.0.1:{self.port}"
                return [WEIR, "serve", "-c", file, "--set", "route /two.handler=echo", "--set", "log.level=debug"]

        with Elsewhere("[server]\nlisten = 192.0.2.1:1\n" + ROUTE) as weir:
            for path in ("/echo", "/two"):
                with RawClient(weir.port, upgrade=path) as client:
                    client.send(frame(TEXT, b"hello"))
                    self.assertEqual(client.frame(), (TEXT, b"hello"))

    def test_plugin_options_can_be_set(self):
        file = self.write(f"[route /x/{{status}}]\nhandler = plugin:{EXAMPLES}/light.so\ndelay = 1s\n")
        printed = self.check("-c", file, "--set", "route /x/{status}.delay=2s")
        self.assertIn("\n# from --set route /x/{status}.delay\ndelay = 2s\n", printed)
        done = run_weir("check", "-c", file, "--set", "route /x/{status}.dleay=2s")
        self.assertOneLine(done, "--set route /x/{status}.dleay: ", "did you mean delay?")


class Wrong(SourcesTestCase):
    def test_wrong_variables_are_refused(self):
        file = self.write(self.listen + ROUTE)
        cases = {
            ("WEIR_SERVER_WORKERS", "abc"): '"abc" is not a number; write it in digits, like 8',
            ("WEIR_SERVER_WORKER", "8"): "no option has this name; did you mean WEIR_SERVER_WORKERS?",
            ("WEIR_LOG_LEVLE", "info"): "no option has this name; did you mean WEIR_LOG_LEVEL?",
        }
        for (name, value), why in cases.items():
            self.assertRefused(f"{name}: {why}", "-c", file, **{name: value})

    def test_wrong_settings_are_refused(self):
        file = self.write(self.listen + ROUTE)
        cases = {
            "server.workers=abc": '--set server.workers: "abc" is not a number; write it in digits, like 8',
            "server.wrokers=1": '--set server.wrokers: unknown key "wrokers" in [server]; did you mean workers?',
            "workers=1": "--set workers: the section is missing; did you mean server.workers?",
            "channel news.histroy=1": '--set channel news.histroy: unknown key "histroy" in [channel PATTERN]; '
                                      "did you mean history?",
            "route /x.concurrency=1": "--set route /x.concurrency: the route has no handler; "
                                      "write handler = echo, broadcast, relay, pubsub or plugin:PATH",
        }
        for setting, line in cases.items():
            self.assertRefused(line, "-c", file, "--set", setting)
        self.assertOneLine(run_weir("check", "--set"), "argument")
        self.assertOneLine(run_weir("check", "--set", "log.level=info", "surplus"), "surplus")

    def test_variables_of_kubernetes_services_are_ignored(self):
        """The variables that Kubernetes sets for a service called weir-server-internal; a misspelt one is still
        found."""
        file = self.write(self.listen)
        links = {"WEIR_SERVER_INTERNAL_SERVICE_HOST": "10.9.3.7", "WEIR_SERVER_INTERNAL_SERVICE_PORT_WS": "9000",
                 "WEIR_SERVER_PORT": "tcp://10.9.3.7:9000", "WEIR_SERVER_INTERNAL_PORT_9000_TCP_ADDR": "10.9.3.7"}
        self.check("-c", file, **links)
        self.assertRefused("WEIR_SERVER_WORKRS: no option has this name; did you mean WEIR_SERVER_WORKERS?", "-c", file,
                           WEIR_SERVER_WORKRS="3", **links)

    def test_missing_plugin_names_its_setting(self):
        done = run_weir("serve", "-c", self.write(self.listen), "--set", "route /x.handler=plugin:/none/x.so")
        self.assertOneLine(done, "--set route /x.handler: ", "/none/x.so")

    def test_ambiguous_patterns_in_two_files_are_refused(self):
        (self.directory / "a.inc").write_text("\n[route /a/{x}]\nhandler = echo\n")
        file = self.write("include = *.inc\n" + self.listen + "[route /a/{y}]\nhandler = echo\n")
        done = run_weir("serve", "-c", file)
        self.assertOneLine(done, f"{file}:4: ", "/a/{x}", "/a/{y}")


class Include(SourcesTestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.directory / "conf.d"
        self.folder.mkdir()

    def test_include_reads_a_folder_of_files(self):
        (self.folder / "b.ini").write_text("[server]\nworkers = 3\n[route /b]\nhandler = echo\n")
        (self.folder / "a.ini").write_text("[server]\nworkers = 2\nhttp_threads = 2\n")
        file = self.write("include = conf.d/*.ini\n" + self.listen + "connection_queue = 5\n")
        printed = self.check("-c", file)
        self.assertIn(f"\n# from {self.folder}/b.ini:2\nworkers = 3\nwake_threshold = 128\n"
                      f"# from {self.folder}/a.ini:3\nhttp_threads = 2\n# from {file}:4\nconnection_queue = 5\n", printed)
        self.assertIn(f"\n# from {self.folder}/b.ini:3\n[route /b]\n", printed)

    def test_include_may_match_no_file_but_names_must_exist(self):
        file = self.write("include = none/*.ini\n" + self.listen)
        self.check("-c", file)
        file = self.write("include = none.ini\n" + self.listen)
        self.assertRefused(f'{file}:1: include: "none.ini" does not exist', "-c", file)

    def test_include_loop_is_refused(self):
        file = self.write("include = conf.d/a.ini\n")
        a = self.folder / "a.ini"
        a.write_text("# a comment\ninclude = ../test.ini\n")
        self.assertRefused(
            f"{a}:2: include: these files include each other: {file} -> {a} -> {self.folder}/../test.ini", "-c", file)

    def test_include_errors_name_file_and_line(self):
        a = self.folder / "a.ini"
        file = self.write("include = conf.d/a.ini\n[route /x]\nhandler = echo\n")
        a.write_text("[route /x]\nhandler = broadcast\n")
        self.assertRefused(f'{file}:2: the route "/x" is already defined in {a}:1', "-c", file)
        a.write_text("\n[server]\nworkers = 0\n")
        self.assertRefused(f'{a}:3: workers: "0" is out of range; it must be from 1 to 1024', "-c", file)

    def test_include_of_an_unreadable_file_is_refused(self):
        a = self.folder / "a.ini"
        a.write_text("[server]\nworkers = 2\n")
        file = self.write("include = conf.d/*.ini\n")
        for secret in (a, self.folder):
            secret.chmod(0)
            done = run_without_privileges("check", "-c", file)
            secret.chmod(0o755)
            parts = [a, "Permission denied"] if secret == a else [f"{file}:1: include: ", "cannot be read"]
            self.assertOneLine(done, *parts)


class TokenFile(SourcesTestCase):
    def setUp(self):
        super().setUp()
        self.token_file = self.directory / "token"
        self.token_file.write_text(TOKEN + "\n")
        self.file = self.write("[admin]\ntoken_file = token\n" + self.listen)

    def test_token_file_open_to_everyone_is_refused(self):
        for mode in (0o400, 0o600, 0o640, 0o440):
            self.token_file.chmod(mode)
            printed = self.check("-c", self.file)
            self.assertIn(f"\ntoken_file = {self.token_file}\n", printed)
            self.assertNotIn(TOKEN, printed)
        for mode in (0o644, 0o666, 0o602, 0o601):
            self.token_file.chmod(mode)
            self.assertRefused(
                f'{self.file}:2: token_file: "{self.token_file}" can be accessed by other users (mode {mode:04o}); '
                "run chmod 600 on it", "-c", self.file)

    def test_token_file_path_is_relative_to_its_source(self):
        """In a file: relative to the folder of the file; in the environment and after --set: to the working
        directory."""
        self.token_file.chmod(0o600)
        relative = os.path.relpath(self.token_file, ROOT)
        other = self.write(self.listen)
        for arguments, environment in ((["--set", f"admin.token_file={relative}"], {}),
                                       ([], {"WEIR_ADMIN_TOKEN_FILE": relative})):
            printed = self.check("-c", other, *arguments, **environment)
            self.assertIn(f"\ntoken_file = {ROOT}/{relative}\n", printed)

    def test_token_and_token_file_exclude_each_other(self):
        self.token_file.chmod(0o600)
        self.assertRefused(
            f"{self.file}:2: token_file: the token is also set, by WEIR_ADMIN_TOKEN; set only one of "
            "the two, and the other to none", "-c", self.file, WEIR_ADMIN_TOKEN=TOKEN)
        printed = self.check("-c", self.file, WEIR_ADMIN_TOKEN=TOKEN, WEIR_ADMIN_TOKEN_FILE="none")
        self.assertIn("\n# token is set, not shown; from WEIR_ADMIN_TOKEN\n", printed)
        self.assertNotIn(TOKEN, printed)

    def test_unreadable_token_file_is_refused(self):
        self.token_file.chmod(0)
        done = run_without_privileges("check", "-c", self.file)
        self.assertOneLine(done, f"{self.file}:2: token_file: ", "Permission denied")


def run_without_privileges(*arguments):
    """Like run_weir(), but file modes count even if root runs the tests."""
    drop = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    command = [*drop, WEIR, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)


if __name__ == "__main__":
    unittest.main()
