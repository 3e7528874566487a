"""test_connect - `weir connect`: on a terminal (a pseudo-terminal whose screen is followed), in a pipe, with every
option, and against servers that are absent, silent, hostile or of another kind.

SPDX-License-Identifier: MIT
"""

import asyncio
import base64
import json
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest

import websockets

from python_websockets import choosing, request_of
from raw_client import BINARY, CLOSE, FIN, PING, PONG, TEXT, RawClient, accept_value, frame
from terminal import Terminal
from weir_process import PATIENCE, ROOT, WEIR, WeirTestCase, free_port, scaled, until

CONFIGURATION = """[server]
listen = 127.0.0.1:PORT
[websocket]
max_message_size = 4MiB
compression = on
[route /echo]
handler = echo
[route /room]
handler = broadcast
[route /chat]
handler = echo
subprotocols = chat.v2, chat.v1
"""


def connect(*arguments, stdin=b"", **options):
    """Runs `weir connect` in a pipe to its end."""
    return subprocess.run([WEIR, "connect", *map(str, arguments)], cwd=ROOT, input=stdin, capture_output=True,
                          timeout=PATIENCE, **options)


def interactively(*arguments, **options):
    return Terminal([WEIR, "connect", *arguments], **options)


class OneServer:
    """A server for one client: script(self) runs in a new thread when the request has arrived."""

    def __init__(self, script, upgrade=True):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE)
        self.url = f"ws://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.script, self.upgrade, self.error, self.request = script, upgrade, None, ""
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            self.socket, _ = self.listener.accept()
            with self.socket:
                self.socket.settimeout(PATIENCE)
                self._answer()
                self.script(self)
        except BaseException as error:
            self.error = error

    def _answer(self):
        while "\r\n\r\n" not in self.request:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError("the client went away within its request")
            self.request += data.decode("latin-1")
        if self.upgrade:
            key = self.header("Sec-WebSocket-Key")
            self.send(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      f"Sec-WebSocket-Accept: {accept_value(key)}\r\n\r\n".encode())

    def header(self, name):
        prefix = f"{name}: ".lower()
        lines = self.request.split("\r\n")
        return next((line[len(prefix):] for line in lines if line.lower().startswith(prefix)), None)

    def send(self, data):
        self.socket.sendall(data)

    def send_frame(self, opcode, payload=b"", **options):
        self.send(frame(opcode, payload, masked=False, **options))

    def _take(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError("the client ended the stream")
            data += more
        return data

    def frame(self):
        """The next frame of the client, which must be masked and short."""
        first, second = self._take(2)
        if not second & 0x80 or second & 0x7F > 125:
            raise AssertionError(f"a frame with the header {first:#x} {second:#x}")
        key, masked = self._take(4), self._take(second & 0x7F)
        return first & 0x0F, bytes(byte ^ key[i % 4] for i, byte in enumerate(masked))

    def frame_but_pings(self):
        """The next frame that is not a Ping; Pings are answered."""
        while (got := self.frame())[0] == PING:
            self.send_frame(PONG, got[1])
        return got

    def close(self, code=1000, reason=b""):
        """Closes, and ends the stream once the client has answered."""
        self.send_frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)
        while self.frame()[0] != CLOSE:
            pass

    def wait_for_end(self):
        """Until the client has gone, however it goes."""
        try:
            while self.socket.recv(65536):
                pass
        except OSError:
            pass

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.thread.join(PATIENCE)
        self.listener.close()
        if kind is None and self.error is not None:
            raise self.error


def refusal(answer):
    """A server that answers the request with these bytes and ends the stream."""
    return OneServer(lambda server: server.send(answer), upgrade=False)


# --- On a terminal --------------------------------------------------------------------------------------------


class OnATerminal(WeirTestCase):
    configuration = CONFIGURATION

    def room(self):
        client = RawClient(self.weir.port, upgrade="/room")
        self.addCleanup(client.socket.close)
        return client

    def enter(self, path="/echo", *options, **terminal_options):
        terminal = interactively(*options, self.weir.url(path), **terminal_options)
        self.addCleanup(terminal.__exit__)
        terminal.expect(f"Connected to {self.weir.url(path)}", ">")
        return terminal

    def leave(self, terminal, key="\x04", end="Connection closed: 1000 (OK)"):
        terminal.type(key)
        terminal.until(lambda: end in terminal.screen.text().split("\n"), end)
        terminal.expect_exit(0)

    def test_typed_messages_and_answers_are_shown(self):
        terminal = self.enter()
        for message in ("hello", "Grüße, 世界 🌍", '{"a": "\\n"}', ""):
            terminal.type(message + "\r")
            terminal.expect(f"> {message}".rstrip(), f"< {message}".rstrip(), ">")
        self.leave(terminal)

    def test_pasted_lines_are_sent_in_order(self):
        terminal = self.enter()
        terminal.type("one\rtwo\rthree\r")
        terminal.until(lambda: "< three" in terminal.screen.text(), "three answers")
        shown = [line for line in terminal.screen.text().split("\n") if line.startswith("< ")]
        self.assertEqual(shown, ["< one", "< two", "< three"])
        self.leave(terminal)

    def test_typed_text_survives_arriving_messages(self):
        terminal, other = self.enter("/room"), self.room()
        terminal.type("half a l")
        terminal.expect("> half a l")
        other.send(frame(TEXT, b"news"))
        terminal.expect("< news", "> half a l")
        other.send(frame(BINARY, b"\x00\xff") + frame(TEXT, b"more"))
        terminal.expect("< news", "< (binary) 00ff", "< more", "> half a l")
        terminal.type("ine\r")
        terminal.expect("> half a line", "< half a line", ">")
        self.assertEqual([other.frame().payload for _ in range(4)], [b"news", b"\x00\xff", b"more", b"half a line"])
        self.leave(terminal)

    def test_line_wider_than_the_terminal_survives_messages(self):
        for typed in ("x" * 37, "x" * 38, "x" * 39, "y" * 100, "界" * 30, "x" + "界" * 30, "é" * 78):
            with self.subTest(typed=typed):
                terminal, other = self.enter("/room", columns=40), self.room()
                terminal.type(typed)
                whole = f"> {typed}"
                shown = terminal.screen
                terminal.until(lambda: shown.text().replace("\n", "").endswith(whole), "the echo")
                before = shown.text().split("\n")
                first = next(i for i, line in enumerate(before) if line.startswith("> "))
                other.send(frame(TEXT, b"news"))
                terminal.until(lambda: "< news" in shown.text() and
                               shown.text().replace("\n", "").endswith("< news" + whole), "the line below the news")
                self.assertEqual(shown.text().split("\n"), [*before[:first], "< news", *before[first:]])
                terminal.type("\x01A")  # to the beginning, where a letter is put in
                terminal.until(lambda: shown.text().replace("\n", "").endswith("> A" + typed), "the letter")
                other.send(frame(TEXT, b"again"))
                terminal.until(lambda: shown.text().replace("\n", "").endswith("< news< again> A" + typed), "again")
                self.assertEqual(shown.cursor()[1], 3)
                terminal.type("\r")
                self.assertEqual([other.frame().payload.decode() for _ in range(3)], ["news", "again", "A" + typed])
                self.leave(terminal)

    def test_typed_text_survives_resizing(self):
        terminal, other = self.enter("/room"), self.room()
        terminal.type("short")
        terminal.expect("> short")
        terminal.resize(60, 24)
        terminal.type(" and " + "long " * 20)
        other.send(frame(TEXT, b"news"))
        terminal.until(lambda: "< news" in terminal.screen.text(), "the news")
        terminal.type("\r")
        self.assertEqual([other.frame().payload.decode() for _ in range(2)], ["news", "short and " + "long " * 20])
        self.leave(terminal)

    def test_line_editing_and_history_work(self):
        terminal = self.enter()
        for typed, line in (("first\r", "first"), ("secnod\x7f\x7f\x7fond\r", "second"), ("\x1b[A\x1b[A\r", "first"),
                            ("\x1b[A\x1b[A\x01the \r", "the second"), ("\x12fir\r", "first")):
            terminal.type(typed)
            terminal.expect(f"< {line}", ">")
        self.leave(terminal)

    def test_history_search_survives_arriving_messages(self):
        terminal, other = self.enter("/room"), self.room()
        terminal.type("a line to find\r")
        terminal.expect("< a line to find", ">")
        terminal.type("\x12to f")
        terminal.until(lambda: "bck" in terminal.screen.text(), "the search")
        other.frame()
        other.send(frame(TEXT, b"news"))
        terminal.until(lambda: "< news" in terminal.screen.text(), "the news")
        terminal.type("\r")
        self.assertEqual([other.frame().payload for _ in range(2)], [b"news", b"a line to find"])
        self.leave(terminal)

    def test_text_typed_ahead_is_neither_echoed_twice_nor_lost(self):
        """Keys that arrive between two lines are neither echoed twice nor lost."""
        for _ in range(5):
            terminal = self.enter()
            terminal.type("one\r" * 20 + "two\r\x04")
            terminal.until(lambda: "Connection closed: 1000 (OK)" in terminal.screen.text(), "the end")
            terminal.expect_exit(0)
            self.assertEqual(terminal.bytes.count(b"> one\r\n"), 20)
            self.assertEqual(terminal.bytes.count(b"\none\r\n"), 0)

    def test_ctrl_d_ctrl_c_and_close_end_the_session(self):
        for key in ("\x04", "\x03", "half a line\x03", "/close\r", "/close 1000\r"):
            with self.subTest(key=key):
                self.leave(self.enter(), key)
        self.leave(self.enter(), "/close 1000 thank you\r", "Connection closed: 1000 (OK) thank you")

    def test_signals_end_the_session(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(number=number):
                terminal = self.enter()
                terminal.process.send_signal(number)
                self.leave(terminal, "")

    def test_session_ends_when_the_terminal_goes_away(self):
        terminal = self.enter()
        os.close(terminal.master)
        self.assertEqual(terminal.process.wait(PATIENCE), 0)
        terminal.master = os.open("/dev/null", os.O_RDWR)  # for __exit__() to close

    def test_typed_text_survives_suspension(self):
        terminal, other = self.enter("/room"), self.room()
        terminal.type("half a l")
        terminal.expect("> half a l")
        os.kill(terminal.process.pid, signal.SIGTSTP)
        state = f"/proc/{terminal.process.pid}/stat"
        until(lambda: open(state).read().rsplit(")", 1)[1].split()[0] == "T", "the stop")
        other.send(frame(TEXT, b"news"))
        os.kill(terminal.process.pid, signal.SIGCONT)
        terminal.until(lambda: "< news" in terminal.screen.text(), "the news")
        terminal.type("ine\r")
        self.assertEqual([other.frame().payload for _ in range(2)], [b"news", b"half a line"])
        self.leave(terminal)

    def test_dumb_terminal_shows_answers(self):
        for name in ("dumb", "unknown-terminal"):
            environment = {"TERM": name}
            with self.subTest(name), interactively(self.weir.url("/echo"), environment=environment) as terminal:
                terminal.expect(">")
                terminal.type("hello\r")
                terminal.until(lambda: "< hello" in terminal.screen.text(), "the answer")
                self.leave(terminal)

    def test_utf8_is_shown_in_the_c_locale(self):
        terminal = self.enter(environment={"LC_ALL": "C"})
        terminal.type("Grüße\r")
        terminal.expect("> Grüße", "< Grüße", ">")
        self.leave(terminal)

    def test_slash_commands_are_executed_or_refused(self):
        terminal = self.enter()
        for typed, answer in (("/binary 00 fF\r", "< (binary) 00ff"), ("//ping\r", "< /ping")):
            terminal.type(typed)
            terminal.expect(answer, ">")
        terminal.type("/ping abc\r")
        terminal.until(lambda: "pong abc: " in terminal.screen.text(), "the pong")
        terminal.type("/help\r")
        terminal.until(lambda: "/close [CODE [REASON]]" in terminal.screen.text(), "the help")
        for typed, answer in (("/nonsense\r", "no command /nonsense; /help lists them"),
                              ("/close 1005\r", "may not be sent"),
                              ("/binary 0\r", "/binary 00ff"), ("/ping " + "x" * 126 + "\r", "at most 125 bytes")):
            terminal.type(typed)
            terminal.until(lambda: answer in terminal.screen.text(), answer)
        self.leave(terminal)

    def test_close_command_sends_its_code(self):
        terminal = self.enter()
        terminal.type("/close 4000 bye\r")
        terminal.until(lambda: "Connection closed: 4000 (private use)" in terminal.screen.text(), "the end")
        terminal.expect_exit(0)

    def test_pongs_are_shown_on_a_terminal(self):
        """The first pong may come before the test looks."""
        with interactively("--ping", "0.05", self.weir.url("/echo")) as terminal:
            terminal.until(lambda: b"pong 3: " in terminal.bytes, "three pongs")
            self.assertIn(f"Connected to {self.weir.url('/echo')}".encode(), terminal.bytes)
            self.leave(terminal)

    def test_subprotocol_and_compression_are_shown(self):
        with interactively("--compress", "-s", "chat.v2", self.weir.url("/chat")) as terminal:
            terminal.expect(f"Connected to {self.weir.url('/chat')}, subprotocol chat.v2, compressed", ">")
            terminal.type("x" * 60 + "\r")
            terminal.expect("< " + "x" * 60, ">")
            self.leave(terminal)

    def test_password_is_not_shown(self):
        with interactively(self.weir.url("/echo").replace("//", "//me:secret@")) as terminal:
            terminal.expect(f"Connected to {self.weir.url('/echo')}", ">")
            self.leave(terminal)
            self.assertNotIn(b"secret", terminal.bytes)

    def test_close_of_the_server_is_shown_with_its_name(self):
        with interactively(self.weir.url("/nowhere")) as terminal:
            terminal.until(lambda: "Connection closed: 4040 (private use) no route for /nowhere" in
                           terminal.screen.text(), "the end")
            terminal.expect_exit(1)

    def test_stop_of_the_server_is_shown_after_its_messages(self):
        """In the middle of a line, with messages before the Close."""

        def script(server):
            server.send_frame(TEXT, b"last words")
            server.frame_but_pings()
            server.send_frame(TEXT, b"very last words")
            server.close(1001, b"maintenance \x1b[2J")

        with OneServer(script) as server, interactively(server.url) as terminal:
            terminal.expect("< last words", ">")
            terminal.type("x\rhalf a line")
            terminal.until(lambda: "Connection closed: 1001 (going away) maintenance \\x1b[2J" in
                           terminal.screen.text(), "the end")
            terminal.expect_exit(0)
            self.assertIn("< very last words", terminal.screen.text())

    def test_control_characters_of_a_server_are_escaped(self):
        """No text from the server moves the cursor."""
        shown = {
            "\x1b[2J\x1b[H": "\\x1b[2J\\x1b[H", "\x1b]0;title\x07": "\\x1b]0;title\\x07",
            "a\rb\nc\td": "a\\rb\\nc\\td",
            "\x9b2J": "\\u009b2J", "\u202eabc": "\\u202eabc", "\u2066\u2028": "\\u2066\\u2028",
            "\x00\x7f": "\\x00\\x7f",
            "\U000e0041": "\\U000e0041", "\\x1b": "\\x1b", "ümlaut 世界": "ümlaut 世界",
        }

        def script(server):
            for text in shown:
                server.send_frame(TEXT, text.encode())
            server.frame_but_pings()
            server.send_frame(CLOSE, struct.pack("!H", 1000))

        with OneServer(script) as server, interactively(server.url) as terminal:
            terminal.expect(*(f"< {text}" for text in shown.values()), ">")
            for text in ("\x1b[2J", "\x1b]", "\x9b", "\u202e", "\x07"):
                self.assertNotIn(text.encode(), terminal.bytes)
            self.leave(terminal)

    def test_keys_are_read_during_a_flood(self):
        """Keys are read all the same."""

        def script(server):
            try:
                while True:
                    server.send_frame(TEXT, b"flood " * 10)
            except OSError:
                pass

        with OneServer(script) as server, interactively(server.url) as terminal:
            terminal.until(lambda: "< flood" in terminal.screen.text(), "the flood")
            terminal.type("\x03")
            deadline = time.monotonic() + PATIENCE
            while terminal.process.poll() is None and time.monotonic() < deadline:
                terminal.read(0.05)
                terminal.type("\x03")  # once closes, and the server does not answer the Close
            self.assertIn(terminal.process.poll(), (1, -signal.SIGINT))


# --- In a pipe -------------------------------------------------------------------------------------------------


class InAPipe(WeirTestCase):
    configuration = CONFIGURATION

    def assertTalk(self, arguments, stdin, stdout, stderr=b"", status=0):
        done = connect(*arguments, stdin=stdin)
        self.assertEqual((done.stdout, done.stderr, done.returncode), (stdout, stderr, status))

    def test_lines_become_messages_and_messages_become_lines(self):
        url = self.weir.url("/echo")
        self.assertTalk([url], b"", b"")
        self.assertTalk([url], b"hello\n", b"hello\n")
        self.assertTalk([url], b"no newline at the end", b"no newline at the end\n")
        self.assertTalk([url], b"one\n\n/ping\n//x\n", b"one\n\n/ping\n//x\n")
        self.assertTalk([url], "Grüße 世界\r\n\x00\x1b\n".encode(), "Grüße 世界\r\n\x00\x1b\n".encode())

    def test_few_answers_are_never_missed(self):
        for _ in range(scaled(50, least=10)):
            self.assertTalk([self.weir.url("/echo")], b"hello\n", b"hello\n")

    def test_a_hundred_megabytes_come_back(self):
        lines = b"".join(b"%06d " % number + b"x" * 1000 + b"\n" for number in range(scaled(100_000)))
        for options in ([], ["--compress"]):
            done = connect(*options, self.weir.url("/echo"), stdin=lines)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(done.stdout == lines, f"{len(done.stdout)} of {len(lines)} bytes came back")

    def test_long_lines_come_back(self):
        lines = b"x" * 1_000_000 + b"\n" + b"y" * 70_000 + b"\n"
        self.assertTalk([self.weir.url("/echo")], lines, lines)

    def test_newlines_become_spaces(self):
        self.assertTalk(["-w", "0.5", "-x", '{\n "a": 1\n}\n', self.weir.url("/echo")], b"", b'{  "a": 1 } \n')

    def test_slow_output_pauses_input_without_memory(self):
        """The output is not read while the input is much larger than the memory allowed."""
        size, limit = scaled(64 << 20), 400 << 20
        limits = None
        if "asan" not in str(WEIR) and "tsan" not in str(WEIR):  # those need terabytes of addresses
            limits = lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        line = b"z" * 65535 + b"\n"
        process = subprocess.Popen([WEIR, "connect", self.weir.url("/echo")], cwd=ROOT, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, preexec_fn=limits)
        feeder = threading.Thread(target=self.feed, args=(process, line * (size // len(line))))
        feeder.start()
        time.sleep(1)
        feeder_waited = feeder.is_alive()
        with open(f"/proc/{process.pid}/statm") as statm:
            resident = int(statm.read().split()[1]) * 4096
        with process.stdout:
            got = sum(len(part) for part in iter(lambda: process.stdout.read(1 << 20), b""))
        feeder.join()
        self.assertEqual((process.wait(PATIENCE), got), (0, size // len(line) * len(line)))
        if limits is not None:
            self.assertTrue(feeder_waited)
            self.assertLess(resident, 16 << 20)

    def test_closed_output_ends_the_program_quietly(self):
        lines = b"some line\n" * scaled(20_000)
        process = subprocess.Popen([WEIR, "connect", self.weir.url("/echo")], cwd=ROOT, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        feeder = threading.Thread(target=self.feed, args=(process, lines))
        feeder.start()
        self.assertEqual(process.stdout.readline(), b"some line\n")
        process.stdout.close()
        self.assertEqual((process.wait(PATIENCE), process.stderr.read()), (0, b""))
        feeder.join()
        process.stderr.close()

    @staticmethod
    def feed(process, data):
        try:
            with process.stdin:
                process.stdin.write(data)
        except BrokenPipeError:
            pass

    def test_output_closed_while_idle_ends_the_program(self):
        process = subprocess.Popen([WEIR, "connect", self.weir.url("/echo")], cwd=ROOT, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        with process.stdin:
            process.stdout.close()
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_full_output_is_reported(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([WEIR, "connect", self.weir.url("/echo")], cwd=ROOT, input=b"hello\n", stdout=full,
                                  stderr=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, b"weir connect: the output cannot be written: No space left on device\n")

    def test_output_to_a_terminal_is_escaped(self):
        """No decoration, but no characters that move the cursor either."""
        command = f"printf 'a\\033[2J\\n' | '{WEIR}' connect {self.weir.url('/echo')}"
        with Terminal(["sh", "-c", command]) as terminal:
            terminal.expect_exit(0)
            self.assertEqual(terminal.screen.text(), "a\\x1b[2J")

    def test_signals_close_the_connection(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number=number):
                process = subprocess.Popen([WEIR, "connect", self.weir.url("/echo")], cwd=ROOT, stdin=subprocess.PIPE,
                                           stdout=subprocess.PIPE)
                with process.stdin, process.stdout:
                    process.stdin.write(b"hello\n")
                    process.stdin.flush()
                    self.assertEqual(process.stdout.readline(), b"hello\n")
                    process.send_signal(number)
                    self.assertEqual(process.wait(PATIENCE), 0)

    def test_answers_are_printed_at_once(self):
        process = subprocess.Popen([WEIR, "connect", self.weir.url("/echo")], cwd=ROOT, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        with process.stdin, process.stdout:
            for line in (b"one\n", b"two\n"):
                process.stdin.write(line)
                process.stdin.flush()
                self.assertTrue(select.select([process.stdout], [], [], PATIENCE)[0])
                self.assertEqual(os.read(process.stdout.fileno(), 100), line)
            process.stdin.close()
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_lines_that_cannot_be_sent_are_reported(self):
        self.assertTalk([self.weir.url("/echo")], b"good\n\xff\nnever sent\n", b"good\n",
                        b"weir connect: line 2: not UTF-8 text; with --binary bytes are written in hexadecimal "
                        b"digits\n", 1)
        self.assertTalk(["--binary", self.weir.url("/echo")], b"00\n0g\n", b"00\n",
                        b"weir connect: line 2: not hexadecimal digits in pairs, as --binary wants them: 00ff\n", 1)

    def test_binary_reads_and_prints_hexadecimal_digits(self):
        self.assertTalk(["--binary", self.weir.url("/echo")], b"00fF 7f\n\n", b"00ff7f\n\n")

    def test_slash_enables_commands(self):
        lines = b"/binary 00ff\n//x\n/ping a\n/close 4001 bye\nnever sent\n"
        done = connect("--slash", self.weir.url("/echo"), stdin=lines)
        self.assertEqual((done.stdout, done.returncode), (b"00ff\n/x\n", 0))
        self.assertRegex(done.stderr, rb"\Apong a: [0-9.]+ ms\n\Z")
        self.assertTalk(["--slash", self.weir.url("/echo")], b"/nonsense\n", b"",
                        b"weir connect: line 1: no command /nonsense; /help lists them, and a second slash in front "
                        b"sends the line as it is\n", 1)

    def test_execute_sends_its_messages_and_wait_waits(self):
        start = time.monotonic()
        arguments = ["-x", "one", "--execute", "two", "--wait", "0.5", self.weir.url("/echo")]
        self.assertTalk(arguments, b"never read\n", b"one\ntwo\n")
        self.assertGreaterEqual(time.monotonic() - start, 0.5)

    def test_wait_prints_messages_after_the_end_of_input(self):
        def script(server):
            server.frame_but_pings()
            time.sleep(0.3)
            server.send_frame(TEXT, b"late")
            server.frame_but_pings()
            server.send_frame(CLOSE, struct.pack("!H", 1000))

        with OneServer(script) as server:
            self.assertTalk(["--wait", "1.5", server.url], b"early\n", b"late\n")

    def test_messages_after_our_close_are_printed(self):
        def script(server):
            self.assertEqual(server.frame_but_pings(), (TEXT, b"hello"))
            self.assertEqual(server.frame_but_pings()[0], CLOSE)
            server.send_frame(TEXT, b"late")
            time.sleep(0.2)
            server.send_frame(TEXT, b"later")
            server.send_frame(CLOSE, struct.pack("!H", 1000))

        with OneServer(script) as server:
            self.assertTalk(["--wait", "0", server.url], b"hello\n", b"late\nlater\n")

    @staticmethod
    def answer_late(server, texts, messages=1):
        """Reads `messages` messages, then sends each text after half a second, unless a Close arrives before."""
        for _ in range(messages):
            assert server.frame_but_pings()[0] == TEXT
        for text in texts:
            if not select.select([server.socket], [], [], 0.5)[0]:
                server.send_frame(TEXT, text)

    @staticmethod
    def answer_close(server):
        while server.frame_but_pings()[0] != CLOSE:
            pass
        server.send_frame(CLOSE, struct.pack("!H", 1000))

    def test_slow_answers_are_awaited(self):
        def script(server):
            self.answer_late(server, (b"one", b"two", b"three"), messages=3)
            last = time.monotonic()
            self.answer_close(server)
            self.assertLess(time.monotonic() - last, 8)  # it has not waited for more

        for arguments, stdin in (([], b"1\n2\n3\n"), (["-x", "1", "-x", "2", "-x", "3"], b"")):
            with self.subTest(arguments=arguments), OneServer(script) as server:
                self.assertTalk([*arguments, server.url], stdin, b"one\ntwo\nthree\n")

    def test_earlier_message_does_not_count_as_answer(self):
        def script(server):
            server.send_frame(TEXT, b"welcome")
            self.answer_late(server, [b"answer"])
            self.answer_close(server)

        with OneServer(script) as server:
            process = subprocess.Popen([WEIR, "connect", server.url], cwd=ROOT, stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
            with process.stdout:
                self.assertEqual(process.stdout.readline(), b"welcome\n")
                with process.stdin:
                    process.stdin.write(b"question\n")
                self.assertEqual(process.stdout.read(), b"answer\n")
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_missing_answers_are_reported_after_10_s(self):
        def silent(server):
            self.answer_close(server)

        def answers_once(server):
            self.answer_late(server, [b"one for all"], messages=2)
            self.answer_close(server)

        with OneServer(silent) as one, OneServer(answers_once) as other:
            command = [WEIR, "connect", "-x", "1", "-x", "2", one.url]
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertTalk(["-x", "1", "-x", "2", other.url], b"", b"one for all\n")
            out, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual((out, process.returncode), (b"", 1))
        self.assertEqual(errors, b"weir connect: no answer within 10 s; --wait sets how long to wait, 0 not at all\n")

    def test_close_without_end_of_stream_ends_the_program(self):
        def script(server):
            server.send_frame(CLOSE, struct.pack("!H", 1000))
            server.wait_for_end()

        with OneServer(script) as server:
            self.assertTalk(["--wait", "20", server.url], b"", b"")

    def test_pongs_are_printed_to_stderr(self):
        done = connect("--ping", "0.05", "--wait", "0.5", self.weir.url("/echo"))
        self.assertEqual((done.stdout, done.returncode), (b"", 0))
        self.assertRegex(done.stderr, rb"\Apong 1: [0-9.]+ ms\npong 2: [0-9.]+ ms\n")

    def test_output_is_one_json_text_per_line(self):
        command = f"'{WEIR}' connect -w 0.5 -x '{{\"a\":\n [1,2]}}' {self.weir.url('/echo')} | tr -d ' '"
        done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=PATIENCE)
        self.assertEqual(json.loads(done.stdout), {"a": [1, 2]})


# --- Options and errors ----------------------------------------------------------------------------------------


class Failures(WeirTestCase):
    configuration = CONFIGURATION

    def assertFails(self, arguments, *parts, status=1):
        """One line on stderr that has these parts, nothing on stdout."""
        done = connect(*arguments)
        text = done.stderr.decode()
        self.assertEqual((done.stdout, done.returncode, text.count("\n")), (b"", status, 1), text)
        for part in parts:
            self.assertIn(part, text)

    def test_refused_connection_is_reported(self):
        url = f"ws://127.0.0.1:{free_port()}/"
        self.assertFails([url], f"Failed to connect to {url}: connection refused")

    def test_closed_standard_stream_is_reported(self):
        """The connection does not get the number of the closed stream: nothing is read from it or printed to it."""
        for number, what in ((0, "line 1"), (1, "output")):
            done = connect(self.weir.url("/echo"), stdin=b"hello\n", preexec_fn=lambda: os.close(number))
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(what, done.stderr.decode())
            self.assertIn("Bad file descriptor", done.stderr.decode())

    def test_unknown_host_name_is_reported(self):
        self.assertFails(["ws://nonexistent.invalid/"], "Failed to connect to ws://nonexistent.invalid/: ")

    def test_unusable_source_is_reported(self):
        self.assertFails(["--source", "192.0.2.1", self.weir.url("/echo")], "192.0.2.1")
        self.assertFails(["--source", "here", self.weir.url("/echo")], '"here"', status=2)

    def test_http_errors_are_reported(self):
        with refusal(b"HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\nnot \x1b here") as server:
            self.assertFails([server.url], "HTTP 404", "\\x1b")
        with refusal(b"HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n") as server:
            self.assertFails([server.url], "HTTP 301")
        self.assertFails(["--origin", "http://evil.example", self.weir.url("/echo")], "HTTP 403")

    def test_server_without_websocket_is_reported(self):
        with refusal(b"220 mail.example ESMTP\r\n") as server:
            self.assertFails([server.url], f"Failed to connect to {server.url}: ")
        with refusal(b"") as server:
            self.assertFails([server.url], "does it speak WebSocket")

    def test_wss_is_refused_without_tls(self):
        self.assertFails([f"wss://127.0.0.1:{self.weir.port}/"], "TLS")

    def test_silent_server_times_out(self):
        with OneServer(lambda server: server.wait_for_end(), upgrade=False) as server:
            start = time.monotonic()
            self.assertFails(["--timeout", "1", server.url], "no response to the opening handshake within 1 s")
            self.assertLess(time.monotonic() - start, PATIENCE / 2)

    def test_unknown_route_is_reported_with_4040(self):
        self.assertFails([self.weir.url("/nowhere")], "Connection closed: 4040 (private use) no route for /nowhere")

    def test_masked_frames_are_refused_with_1002(self):
        def script(server):
            server.send(frame(TEXT, b"masked"))
            server.wait_for_end()

        with OneServer(script) as server:
            self.assertFails(["-w", "5", server.url], "Connection closed: 1002 (protocol error)", "mask")

    def test_message_that_is_too_big_is_refused_with_1009(self):
        def script(server):
            server.send_frame(BINARY, length=1 << 30)
            server.wait_for_end()

        for options in ([], ["--max-size", "1023MiB"]):
            with OneServer(script) as server:
                self.assertFails([*options, "-w", "5", server.url], "Connection closed: 1009 (message too big)")

    def test_max_size_sets_the_largest_message(self):
        line = b"x" * 2_000_000 + b"\n"
        self.assertEqual(connect("-m", "2G", self.weir.url("/echo"), stdin=line).stdout, line)
        done = connect(self.weir.url("/echo"), stdin=line)
        self.assertEqual((done.stdout, done.returncode), (b"", 1))
        self.assertIn(b"1009 (message too big)", done.stderr)

    def test_lost_connection_is_reported_as_1006(self):
        def script(server):
            server.send_frame(TEXT, b"last words")

        with OneServer(script) as server:
            done = connect("-w", "5", server.url)
        self.assertEqual((done.stdout, done.returncode), (b"last words\n", 1))
        self.assertIn(b"Connection closed: 1006 (abnormal closure [internal])", done.stderr)

    def test_close_code_of_the_server_decides_the_exit_status(self):
        for code, status in ((1000, 0), (1001, 0), (None, 0), (1008, 1), (1011, 1), (1013, 1), (3000, 1), (4999, 1)):
            def script(server):
                server.close(code)

            with self.subTest(code=code), OneServer(script) as server:
                done = connect("-w", "5", server.url)
                self.assertEqual((done.stdout, done.returncode), (b"", status))
                self.assertEqual(b"Connection closed: %d (" % (code or 1005) in done.stderr, status == 1)

    def test_connect_usage_errors_exit_with_2(self):
        url = self.weir.url("/echo")
        for arguments, part in (
            ([], "Give a URL"), ([url, url], "comes after the URL"), (["--nonsense", url], "unknown option --nonsense"),
            (["-Z", url], "unknown option -Z"), (["--wait"], "--wait needs an argument"),
            (["--binary=1", url], "no argument"),
            (["-w", "soon", url], '"soon"'), (["-w", "-1", url], '"-1"'), (["--ping", "0", url], "too short"),
            (["--timeout", "0", url], "too short"), (["-m", "1MB", url], "64KiB"), (["-m", "0", url], "64KiB"),
            (["-H", "no colon", url], "Name: value"), (["-a", "me", url], "user:password"),
            (["-s", ",", url], "subprotocol"),
            (["http://127.0.0.1/"], "ws://"), (["ws://127.0.0.1:99999/"], ""), (["-H", "Host: x", url], "Host"),
            (["-H", "X: a\r\nY: b", url], ""), (["-s", "a b;c", url], ""),
        ):
            with self.subTest(arguments=arguments):
                self.assertFails(arguments, part, status=2)

    def test_connect_help_fits_24_lines(self):
        done = connect("--help")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        lines = done.stdout.decode().split("\n")[:-1]
        self.assertLessEqual(len(lines), 24)
        self.assertLessEqual(max(map(len, lines)), 100)
        for option in ("header", "subprotocol", "origin", "auth", "execute", "wait", "binary", "ping", "compress",
                       "timeout", "max-size", "source", "slash", "help"):
            self.assertIn(f"--{option} ", done.stdout.decode())


class PythonServer(unittest.TestCase):
    """A server with Debian's python3-websockets: it sends the request that it got, then echoes."""

    @classmethod
    def setUpClass(cls):
        cls.loop = asyncio.new_event_loop()
        cls.thread = threading.Thread(target=cls.loop.run_forever)
        cls.thread.start()
        cls.addClassCleanup(cls.stop)
        cls.server = asyncio.run_coroutine_threadsafe(cls.serve(), cls.loop).result(PATIENCE)
        cls.url = "ws://127.0.0.1:%d/path?query" % cls.server.sockets[0].getsockname()[1]

    @classmethod
    async def serve(cls):
        async def handler(websocket):
            path, fields = request_of(websocket)
            headers = {name.lower(): fields.get_all(name) for name in fields}
            await websocket.send(json.dumps({"path": path, "subprotocol": websocket.subprotocol, "headers": headers,
                                             "peer": websocket.remote_address[0]}))
            async for message in websocket:
                await websocket.send(message)

        return await websockets.serve(handler, "127.0.0.1", 0, **choosing("v2", "v1"))

    @classmethod
    def stop(cls):
        async def close():
            cls.server.close()
            await cls.server.wait_closed()

        asyncio.run_coroutine_threadsafe(close(), cls.loop).result(PATIENCE)
        cls.loop.call_soon_threadsafe(cls.loop.stop)
        cls.thread.join()
        cls.loop.close()

    def ask(self, *arguments, stdin=b""):
        done = connect(*arguments, stdin=stdin)
        self.assertEqual((done.stderr, done.returncode), (b"", 0))
        first, *rest = done.stdout.split(b"\n")
        return json.loads(first), rest[:-1]

    def test_headers_of_the_options_are_sent(self):
        asked, _ = self.ask("-H", "X-One: 1", "--header", "X-Two: a b", "-H", "X-One: 2", "-o", "http://a.example",
                            "--auth", "me:sécret:x", "--source", "127.0.0.9", "-w", "0.5", self.url)
        self.assertEqual(asked["path"], "/path?query")
        self.assertEqual(asked["peer"], "127.0.0.9")
        headers = asked["headers"]
        self.assertEqual((headers["x-one"], headers["x-two"]), (["1", "2"], ["a b"]))
        self.assertEqual(headers["origin"], ["http://a.example"])
        self.assertEqual(headers["authorization"], ["Basic " + base64.b64encode("me:sécret:x".encode()).decode()])
        self.assertNotIn("sec-websocket-extensions", headers)

    def test_no_optional_headers_are_sent_by_default(self):
        headers = self.ask("-w", "0.5", self.url)[0]["headers"]
        for name in ("origin", "authorization", "sec-websocket-protocol", "sec-websocket-extensions"):
            self.assertNotIn(name, headers)

    def test_subprotocol_options_are_sent(self):
        self.assertEqual(self.ask("-s", "v1", "-w", "0.5", self.url)[0]["subprotocol"], "v1")
        asked, _ = self.ask("-s", "v1,v2", "--subprotocol", "soap", "-w", "0.5", self.url)
        self.assertEqual(asked["headers"]["sec-websocket-protocol"], ["v1, v2, soap"])

    def test_python_server_echoes_lines(self):
        for options in ([], ["--compress"]):
            said = "hello\nGrüße\n".encode() + b"x" * 5000 + b"\n"
            asked, lines = self.ask(*options, "-w", "0.5", self.url, stdin=said)
            self.assertEqual(lines, [b"hello", "Grüße".encode(), b"x" * 5000])
            self.assertEqual("sec-websocket-extensions" in asked["headers"], options != [])

    def test_python_server_echoes_on_a_terminal(self):
        with interactively(self.url, columns=200) as terminal:
            terminal.until(lambda: '< {"path"' in terminal.screen.text(), "the greeting")
            terminal.type("hello\r/ping\r")
            for answer in ("< hello", "pong: "):
                terminal.until(lambda: answer in terminal.screen.text(), answer)
            terminal.type("\x04")
            terminal.until(lambda: "Connection closed: 1000 (OK)" in terminal.screen.text(), "the end")
            terminal.expect_exit(0)


if __name__ == "__main__":
    unittest.main()
