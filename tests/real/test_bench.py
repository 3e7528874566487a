"""test_bench - `weir bench`: its counts of sent and received messages agree with the servers' counts; failures are
counted, named and decide the exit status. Nothing here depends on the speed of the machine.

SPDX-License-Identifier: MIT
"""

import asyncio
import json
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from chromium import Chromium, needs_chromium
from plugin_build import compile_plugin
from raw_client import CLOSE
from raw_server import Conn
from weir_process import PATIENCE, ROOT, WEIR, Weir, free_port, scaled, until

SERVER = """
[server]
listen = 127.0.0.1:PORT
[log]
level_conn = debug
[route /echo]
handler = echo
[route /broadcast]
handler = broadcast
[route /room/0]
handler = broadcast
[route /room/1]
handler = broadcast
[route /room/2]
handler = broadcast
"""
SHORT = ["--duration", "500ms", "--warmup", "200ms"]

PYTHON_ECHO = """
import asyncio, sys, time, websockets
async def echo(socket):
    async for message in socket:
        await socket.send(message)
async def main():
    async with websockets.serve(echo, "127.0.0.1", int(sys.argv[1]), compression=None):
        print("ready", flush=True)
        if len(sys.argv) > 2:
            await asyncio.sleep(float(sys.argv[2]))
            time.sleep(1)
        await asyncio.Future()
asyncio.run(main())
"""
NODE_ECHO = """
const { WebSocketServer } = require("ws");
const server = new WebSocketServer({ host: "127.0.0.1", port: +process.argv[2], perMessageDeflate: process.argv[3] === "deflate" },
    () => console.log("ready"));
server.on("connection", (socket) => socket.on("message", (data, binary) => socket.send(data, { binary })));
"""


class Process:
    """Another server: a program that prints a line when it is ready, and dies with the test."""

    def __init__(self, *command):
        environment = {**os.environ, "NODE_PATH": "/usr/share/nodejs"}
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *map(str, command)], env=environment,
                                        stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise AssertionError("the other server did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class BenchTestCase(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="weir-test-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def file(self, name, text):
        path = self.directory / name
        path.write_text(text)
        return path

    def start(self, *arguments):
        command = [WEIR, "bench", "--json", self.directory / "result.json", *arguments]
        return subprocess.Popen([*map(str, command)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self, process, status=0):
        """Waits for a run. Returns its JSON (None if there is none), its stdout and its stderr."""
        stdout, stderr = process.communicate(timeout=4 * PATIENCE)
        if status is not None:
            self.assertEqual(process.returncode, status, stdout + stderr)
        path = self.directory / "result.json"
        return json.loads(path.read_text()) if path.exists() else None, stdout, stderr

    def bench(self, *arguments, status=0):
        return self.finish(self.start(*arguments), status)[0]

    def assertClean(self, result, clients):
        connections, messages = result["connections"], result["messages"]
        self.assertEqual((connections["connected"], connections["failed"], connections["dropped"]), (clients, 0, 0))
        for trouble in ("missing", "wrong", "out_of_order", "unexpected", "late"):
            self.assertEqual(messages[trouble], 0, trouble)
        self.assertEqual(messages["received"], result["latency"]["count"])

    def assertEchoes(self, result, clients):
        self.assertClean(result, clients)
        self.assertGreater(result["messages"]["sent"], 0)
        self.assertEqual(result["messages"]["sent"], result["messages"]["received"])
        self.assertEqual(result["messages"]["sent_bytes"], result["messages"]["received_bytes"])


def in_all(result, what):
    """The sum over all seconds of a run, warm-up and end included."""
    return sum(interval[what] for interval in result["intervals"])


class OnWeirTestCase(BenchTestCase):
    configuration = SERVER

    def setUp(self):
        super().setUp()
        self.start_server()

    def start_server(self):
        self.weir = Weir(self.configuration)
        self.addCleanup(self.weir.stop)

    def url(self, path="/echo"):
        return self.weir.url(path)

    def handled(self):
        """Stops the server. Returns how many messages its handlers received."""
        self.weir.process.send_signal(signal.SIGTERM)
        self.weir.process.wait(PATIENCE)
        line = self.weir.log_line("event=stopped")
        return int(re.search(r"clean=yes handled=(\d+)$", line).group(1))

    def assertHandled(self, result):
        self.assertEqual(self.handled(), in_all(result, "sent"))


class OnWeir(OnWeirTestCase):
    def start_long(self, *arguments):
        """Starts a run of one minute with 8 clients; returns when they are connected."""
        process = self.start("--clients", 8, "--duration", "60s", "--warmup", "0", *arguments, self.url())
        until(lambda: self.weir.log().count("event=open") == 8, "8 clients")
        time.sleep(0.5)
        return process

    def echo(self, *arguments, clients=5):
        result = self.bench("--clients", clients, *SHORT, *arguments, self.url())
        self.assertEchoes(result, clients)
        self.assertEqual(in_all(result, "sent"), in_all(result, "received"))
        self.assertHandled(result)
        return result

    def test_echo_results_agree_with_the_server(self):
        result = self.echo()
        self.assertEqual(result["messages"]["sent_bytes"], 20 * result["messages"]["sent"])

    def test_echo_with_window_and_threads_agrees_with_the_server(self):
        self.echo("--window", 16, "--threads", 2, clients=scaled(200, least=20))

    def test_echo_sizes_are_within_their_range(self):
        result = self.echo("--size", "100-2000", "--binary", "--window", 4)
        each = result["messages"]["sent_bytes"] / result["messages"]["sent"]
        self.assertTrue(100 < each < 2000, each)

    def test_echo_of_empty_messages_sends_no_payload(self):
        self.assertEqual(self.echo("--size", 0)["messages"]["sent_bytes"], 0)

    def test_echo_of_large_messages_agrees_with_the_server(self):
        self.echo("--size", "600KiB", "--window", 3)

    def test_compressed_echo_agrees_with_the_server(self):
        self.echo("--compress", "--size", "100-3000", "--window", 3)

    def test_large_compressed_echo_agrees_with_the_server(self):
        self.echo("--compress", "--size", "600KiB", "--window", 3)

    def test_messages_of_a_file_are_echoed(self):
        path = self.file("messages", "first\n\nZwölf Boxkämpfer\n" + "x" * 1000)
        self.echo("--message-file", path, "--window", 5)

    def test_rate_sends_as_many_messages_as_asked_for(self):
        result = self.bench("--scenario", "rate", "--rate", 400, "--clients", 4, "--threads", 2, *SHORT, self.url())
        self.assertEchoes(result, 4)
        self.assertAlmostEqual(result["messages"]["sent"], 200, delta=2)
        self.assertHandled(result)

    def test_broadcast_counts_every_receiver(self):
        for more in (["--window", 4], ["--rate", 200], ["--publishers", 3, "--threads", 2, "--binary", "--size", 100]):
            with self.subTest(more=more):
                result = self.bench("--scenario", "broadcast", "--clients", 7, *SHORT, *more, self.url("/broadcast"))
                self.assertClean(result, 7)
                self.assertGreater(result["messages"]["sent"], 0)
                self.assertEqual(result["messages"]["received"], 7 * result["messages"]["sent"])
                self.assertEqual(in_all(result, "received"), 7 * in_all(result, "sent"))

    def test_broadcast_in_rooms_counts_each_room(self):
        """8 clients in 3 rooms: 3, 3 and 2."""
        for more, senders in (([], 3), (["--publishers", 2, "--window", 4, "--threads", 3], 6),
                              (["--publishers", 2, "--threads", 2, "--rate", 600], 6)):
            with self.subTest(more=more):
                url = self.url("/room/{room}?number={room}")
                result = self.bench("--scenario", "broadcast", "--rooms", 3, "--clients", 8, *SHORT, *more, url)
                self.assertClean(result, 8)
                self.assertEqual((result["settings"]["rooms"], result["settings"]["publishers"]), (3, senders))
                self.assertGreater(in_all(result, "sent"), 0)
                self.assertTrue(2 < in_all(result, "received") / in_all(result, "sent") < 3)

    def test_messages_of_another_room_are_unexpected(self):
        """One broadcast route serves three rooms: each client gets the messages of the other two rooms as well."""
        for more in ([], ["--threads", 2]):
            with self.subTest(more=more):
                result = self.bench("--scenario", "broadcast", "--rooms", 3, "--clients", 6, *SHORT, *more,
                                    self.url("/broadcast?number={room}"), status=1)
                messages = result["messages"]
                self.assertEqual((messages["missing"], messages["wrong"], messages["out_of_order"]), (0, 0, 0))
                self.assertEqual(in_all(result, "received"), 2 * in_all(result, "sent"))
                self.assertGreater(messages["unexpected"], 0)
                self.assertRegex(result["connections"]["first_error"], r"a message of room [0-2] came to room [0-2]$")
                self.bench("--scenario", "broadcast", "--rooms", 3, "--clients", 6, *SHORT, "--fail-if", "unexpected>0",
                           self.url("/broadcast?number={room}"), status=99)

    def test_missing_messages_in_rooms_are_counted(self):
        """An echo reaches one client of three in each room."""
        result = self.bench("--scenario", "broadcast", "--rooms", 2, "--clients", 6, "--timeout", "1s", *SHORT,
                            self.url("/echo?number={room}"), status=1)
        self.assertEqual(result["messages"]["missing"], 2 * in_all(result, "sent"))
        self.assertEqual(result["messages"]["unexpected"], 0)

    def test_rooms_of_several_processes_are_merged(self):
        """Each process has its own rooms on one server; the merged result equals that of a single process."""
        servers = self.url("/room/{room}"), self.url("/broadcast?{room}")
        paths, processes = [], []
        for number, (rooms, url) in enumerate(zip((3, 1), servers)):
            paths.append(self.directory / f"{number}.json")
            processes.append(self.start("--scenario", "broadcast", "--rooms", rooms, "--clients", 3 * rooms, "--duration",
                                        "2s", "--warmup", "200ms", "--json", paths[-1], url))
        results = [self.finish(process) and json.loads(path.read_text()) for process, path in zip(processes, paths)]
        merged, stdout, _ = self.finish(self.start("--merge", *paths))
        self.assertIn("12 in 4 rooms, of which 4 publish", stdout)
        self.assertClean(merged, 12)
        self.assertEqual((merged["settings"]["rooms"], merged["settings"]["publishers"]), (4, 4))
        self.assertEqual(merged["messages"]["received"], sum(result["messages"]["received"] for result in results))

    def test_two_runs_are_compared(self):
        paths = [self.directory / name for name in ("a.json", "b.json", "idle.json", "bad.json")]
        for path in paths[:2]:
            self.bench("--clients", 2, *SHORT, "--json", path, self.url())
        self.bench("--scenario", "idle", *SHORT, "--json", paths[2], self.url())
        paths[3].write_text("{}")

        def compare(one, other):
            done = subprocess.run([WEIR, "bench", "--compare", one, other], capture_output=True, text=True, timeout=PATIENCE)
            return done.returncode, done.stdout, done.stderr

        status, stdout, _ = compare(*paths[:2])
        self.assertEqual(status, 0)
        for words in (f"A: {paths[0]}", f"B: {paths[1]}", "B / A", "Every message came back, unchanged.", "latency p99.9"):
            self.assertIn(words, stdout)
        messages = [json.loads(path.read_text())["messages"] for path in paths[:2]]
        rates = [f"{round(values['received_per_second']):,}" for values in messages]
        self.assertRegex(stdout, rf"received per second +{rates[0]} +{rates[1]} ")
        for path, words in ((paths[2], "they cannot be compared"), (paths[3], "format is missing"),
                            (self.directory / "none", "cannot be read")):
            status, stdout, stderr = compare(paths[0], path)
            self.assertEqual((status, stdout), (2, ""))
            self.assertIn(words, stderr)

    def test_echo_route_misses_broadcast_messages(self):
        result = self.bench("--scenario", "broadcast", "--clients", 3, "--timeout", "1s", *SHORT, self.url(), status=1)
        self.assertEqual(result["messages"]["missing"], 2 * in_all(result, "sent"))
        self.assertEqual(in_all(result, "received"), in_all(result, "sent"))

    def test_broadcast_route_gives_wrong_echoes(self):
        result = self.bench("--clients", 2, *SHORT, self.url("/broadcast"), status=1)
        self.assertGreater(result["messages"]["wrong"], 0)

    def test_idle_opens_all_clients_at_the_ramp(self):
        result = self.bench("--scenario", "idle", "--clients", 30, "--ramp", 100, *SHORT, self.url())
        self.assertClean(result, 30)
        self.assertEqual(max(interval["open"] for interval in result["intervals"]), 30)
        self.assertGreater(result["connections"]["connect_seconds"], 0.28)  # the 30th comes after 290 ms

    def test_connect_counts_every_handshake(self):
        result = self.bench("--scenario", "connect", "--clients", 5, *SHORT, self.url())
        connections = result["connections"]
        self.assertGreater(connections["connected"], 5)
        self.assertEqual((connections["failed"], connections["dropped"]), (0, 0))
        self.assertEqual(connections["connected"], in_all(result, "connected"))
        self.assertTrue(0 < result["handshake"]["count"] < connections["connected"])  # without the warm-up's

    @needs_chromium
    def test_charts_do_not_end_in_a_fall(self):
        """The last second of a run is never a whole one, and nothing is sent while the clients close."""
        page = self.directory / "page.html"
        self.bench("--duration", "2s", "--warmup", "0", "--clients", 3, "--html", page, self.url())

        async def drawn():
            async with Chromium() as browser:
                return await (await browser.open(page.as_uri())).run("document.body.outerHTML")

        charts = re.findall(r'<h3>([^<]*)</h3>(?:(?!<h3).)*?<path class="first" d="M([0-9.L ]+)">', asyncio.run(drawn()), re.DOTALL)
        heights = {title: [1000 - float(point.split()[1]) for point in line.split("L")] for title, line in charts}
        for title in ("Messages per second", "Connections open"):
            *before, last = heights[title]
            self.assertGreater(last, max(before) / 4, title)

    def test_several_urls_and_source_addresses_are_used(self):
        result = self.bench("--clients", 6, "--source", "127.0.0.2-127.0.0.4", *SHORT, self.url(), self.url())
        self.assertEchoes(result, 6)

    def test_unknown_route_counts_as_dropped_connections(self):
        connections = self.bench("--clients", 3, *SHORT, self.url("/nowhere"), status=1)["connections"]
        self.assertEqual((connections["connected"], connections["dropped"]), (3, 3))
        self.assertEqual(connections["failures"]["no_error"], 3)
        self.assertIn("4040", connections["first_error"])

    def test_fail_if_decides_the_exit_status(self):
        for condition, status in (("missing>0", 0), ("rate<1", 0), ("p99>=0ns", 99), ("connected<3", 99)):
            with self.subTest(condition=condition):
                self.bench("--clients", 2, *SHORT, "--fail-if", condition, self.url(), status=status)

    def test_death_of_the_server_ends_the_run_with_lost_connections(self):
        process = self.start_long()
        self.weir.process.kill()
        began = time.monotonic()
        result, _, _ = self.finish(process, status=1)
        self.weir.process.wait()
        self.assertLess(time.monotonic() - began, PATIENCE)  # not after the 60 s
        self.assertEqual((result["connections"]["connected"], result["connections"]["dropped"]), (8, 8))
        self.assertEqual(result["connections"]["failures"]["lost"], 8)
        messages = result["messages"]
        self.assertEqual(messages["sent"], messages["received"] + messages["missing"])
        self.weir.stop(status=None)

    def test_stop_of_the_server_is_reported_as_1001(self):
        process = self.start_long("--scenario", "idle")
        self.weir.process.send_signal(signal.SIGTERM)
        result, _, _ = self.finish(process, status=1)
        self.weir.process.wait(PATIENCE)
        self.assertEqual(result["connections"]["failures"]["no_error"], 8)
        self.assertIn("1001", result["connections"]["first_error"])

    def test_interrupt_ends_the_run_with_its_results(self):
        process = self.start_long()
        process.send_signal(signal.SIGINT)
        result, stdout, _ = self.finish(process, status=1)
        self.assertEchoes(result, 8)
        self.assertIn("latency", stdout)
        self.assertTrue(0 < result["measured_seconds"] < PATIENCE)

    def test_json_can_be_written_to_stdout(self):
        done = subprocess.run([WEIR, "bench", "--quiet", "--json", "-", *SHORT, self.url()], cwd=ROOT,
                              capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(json.loads(done.stdout)["connections"]["connected"], 1)


class OtherAnswers(OnWeirTestCase):
    """--expect: handlers that send other answers, no answers or too many."""

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(prefix="weir-test-")
        cls.addClassCleanup(directory.cleanup)
        plugin = compile_plugin("answers", directory.name)
        cls.configuration = (f"{SERVER}[route /hello/{{name}}]\nhandler = plugin:EXAMPLES/hello.so\n"
                             f"[route /answers/{{how}}]\nhandler = plugin:{plugin}\n")

    def test_expect_any_accepts_any_answer(self):
        """examples/hello.c sends a greeting, and its answers are not echoes."""
        for load in (["--clients", 5], ["--scenario", "rate", "--rate", 500, "--clients", 5]):
            result = self.bench(*SHORT, *load, "--expect", "any", self.url("/hello/Ada"))
            self.assertClean(result, 5)
            self.assertGreater(result["messages"]["received"], 0)
            self.assertEqual(in_all(result, "sent"), in_all(result, "received"))
            self.assertEqual(result["settings"]["expect"], "any")
        text = self.finish(self.start(*SHORT, "--expect", "echo", self.url("/hello/Ada")), status=1)[1]
        self.assertIn("changed on", text)

    def test_missing_and_surplus_answers_are_counted(self):
        result, text, _ = self.finish(self.start(*SHORT, "--timeout", "1s", "--clients", 2, "--expect", "any",
                                                 self.url("/answers/none")), status=1)
        self.assertEqual((result["messages"]["missing"], result["messages"]["received"]), (2, 0))
        self.assertIn("2 messages missing", text)
        result, text, _ = self.finish(self.start(*SHORT, "--clients", 2, "--expect", "any", self.url("/answers/twice")),
                                      status=1)
        self.assertGreater(result["messages"]["wrong"], 0)
        self.assertRegex(text, "messages? more than")

    def test_expect_none_awaits_no_answer(self):
        """The server handles every message that the result counts as sent, and no other."""
        for path, load in (("/answers/none", []), ("/answers/none", ["--window", 50]), ("/echo", ["--compress", "--size", "100-2000"]),
                           ("/answers/none", ["--scenario", "rate", "--rate", 2000])):
            with self.subTest(path=path, load=load):
                self.start_server()
                done = self.start(*SHORT, "--clients", 5, "--threads", 2, "--expect", "none", *load, self.url(path))
                result, text, _ = self.finish(done)
                self.assertEqual(result["latency"]["count"], 0)
                self.assertEqual(result["messages"]["missing"], 0)
                self.assertGreater(result["messages"]["sent_per_second"], 0)
                self.assertEqual(result["messages"]["received"] > 0, path == "/echo")
                self.assertIn("not known", text)
                self.assertHandled(result)

    def test_messages_a_slow_reader_did_not_take_are_missing(self):
        """A message counts as sent when the server's host has taken it: sockets cannot hold these 64 MiB."""
        done = self.start("--duration", "1s", "--warmup", "0", "--timeout", "1s", "--size", "1MiB", "--window", 64,
                          "--expect", "none", self.url("/answers/slow"))
        result, text, _ = self.finish(done, status=1)
        self.assertGreater(result["messages"]["missing"], 0)
        self.assertIn("never sent", text)


class OnOthers(BenchTestCase):
    def on(self, *command, options=()):
        port = free_port()
        with Process(*command[:-1], command[-1], port, *options):
            for more in (["--window", 3, "--size", 1000], ["--binary", "--size", "0-300"], ["--compress", "--size", 500]):
                with self.subTest(more=more):
                    self.assertEchoes(self.bench("--clients", 4, *SHORT, *more, f"ws://127.0.0.1:{port}/"), 4)

    def test_echo_on_python_websockets_is_clean(self):
        self.on(sys.executable, self.file("server.py", PYTHON_ECHO))

    def test_echo_on_node_ws_is_clean(self):
        self.on("node", self.file("server.cjs", NODE_ECHO))

    def test_compressed_echo_on_node_ws_is_clean(self):
        self.on("node", self.file("server.cjs", NODE_ECHO), options=["deflate"])

    def test_stall_counts_in_full_for_latency(self):
        """A stalled server delays the sending of messages, but their latency counts from the moment at which they were
        due: a stall of one second affects a third of all messages of three seconds."""
        port = free_port()
        with Process(sys.executable, self.file("server.py", PYTHON_ECHO), port, 1.5):
            result = self.bench("--scenario", "rate", "--rate", 200, "--clients", 1, "--duration", "3s", "--warmup",
                                "0", f"ws://127.0.0.1:{port}/")
        self.assertEchoes(result, 1)
        self.assertEqual(result["messages"]["sent"], 600)
        self.assertGreater(result["latency"]["p99_9_seconds"], 0.8)
        self.assertGreater(result["latency"]["p90_seconds"], 0.3)


class Failures(BenchTestCase):
    def test_refused_connections_are_counted(self):
        result, stdout, _ = self.finish(self.start("--clients", 3, *SHORT, f"ws://127.0.0.1:{free_port()}/"), status=1)
        self.assertEqual(result["connections"]["failed"], 3)
        self.assertEqual(result["connections"]["failures"]["refused"], 3)
        self.assertIn("refused", stdout)

    def test_handshakes_without_answer_time_out(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen(10)
            url = f"ws://127.0.0.1:{silent.getsockname()[1]}/"
            result = self.bench("--clients", 3, "--timeout", "300ms", *SHORT, url, status=1)
        self.assertEqual(result["connections"]["failures"]["timed_out"], 3)

    def serve_by_hand(self, clients, talk):
        """Answers `count` handshakes and then calls talk(connection) for each. Returns the URL."""
        listener = socket.socket()
        self.addCleanup(listener.close)
        listener.bind(("127.0.0.1", 0))
        listener.listen(10)

        def serve():
            for _ in range(clients):
                try:
                    connected = listener.accept()[0]
                except OSError:
                    return  # the test is over
                with connected:
                    try:
                        conn = Conn(connected)
                        conn.open()
                        talk(conn)
                    except (EOFError, OSError):
                        pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        return f"ws://127.0.0.1:{listener.getsockname()[1]}/"

    def test_rate_counts_what_a_slow_server_returns_per_second(self):
        """All messages come back in the end, but only as many per second as the server can send."""

        def echo_slowly(conn):
            while (got := conn.frame()).opcode != CLOSE:
                time.sleep(0.01)
                conn.send_frame(got.opcode, got.payload)
            conn.send_frame(CLOSE, got.payload)

        result = self.bench("--scenario", "rate", "--rate", 300, "--duration", "2s", "--warmup", "0", "--timeout", "60s",
                            self.serve_by_hand(1, echo_slowly))
        self.assertEqual(result["messages"]["received"], 600)
        self.assertGreater(result["messages"]["sent_per_second"], 200)
        self.assertLess(result["messages"]["received_per_second"], 101)

    def test_connections_that_are_reset_do_not_end_the_load(self):
        linger = struct.pack("ii", 1, 0)
        reset = lambda conn: conn.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        result = self.bench("--scenario", "connect", "--duration", "1s", "--warmup", "0", self.serve_by_hand(1000000, reset),
                            status=None)
        self.assertGreater(result["connections"]["connected"] + result["connections"]["failed"], 5)

    def test_http_refusals_are_counted(self):
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen(10)

            def refuse():
                for _ in range(3):
                    peer, _ = server.accept()
                    peer.recv(65536)
                    peer.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nbusy\n")
                    peer.close()

            thread = threading.Thread(target=refuse)
            thread.start()
            url = f"ws://127.0.0.1:{server.getsockname()[1]}/"
            result = self.bench("--clients", 3, *SHORT, url, status=1)
            thread.join()
        self.assertEqual(result["connections"]["failures"]["http"], 3)
        self.assertIn("503", result["connections"]["first_error"])

    def test_too_few_descriptors_are_reported(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
        done = subprocess.run([WEIR, "bench", "--clients", "1000", "ws://127.0.0.1:1/"], cwd=ROOT, preexec_fn=limit,
                              capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("256", done.stderr)

    def test_bench_usage_errors_are_one_line_with_status_2(self):
        url = "ws://127.0.0.1:1/"
        empty = self.file("empty", "")
        for arguments in (
            [], ["http://127.0.0.1/"], ["wss://127.0.0.1/"], ["--wrong", url], ["--clients", "0", url],
            ["--clients", "many", url], ["--scenario", "sleep", url], ["--scenario", "rate", url],
            ["--rate", "10", url], ["--window", "2", "--scenario", "idle", url], ["--publishers", "2", url],
            ["--scenario", "broadcast", "--size", "10", url], ["--scenario", "broadcast", "--publishers", "2", url],
            ["--scenario", "broadcast", "--rooms", "2", "--clients", "2", url], ["--rooms", "1", url + "{room}"],
            ["--scenario", "broadcast", url + "{room}"], [url + "{room}"],
            ["--scenario", "broadcast", "--rooms", "2", "--clients", "2", url + "{room}", url],
            ["--scenario", "broadcast", "--rooms", "3", "--clients", "2", url + "{room}"],
            ["--scenario", "broadcast", "--rooms", "2", "--clients", "3", "--publishers", "2", url + "{room}"],
            ["--scenario", "broadcast", "--rooms", "0", url + "{room}"],
            ["--expect", "nothing", url], ["--scenario", "idle", "--expect", "none", url],
            ["--scenario", "broadcast", "--expect", "any", url], ["--size", "20-10", url], ["--size", "10", "--max-size", "5", url], ["--duration", "10 sec", url],
            ["--message-file", empty, url], ["--message-file", "/nonexistent", url], ["--fail-if", "p98>1s", url],
            ["--source", "127.0.0.1-x", url], ["--header", "no colon", url], ["--subprotocol", "a b", url], ["--merge"], ["--compare", "a"],
            ["--compare", "a", "b", "c"], ["--compare", "--merge", "a", "b"], ["--compare", "--json", "-", "a", "b"],
            ["--compare", "--fail-if", "p99>1s", "a", "b"],
        ):
            with self.subTest(arguments=arguments):
                result, stdout, stderr = self.finish(self.start(*arguments), status=2)
                self.assertEqual((result, stdout), (None, ""))
                self.assertEqual(stderr.count("\n"), 1, stderr)

    def test_bench_help_names_the_options(self):
        done = subprocess.run([WEIR, "bench", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("--scenario", "--rooms", "--rate", "--fail-if", "p99.9", "--merge", "--compare"):
            self.assertIn(word, done.stdout)


if __name__ == "__main__":
    unittest.main()
