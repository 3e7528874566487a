"""test_memory_failures - malloc fails at times: the client concerned loses its connection, no other client notices.

failing_malloc.c makes it fail, in the server's code and in zlib's, while this test asks for it. First every single
allocation of a short visit fails in turn, then a random share of them under load. A client that is hit gets 503, a
Close with 1011 or a lost connection, and never a wrong answer or none.

SPDX-License-Identifier: MIT
"""

import collections
import mmap
import random
import select
import subprocess
import tempfile
import threading
import time
import unittest
import zlib
from contextlib import closing
from pathlib import Path

from process_state import MIB, SANITIZED, memory, settled_descriptors, threads
from raw_client import BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, RSV1, TEXT
from raw_client import RawClient, close_frame, frame, request, upgrade_headers
from weir_process import ROOT, Weir, until

CONFIGURATION = """[server]
listen = 127.0.0.1:PORT
workers = 4
max_half_open_per_ip = 0
max_connections_per_ip = 1000
[log]
level = warning
[route /plain]
handler = echo
compression = off
[route /on]
handler = echo
compression = on
[route /takeover]
handler = echo
compression = takeover
[route /broadcast/{group}]
handler = broadcast
[route /news]
handler = broadcast
compression = on
[route /light/{status}]
handler = plugin:EXAMPLES/light.so
delay = 1ms
[route /memory]
handler = plugin:PLUGIN
"""
PATHS = ["/plain", "/on", "/takeover", "/broadcast/one", "/light/on", "/memory", "/nowhere"]
FIXED_ANSWER = {"/light/on": (TEXT, b"the light has turned on")}
NO_ROUTE = 4040
HERE = Path(__file__).parent
TAIL = b"\x00\x00\xff\xff"


class Control:
    """The numbers that failing_malloc.c shares with this test."""

    def __init__(self, path):
        path.write_bytes(bytes(32))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 32)
        self.numbers = memoryview(self.map).cast("Q")

    def fail_once(self, number):
        self.numbers[0] = number

    def fail_one_in(self, number):
        self.numbers[1] = number

    def off(self):
        self.numbers[0] = self.numbers[1] = 0

    @property
    def countdown(self):
        return self.numbers[0]

    @property
    def failures(self):
        return self.numbers[3]


class FailingWeir(Weir):
    def __init__(self, folder):
        """`folder` is where the library and the plug-in are built."""
        library, plugin = folder / "failing_malloc.so", folder / "memory.so"
        flags = ["cc", "-std=c17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Werror", "-fno-builtin", "-shared", "-fPIC"]
        subprocess.run([*flags, "-o", library, HERE / "failing_malloc.c", "-ldl"], check=True)
        subprocess.run([*flags, "-Iinclude", "-o", plugin, HERE / "every_callback.c"], cwd=ROOT, check=True)
        self.library, self.control_file = library, folder / "control"
        self.control = Control(self.control_file)
        super().__init__(CONFIGURATION.replace("PLUGIN", str(plugin)))

    def _start(self, configuration):
        options = f"{self.environment.get('ASAN_OPTIONS', '')} verify_asan_link_order=0"
        self.environment |= {
            "LD_PRELOAD": str(self.library), "FAILING_MALLOC": str(self.control_file), "ASAN_OPTIONS": options
        }
        super()._start(configuration)


class Hit(Exception):
    """The server ended the connection in one of the ways allowed after a failed allocation."""


class Visitor:
    """A client that checks every answer."""

    def __init__(self, port, path):
        self.path = path
        self.deflater, self.inflater = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)
        try:
            self.client = RawClient(port)
            response = self.shake_hands()
        except (EOFError, ConnectionError):
            raise Hit("lost") from None
        if response.status == 503:
            raise Hit("503")
        if response.status != 101:
            raise AssertionError(f"{path}: {response}")
        extensions = response.headers.get("sec-websocket-extensions", "")
        self.compressed = "permessage-deflate" in extensions
        self.takeover = self.compressed and "no_context_takeover" not in extensions

    def shake_hands(self):
        offer = upgrade_headers(Sec_WebSocket_Extensions="permessage-deflate")
        try:
            self.client.send(request(self.path, offer))
            return self.client.response()
        except BaseException:
            self.close()
            raise

    def close(self):
        self.client.socket.close()

    def frames(self, message, fragments=1):
        opcode, payload = message
        rsv1 = RSV1 if self.compressed else 0
        if self.compressed:
            payload = (self.deflater.compress(payload) + self.deflater.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)
        if not self.takeover:
            self.deflater = zlib.compressobj(wbits=-15)
        size = len(payload) // fragments + 1
        first, *rest = (payload[start : start + size] for start in range(0, len(payload), size))
        if not rest:
            return frame(opcode, first, flags=FIN | rsv1)
        middle = b"".join(frame(CONTINUATION, piece, flags=0) for piece in rest[:-1])
        return frame(opcode, first, flags=rsv1) + middle + frame(CONTINUATION, rest[-1])

    def send(self, data):
        self.client.send_all_it_takes(data)

    def receive(self):
        """The next frame but pings, inflated, as (opcode, payload)."""
        try:
            if self.client.at_end():
                raise Hit("lost")
            compressed = self.client.buffer[0] & RSV1
            answer = self.client.frame(reserved=RSV1)
        except (EOFError, ConnectionError):
            raise Hit("lost") from None
        if answer.opcode == PING:
            return self.receive()
        if answer.opcode == CLOSE and answer.close_code == 1011:
            raise Hit("1011")
        return answer.opcode, self.inflate(answer.payload) if compressed else answer.payload

    def inflate(self, payload):
        inflated = self.inflater.decompress(payload + TAIL)
        if not self.takeover:
            self.inflater = zlib.decompressobj(wbits=-15)
        return inflated

    def expect(self, messages, pongs=()):
        """Waits for all these answers; pongs and messages may come in any order among each other."""
        expected = [FIXED_ANSWER.get(self.path, message) for message in messages]
        answers = {True: [], False: []}
        while len(answers[False]) < len(messages) or len(answers[True]) < len(pongs):
            opcode, payload = self.receive()
            answers[opcode == PONG].append((opcode, payload))
        if answers[False] != expected or answers[True] != [(PONG, pong) for pong in pongs]:
            raise AssertionError(f"{self.path} answered {str(answers)[:1000]}")


SMALL, NOISE = (TEXT, b"small"), (BINARY, random.Random(1).randbytes(20000))
LINES = (TEXT, b"".join(b'{"number": %d}\n' % number for number in range(200)))


def talk(visitor):
    """A message alone, one followed by half a ping, then the other half with three messages."""
    visitor.send(visitor.frames(SMALL))
    visitor.expect([SMALL])
    ping = frame(PING, b"p" * 125)
    visitor.send(visitor.frames(LINES) + ping[:50])
    visitor.expect([LINES])
    visitor.send(ping[50:] + visitor.frames(NOISE) + visitor.frames(LINES, fragments=3) + visitor.frames(SMALL))
    visitor.expect([NOISE, LINES, SMALL], [b"p" * 125])


def visit(port, path):
    """One client from its handshake to its Close. Returns how it ended."""
    try:
        visitor = Visitor(port, path)
    except Hit as hit:
        return str(hit)
    with closing(visitor):
        try:
            if path != "/nowhere":
                talk(visitor)
                visitor.send(close_frame(1000, b"thank you"))
            opcode, payload = visitor.receive()
        except Hit as hit:
            return str(hit)
    code = NO_ROUTE if path == "/nowhere" else 1000
    if (opcode, payload[:2]) != (CLOSE, code.to_bytes(2, "big")):
        raise AssertionError(f"{path} ended with {opcode} {payload[:100]}")
    return "served"


def reset(port, path):
    """A client that vanishes in the middle of a message."""
    try:
        visitor = Visitor(port, path)
    except Hit:
        return "reset"
    with closing(visitor):
        visitor.send(visitor.frames(SMALL) + visitor.frames(NOISE)[:-10])
        visitor.client.vanish()
    return "reset"


class News:
    """A sender of numbered messages to a route and its listeners: no listener may miss one and stay connected."""

    def __init__(self, port):
        self.port, self.editions, self.received = port, 0, 0

    def publish(self, over):
        self.editions += 1
        with closing(Visitor(self.port, "/news")) as visitor:
            number = 0
            while not over():
                news = (TEXT, b"%d %d %s" % (self.editions, number, LINES[1]))
                visitor.send(visitor.frames(news))
                visitor.expect([news])
                number += 1

    def listen(self, over):
        with closing(Visitor(self.port, "/news")) as visitor:
            expected = {}
            while not over():
                if not visitor.client.buffer and not select.select([visitor.client.socket], [], [], 0.1)[0]:
                    continue
                opcode, payload = visitor.receive()
                edition, number, lines = payload.split(b" ", 2)
                if (opcode, lines) != LINES or int(number) != expected.get(edition, int(number)):
                    raise AssertionError(f"{edition} {number} came, not {expected}")
                expected[edition] = int(number) + 1
                self.received += 1


class MemoryFailures(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="weir-test-")
        self.addCleanup(folder.cleanup)
        self.weir = FailingWeir(Path(folder.name))
        self.addCleanup(self.weir.stop)
        self.control = self.weir.control
        self.assertAllServed()
        self.descriptors, self.threads = settled_descriptors(self.weir), threads(self.weir)

    def assertAllServed(self):
        for path in PATHS:
            self.assertEqual(visit(self.weir.port, path), "served", path)

    def assertGivenBack(self):
        until(lambda: self.weir.descriptors() <= self.descriptors, "the descriptors are closed")
        self.assertEqual(threads(self.weir), self.threads)

    def test_each_failing_allocation_hurts_only_its_client(self):
        for path in PATHS:
            outcomes, number = collections.Counter(), 0
            while True:
                number += 1
                with self.subTest(path=path, allocation=number):
                    self.control.fail_once(number)
                    outcome = visit(self.weir.port, path)
                    reached = self.control.countdown == 0
                    self.control.off()
                    outcomes[outcome] += 1
                    self.assertEqual(visit(self.weir.port, path), "served")
                if not reached:
                    break
            print(f"\n    {path}: {number - 1} allocations, {dict(outcomes)}", end=" ", flush=True)
            self.assertGreater(number, 6)
            self.assertGreater(outcomes["lost"], 0)
            self.assertGreater(outcomes["503"], 0)
        self.assertGivenBack()

    def under_load(self, seconds):
        """Everything at once. Returns how often each thing happened."""
        deadline = time.monotonic() + seconds
        outcomes, wrong, news = collections.Counter(), [], News(self.weir.port)
        alone = [path for path in PATHS if not path.startswith("/broadcast")]  # where no other client sends

        def over():
            return time.monotonic() > deadline or wrong

        def keep_doing(what):
            while not over():
                try:
                    outcomes[what()] += 1
                except Hit as hit:
                    outcomes[f"news: {hit}"] += 1
                except Exception as error:  # of a thread: told by the test
                    wrong.append(error)

        def some_visit():
            act = reset if random.random() < 0.2 else visit
            return act(self.weir.port, random.choice(alone))

        doings = [some_visit] * 6 + [lambda: news.listen(over)] * 3 + [lambda: news.publish(over)]
        clients = [threading.Thread(target=keep_doing, args=[doing]) for doing in doings]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        for error in wrong:
            raise error
        self.assertGreater(news.received, 0)
        del outcomes[None]
        return outcomes

    def test_failing_allocations_under_load_leak_nothing(self):
        memory_after, outcomes = [], collections.Counter()
        for one_in in (0, 200, 20, 200, 20):
            self.control.fail_one_in(one_in)
            outcomes += self.under_load(2)
            self.control.off()
            self.assertGivenBack()
            self.assertAllServed()
            memory_after.append(memory(self.weir))
        print(f"\n    {self.control.failures} allocations failed, {dict(outcomes)}", end=" ")
        sizes = [size // 1024 for size in memory_after]
        print(f"\n    memory after each round: {sizes} KiB", end=" ", flush=True)
        for outcome in ("served", "lost", "1011", "503"):
            self.assertGreater(outcomes[outcome], 0, outcome)
        if not SANITIZED:
            self.assertLess(memory_after[-1] - memory_after[-2], 2 * MIB)


if __name__ == "__main__":
    unittest.main()
