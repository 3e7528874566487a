"""test_log - the log as an operator sees it: machine-readable lines, rotated files, stopped readers.

SPDX-License-Identifier: MIT
"""

import fcntl
import json
import os
import re
import signal
import stat
import subprocess
import tempfile
import time
import unittest
import zlib
from pathlib import Path

from raw_client import (
    BINARY, CLOSE, FIN, RSV1, TEXT, RawClient, close_frame, fetch, frame, mask, request, upgrade_headers,
)
from weir_process import Weir, WeirTestCase, free_port, run_weir, scaled, until

ROUTES = """
[route /echo]
handler = echo
[route /any/*]
handler = echo
[route /hello/{name}]
handler = plugin:EXAMPLES/hello.so
subprotocols = chat.v1
"""
PAIR = re.compile(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[^ "=\\]+)(?: |$)')


def parse_logfmt(line):
    """The pairs of a line, which must consist of pairs; quoted values are not decoded."""
    pairs, end = {}, 0
    while end < len(line):
        found = PAIR.match(line, end)
        if not found or found[1] in pairs:
            raise AssertionError(f"not logfmt from {end} on: {line}")
        pairs[found[1]] = found[2]
        end = found.end()
    return pairs


def no_duplicates(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise AssertionError(f"a name comes twice: {pairs}")
    return dict(pairs)


def parse_json(line):
    return json.loads(line, object_pairs_hook=no_duplicates)


def leave(client, code=1000, reason=b""):
    client.send(close_frame(code, reason))
    while client.frame(reserved=RSV1).opcode != CLOSE:
        pass
    client.socket.close()


def peer_of(client):
    return "127.0.0.1:%d" % client.socket.getsockname()[1]


class LogTestCase(WeirTestCase):
    def closing_line(self, client, *arguments):
        peer = peer_of(client)
        leave(client, *arguments)
        return self.weir.log_line("close", peer)


class Json(LogTestCase):
    configuration = "[server]\nlisten = 127.0.0.1:PORT\ntrusted_proxies = 127.0.0.0/8\n[log]\nformat = json\n" + ROUTES

    NASTY = [  # bytes of a request line or a header, and their form in the log
        (b"plain", "plain"),
        (b'say "hi" \\ \\n', 'say "hi" \\ \\n'),
        (b'","event":"fake', '","event":"fake'),
        ("käse € 🚪".encode(), "käse € 🚪"),
        (b"caf\xe9 \xff\xc3", "caf\ufffd \ufffd\ufffd"),
        (b"\xc2\x9b2J\xc2\x85", "\x9b2J\x85"),
    ]

    def close_of(self, client, *arguments):
        return parse_json(self.closing_line(client, *arguments))

    def test_user_agents_are_logged_escaped(self):
        for sent, logged in self.NASTY:
            with self.subTest(sent), RawClient(self.weir.port) as client:
                client.send(request("/echo", [*upgrade_headers(), ("User-Agent", sent.decode("latin-1"))]))
                self.assertEqual(client.response().status, 101)
                line = self.close_of(client)
                self.assertEqual((line["user_agent"], line["route"], line["path"]), (logged, "/echo", "/echo"))

    def test_long_user_agent_is_cut_between_characters(self):
        for text, kept in (("x" * 128, "x" * 128), ("x" * 500, "x" * 128), ("€" * 100, "€" * 42), ("x" + "🚪" * 40, "x" + "🚪" * 31)):
            with RawClient(self.weir.port) as client:
                client.send(request("/echo", [*upgrade_headers(), ("User-Agent", text.encode().decode("latin-1"))]))
                client.response()
                self.assertEqual(self.close_of(client)["user_agent"], kept)

    def assertRefusalIsLogged(self, path):
        """Of many refusals, one per second is logged."""
        def refused():
            fetch(self.weir.port, request(path))
            lines = [parse_json(line) for line in self.weir.log().splitlines()]
            return any(line["event"] == "refuse" and line["path"] == path and line["status"] == 400 for line in lines)

        until(refused, f"a refusal of {path}")

    def test_paths_are_logged_escaped_without_query(self):
        for sent, logged in self.NASTY + [(b"\n\r\t\x01\x7f", "\n\r\t\x01\x7f")]:
            quoted = "".join(f"%{byte:02x}" for byte in sent)
            with self.subTest(sent), RawClient(self.weir.port) as client:
                client.send(request(f"/any/{quoted}?secret=query"))
                if client.response().status == 101:
                    self.assertEqual(self.close_of(client)["path"], f"/any/{logged}")
                else:
                    self.assertRefusalIsLogged(f"/any/{quoted}")
        self.assertNotIn("secret", self.weir.log())

    def test_close_reasons_are_logged_escaped(self):
        for reason in ("", "bye", 'a "b" \\', "\n\r\t\x00\x01\x1b[2J\x7f", "\x85\x9b", "ü€🚪", "x" * 123):
            with self.subTest(reason), RawClient(self.weir.port, "/echo") as client:
                line = self.close_of(client, 4321, reason.encode())
                wanted = reason.split("\x00")[0]  # handlers get the reason as a C string
                self.assertEqual((line["reason"], line["code"], line["by"]), (wanted, 4321, "client"))

    def test_access_line_has_all_its_fields(self):
        with RawClient(self.weir.port) as client:
            headers = upgrade_headers(Sec_WebSocket_Protocol="chat.v1", User_Agent="test/1.0", X_Forwarded_For="192.0.2.1")
            client.send(request("/hello/ann?token=secret", headers))
            self.assertEqual(client.response().status, 101)
            greeting = client.frame()
            start = time.monotonic()
            client.send(frame(TEXT, b"one") + frame(BINARY, b"", flags=0) + frame(0, b"two"))
            answers = [greeting, client.frame(), client.frame()]
            peer, line = peer_of(client), self.close_of(client, 1001, b"going")
            took = time.monotonic() - start
        self.assertRegex(line.pop("time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertLess(line.pop("conn"), 1000)
        self.assertLess(line.pop("duration_ms"), took * 1000 + 30000)
        self.assertEqual(line, {
            "level": "info", "event": "close", "peer": peer, "client": "192.0.2.1", "code": 1001, "by": "client",
            "messages_in": 2, "payload_in": 6, "wire_in": 3 * 6 + 6 + 6 + 2 + 5, "messages_out": len(answers),
            "payload_out": sum(len(answer.payload) for answer in answers),
            "wire_out": sum(2 + len(answer.payload) for answer in answers) + 2 + 2 + 5, "route": "/hello/{name}", "path": "/hello/ann",
            "reason": "going", "subprotocol": "chat.v1", "user_agent": "test/1.0",
        })

    def test_access_line_counts_payload_and_wire_bytes(self):
        """Payload as handlers see it, and bytes on the wire: frames with their headers, Closes included."""
        with RawClient(self.weir.port) as client:
            client.send(request("/echo", upgrade_headers(Sec_WebSocket_Extensions="permessage-deflate")))
            client.response()
            deflate = zlib.compressobj(wbits=-15)
            packed = (deflate.compress(bytes(100000)) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
            client.send(frame(BINARY, packed, flags=FIN | RSV1))
            answer = client.frame(reserved=RSV1)
            line = self.close_of(client)
        self.assertEqual((line["messages_in"], line["payload_in"]), (1, 100000))
        self.assertEqual(line["wire_in"], self.wire(packed, mask=4) + 2 + 4 + 2)
        self.assertEqual((line["messages_out"], line["payload_out"]), (1, 100000))
        self.assertEqual(line["wire_out"], self.wire(answer.payload) + 2 + 2)

    def wire(self, payload, mask=0):
        return (2 if len(payload) < 126 else 4) + mask + len(payload)

    def test_connections_are_counted_from_1(self):
        with Weir(self.configuration) as weir:
            for number in range(1, 4):
                for _ in range(2):  # whatever place in the registry it takes
                    client = RawClient(weir.port, "/echo")
                    leave(client)
                until(lambda: weir.log().count('"event":"close"') == 2 * number, "the ends")
            ids = [parse_json(line)["conn"] for line in weir.log().splitlines() if '"event":"close"' in line]
        self.assertEqual(sorted(ids), [1, 2, 3, 4, 5, 6])


    def test_vanished_client_is_logged_as_1006(self):
        with RawClient(self.weir.port, "/echo") as client:
            peer = peer_of(client)
            client.vanish()
            line = parse_json(self.weir.log_line("close", peer))
        self.assertEqual((line["code"], line["by"], line["reason"], line["messages_in"]), (1006, "nobody", "", 0))

    def test_every_line_is_an_object(self):
        with Weir(self.configuration) as weir:
            RawClient(weir.port, "/echo").vanish()
            weir.process.send_signal(signal.SIGTERM)
            weir.process.wait()
            lines = {line["event"]: line for line in map(parse_json, weir.log().splitlines())}
        self.assertEqual(sorted(lines), ["close", "listen", "ready", "stopped", "stopping"])
        self.assertIs(lines["stopped"]["clean"], True)
        self.assertEqual(lines["listen"]["port"], weir.port)


class Logfmt(LogTestCase):
    configuration = "[server]\nlisten = 127.0.0.1:PORT\n" + ROUTES

    def test_client_text_adds_no_line_and_no_pair(self):
        agent = b'x" event=fake \\" \xff \xc2\x9b2J'.decode("latin-1")
        with RawClient(self.weir.port) as client:
            client.send(request("/any/%0alevel=error%20event=fake", [*upgrade_headers(), ("User-Agent", agent)]))
            client.response()
            pairs = parse_logfmt(self.closing_line(client, 4000, b"\ntime=now event=fake"))
        self.assertEqual(pairs["event"], "close")
        self.assertEqual(pairs["path"], '"/any/\\nlevel=error event=fake"')
        self.assertEqual(pairs["reason"], '"\\ntime=now event=fake"')
        self.assertEqual(pairs["user_agent"], '"x\\" event=fake \\\\\\" \\xff \\xc2\\x9b2J"')
        for line in self.weir.log().splitlines():
            self.assertNotEqual(parse_logfmt(line)["event"], "fake")

    def test_long_path_is_cut(self):
        with RawClient(self.weir.port, "/any/" + "x" * 3000) as client:
            pairs = parse_logfmt(self.closing_line(client))
        self.assertEqual((len(pairs["path"]), pairs["truncated"]), (512, "yes"))


class Levels(unittest.TestCase):
    def events(self, keys):
        with Weir(f"[server]\nlisten = 127.0.0.1:PORT\n[log]\n{keys}{ROUTES}") as weir:
            fetch(weir.port, request("/echo", upgrade_headers(Sec_WebSocket_Version="12")))
            leave(RawClient(weir.port, "/echo"))
            weir.process.send_signal(signal.SIGTERM)
            weir.process.wait()
            return sorted(parse_logfmt(line)["event"] for line in weir.log().splitlines())

    def test_levels_can_differ_per_subsystem(self):
        server, end = ["listen", "ready"], ["stopping", "stopped"]
        for keys, wanted in (
            ("", [*server, "refuse", "close", *end]),
            ("level_conn = debug\n", [*server, "refuse", "open", "close", *end]),
            ("level_access = warning\n", [*server, "refuse", *end]),
            ("level = error\nlevel_access = info\n", ["close"]),
            ("level = error\nlevel_http = info\nlevel_conn = debug\n", ["refuse", "open"]),
            ("level_server = warning\nlevel_http = error\n", ["close"]),
            ("level = warning\n", []),
        ):
            with self.subTest(keys):
                self.assertEqual(self.events(keys), sorted(wanted))


class Start(unittest.TestCase):
    def test_ready_line_names_the_file(self):
        with Weir("[server]\nlisten = 127.0.0.1:PORT\n" + ROUTES) as weir:
            pairs = parse_logfmt(weir.log_line("event=ready"))
            self.assertEqual(pairs["config"], f"{weir.directory.name}/weir.ini")

    def test_memory_limit_above_the_machine_gets_a_warning(self):
        """One warning with both numbers. Limits of control groups are tested by the unit tests."""
        machine = 1024 * int(re.search(r"MemTotal: +(\d+) kB", Path("/proc/meminfo").read_text())[1])
        for limit, said in ((1024 << 30, True), (1 << 20, False), (0, False)):
            with Weir(f"[server]\nlisten = 127.0.0.1:PORT\nmemory_limit = {limit}\n{ROUTES}") as weir:
                weir.log_line("event=ready")
                lines = [parse_logfmt(line) for line in weir.log().splitlines() if "event=memory " in line]
            self.assertEqual(len(lines), said)
            for line in lines:
                self.assertEqual((line["level"], line["memory_limit"]), ("warning", str(limit)))
                self.assertLessEqual(int(line["available"]), machine)


class Files(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="weir-log-")
        self.addCleanup(directory.cleanup)
        self.file = Path(directory.name) / "weir.log"

    def configuration(self, more=""):
        return f"[server]\nlisten = 127.0.0.1:PORT\n[log]\nfile = {self.file}\n{more}{ROUTES}"

    def test_rotation_loses_no_line(self):
        """Renamed again and again, as logrotate does, while clients come and go."""
        rounds, each = 10, scaled(50, 5)
        with Weir(self.configuration()) as weir:
            for number in range(rounds):
                for _ in range(each):
                    leave(RawClient(weir.port, "/echo"))
                self.file.rename(f"{self.file}.{number}")
                for _ in range(each):
                    leave(RawClient(weir.port, "/echo"))
                weir.process.send_signal(signal.SIGUSR1)
                until(self.file.exists, "a new file")
            weir.stop()
        texts = [Path(f"{self.file}.{number}").read_text() for number in range(rounds)] + [self.file.read_text()]
        lines = [parse_logfmt(line) for text in texts for line in text.splitlines()]
        closed = [int(line["conn"]) for line in lines if line["event"] == "close"]
        self.assertEqual(len(closed), 2 * each * rounds)
        self.assertEqual(len(set(closed)), len(closed))
        self.assertEqual(sum(line["event"] == "log_reopen" for line in lines), rounds)
        self.assertEqual(lines[-1]["event"], "stopped")
        self.assertTrue(all(text.endswith("\n") for text in texts))

    def test_log_file_is_private_and_appended_to(self):
        for run in range(2):
            with Weir(self.configuration()) as weir:
                self.assertEqual(weir.log(), "")  # nothing goes to stderr
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode) & 0o137, 0)
        self.assertEqual(self.file.read_text().count("event=ready"), 2)

    def test_failed_reopen_keeps_the_old_file(self):
        with Weir(self.configuration()) as weir:
            moved = self.file.parent.with_suffix(".moved")
            self.file.parent.rename(moved)
            weir.process.send_signal(signal.SIGUSR1)
            until(lambda: "event=log_reopen" in (moved / "weir.log").read_text(), "the old file says so")
            leave(RawClient(weir.port, "/echo"))
            moved.rename(self.file.parent)
        log = self.file.read_text()
        self.assertRegex(log, f'level=error event=log_reopen file={self.file} error="No such file or directory"')
        self.assertIn("event=close", log)

    def test_stderr_is_not_reopened(self):
        with Weir("[server]\nlisten = 127.0.0.1:PORT\n" + ROUTES) as weir:
            for _ in range(3):
                weir.process.send_signal(signal.SIGUSR1)
            leave(RawClient(weir.port, "/echo"))
            weir.log_line("event=close")
            self.assertNotIn("log_reopen", weir.log())

    def test_unusable_log_file_prevents_the_start(self):
        ini = self.file.with_suffix(".ini")
        fifo = self.file.with_suffix(".fifo")
        os.mkfifo(fifo)
        for path, why in ((self.file.parent, "Is a directory"), (self.file / "x", "No such file or directory"),
                          (fifo, "No such device or address")):
            ini.write_text(f"[server]\nlisten = 127.0.0.1:{free_port()}\n[log]\nfile = {path}\n[route /echo]\nhandler = echo\n")
            done = run_weir("serve", "-c", ini)
            self.assertEqual((done.returncode, done.stderr), (2, f"log: {path}: {why}\n"))

    def test_full_disk_does_not_stop_the_service(self):
        with Weir("[server]\nlisten = 127.0.0.1:PORT\n[log]\nfile = /dev/full\n" + ROUTES) as weir:
            for _ in range(20):
                with RawClient(weir.port, "/echo") as client:
                    client.send(frame(TEXT, b"hello"))
                    self.assertEqual(client.frame(), (TEXT, b"hello"))
                    leave(client)


class Piped(Weir):
    """A server whose stderr is a small pipe to a cat that can be stopped."""

    SMALLEST = 4096

    def _start(self, configuration):
        file = Path(self.directory.name) / "weir.ini"
        file.write_text(configuration.replace("PORT", str(self.port)))
        with open(self.log_file, "wb") as log:
            self.reader = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "cat"], stdin=subprocess.PIPE, stdout=log)
        fcntl.fcntl(self.reader.stdin, fcntl.F_SETPIPE_SZ, self.SMALLEST)
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *self.command(file)], env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.reader.stdin,
        )
        self.reader.stdin.close()
        self.pid = self.process.pid


class StoppedReaders(unittest.TestCase):
    configuration = "[server]\nlisten = 127.0.0.1:PORT\n[log]\nbuffer = 16KiB\n[route /echo]\nhandler = echo\n"

    def start(self):
        weir = Piped(self.configuration)
        self.addCleanup(weir.reader.wait)
        self.addCleanup(weir.reader.send_signal, signal.SIGCONT)
        return weir

    def come_and_go(self, weir, beside):
        """More lines than the buffer holds, from clients that are all served, while another client talks."""
        for number in range(4):
            clients = [RawClient(weir.port, "/echo") for _ in range(50)]
            for client in clients:
                client.send(frame(TEXT, b"hello"))
                self.assertEqual(client.frame(), (TEXT, b"hello"))
                leave(client)
            beside.send(frame(TEXT, b"%d" % number))
            self.assertEqual(beside.frame(), (TEXT, b"%d" % number))

    def test_stopped_log_reader_delays_no_client(self):
        with self.start() as weir:
            beside = RawClient(weir.port, "/echo")
            self.addCleanup(beside.socket.close)
            weir.log_line("event=ready")
            weir.reader.send_signal(signal.SIGSTOP)
            self.come_and_go(weir, beside)
            weir.reader.send_signal(signal.SIGCONT)
            dropped = int(parse_logfmt(weir.log_line("event=log_dropped"))["count"])
            leave(RawClient(weir.port, "/echo"))
            until(lambda: weir.log().count("event=close") + dropped == 201, "every line, or its count")
            self.assertEqual(weir.log().count("event=log_dropped"), 1)
            before, after = weir.log().split("event=log_dropped")
            self.assertGreater(before.count("event=close"), 50)
            self.assertGreaterEqual(after.count("event=close"), 1)
            # A delayed thread may log late that a client left before the reader continued.
            self.assertLess(after.count("event=close"), 10)

    def test_stop_does_not_wait_for_a_stopped_log_reader(self):
        weir = self.start()
        beside = RawClient(weir.port, "/echo")
        self.addCleanup(beside.socket.close)
        weir.log_line("event=ready")
        weir.reader.send_signal(signal.SIGSTOP)
        self.come_and_go(weir, beside)
        leave(beside)
        weir.process.send_signal(signal.SIGTERM)
        self.assertEqual(weir.process.wait(30), 0)
        weir.reader.send_signal(signal.SIGCONT)
        weir.reader.wait()
        weir.stop()


if __name__ == "__main__":
    unittest.main()
