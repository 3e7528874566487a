"""drain_client - many clients of an echo on one thread, as fast as the server answers, who check each byte.

Every client sends the same messages, which are their own numbers, and always has `window` of them under way.
What comes back must be a prefix of their echo, then one Close, which is answered, then the end of the stream.
Every other client's last message is always cut in two, so that a stop meets clients in the middle of a frame.

SPDX-License-Identifier: MIT
"""

import select
import socket
import struct
import time
from typing import NamedTuple

from raw_client import BINARY, CLOSE, FIN, RawClient
from weir_process import PATIENCE

HEADERS = struct.Struct("!BB4sQ"), struct.Struct("!BBQ")  # a client's frame, masked with zeros; the server's
SENT_SIZE, ECHO_SIZE = (header.size for header in HEADERS)
CUT = 5  # bytes that a message cut in two lacks
CLOSE_ANSWER = struct.pack("!BB4sH", FIN | CLOSE, 0x80 | 2, bytes(4), 1001)


class Messages(NamedTuple):
    """All that a client may send, and all that it may get."""

    sent: bytes
    echo: bytes

    @classmethod
    def numbered(cls, count):
        sent, echo = HEADERS
        return cls(
            b"".join(sent.pack(FIN | BINARY, 0x80 | 8, bytes(4), number) for number in range(count)),
            b"".join(echo.pack(FIN | BINARY, 8, number) for number in range(count)),
        )


def common_size(a, b):
    """How many bytes they have in common at the start."""
    return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))


class Client:
    def __init__(self, port, path, messages, cut):
        raw = RawClient(port, upgrade=path)
        self.socket = raw.socket
        self.socket.setblocking(False)
        self.messages = messages
        self.cut = cut
        self.sent_bytes = self.echo_bytes = 0
        self.close_frame = b""
        self.close_code = self.closed_at = None
        self.ended = False
        self.error = None

    @property
    def received(self):
        """Whole messages."""
        return self.echo_bytes // ECHO_SIZE

    def keep_under_way(self, window):
        end = (self.received + window) * SENT_SIZE - self.cut
        if end > len(self.messages.sent):
            raise AssertionError("there are too few messages for this server")
        self._send(self.messages.sent[self.sent_bytes : end])

    def _send(self, data):
        """So little is under way that a socket takes it at once."""
        try:
            size = self.socket.send(data)
            self.sent_bytes += size
            if size < len(data):
                self.fail(f"sent {size} of {len(data)} bytes")
        except OSError as error:
            self.fail(f"sending: {error!r}")

    def fail(self, error):
        self.error = self.error or f"{error}, after {self.received} messages"
        self.ended = True

    def read(self):
        """Takes what has come."""
        try:
            data = self.socket.recv(65536)
        except OSError as error:
            self.fail(f"receiving: {error!r}")
            return
        if data == b"":
            self._end()
        elif self.close_frame:
            self._take_close(data)
        else:
            self._take_echo(data)

    def _take_echo(self, data):
        start = self.echo_bytes
        expected = self.messages.echo[start : start + len(data)]
        if data == expected:
            self.echo_bytes += len(data)
            return
        size = common_size(data, expected)
        self.echo_bytes += size
        if self.echo_bytes % ECHO_SIZE != 0 or data[size] != FIN | CLOSE:
            self.fail(f"received {data[size : size + 2 * ECHO_SIZE].hex(' ')}")
        else:
            self._take_close(data[size:])

    def _take_close(self, data):
        """The Close, and nothing behind it."""
        self.close_frame += data
        size = 2 + self.close_frame[1] if len(self.close_frame) >= 4 else None
        if size is None or len(self.close_frame) < size:
            return
        if len(self.close_frame) > size or self.close_code is not None:
            self.fail(f"received after the Close: {self.close_frame[size:].hex(' ')}")
            return
        self.closed_at = time.monotonic()
        (self.close_code,) = struct.unpack_from("!H", self.close_frame, 2)
        rest_of_message = self.messages.sent[self.sent_bytes : -(-self.sent_bytes // SENT_SIZE) * SENT_SIZE]
        self._send(rest_of_message + CLOSE_ANSWER)

    def _end(self):
        if self.close_code is None:
            self.fail("the stream ended without a Close")
        self.ended = True


class Crowd:
    """`count` clients of `path`. Nobody sends anything if `window` is 0."""

    def __init__(self, port, path, count, window, messages):
        self.window = window
        self.poll = select.epoll()
        self.clients = [Client(port, path, messages, CUT * (i % 2)) for i in range(count)]
        self.by_descriptor = {client.socket.fileno(): client for client in self.clients}
        for descriptor in self.by_descriptor:
            self.poll.register(descriptor, select.EPOLLIN)
        if window > 0:
            for client in self.clients:
                client.keep_under_way(window)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.poll.close()
        for client in self.clients:
            client.socket.close()

    def run(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._turn()

    def run_until(self, condition, what):
        end = time.monotonic() + 2 * PATIENCE
        while not condition():
            self._turn()
            if time.monotonic() > end:
                open_clients = sum(not client.ended for client in self.clients)
                raise AssertionError(f"{what}: not within {2 * PATIENCE} s; {open_clients} clients are open")

    def run_to_the_end(self):
        self.run_until(lambda: not self.by_descriptor, "the end of every stream")

    def _turn(self):
        for descriptor, _ in self.poll.poll(0.05):
            client = self.by_descriptor[descriptor]
            client.read()
            if self.window > 0 and not client.close_frame and not client.ended:
                client.keep_under_way(self.window)
            if client.ended:
                del self.by_descriptor[descriptor]
                client.socket.close()

    def closed(self):
        return sum(client.close_code is not None for client in self.clients)

    def received(self):
        return sum(client.received for client in self.clients)

    def errors(self):
        return [client.error for client in self.clients if client.error]

    def codes(self):
        return {client.close_code for client in self.clients}

    def spread(self):
        """Seconds from the first Close to the last."""
        times = [client.closed_at for client in self.clients]
        return max(times) - min(times)
