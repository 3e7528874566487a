"""raw_client - HTTP and WebSocket by hand, for what a well-behaved client never does. Standard library only.

SPDX-License-Identifier: MIT
"""

import base64
import hashlib
import os
import socket
import struct
from typing import NamedTuple

from weir_process import PATIENCE

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN, RSV1, RSV2, RSV3 = 0x80, 0x40, 0x20, 0x10

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # the sample of RFC 6455, 1.3
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_value(key):
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()


def upgrade_headers(**changes):
    """The headers of a right upgrade request as (name, value) pairs. A change replaces a value; None leaves the
    header out. `Sec_WebSocket_Key` stands for Sec-WebSocket-Key."""
    headers = {
        "Host": "127.0.0.1",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
    }
    headers.update({name.replace("_", "-"): value for name, value in changes.items()})
    return [(name, value) for name, value in headers.items() if value is not None]


def request(path, headers=None, method="GET", version="1.1"):
    """A request as bytes; a right upgrade if no headers are given."""
    headers = upgrade_headers() if headers is None else headers
    lines = [f"{method} {path} HTTP/{version}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def mask(payload, key):
    repeated = key * (len(payload) // 4 + 1)
    return bytes(byte ^ mask_byte for byte, mask_byte in zip(payload, repeated))


def frame(opcode, payload=b"", *, flags=FIN, masked=True, length=None):
    """A frame as bytes. `length` is what the header says if that is not the payload's size."""
    length = len(payload) if length is None else length
    mask_bit = 0x80 if masked else 0
    if length < 126:
        header = struct.pack("!BB", flags | opcode, mask_bit | length)
    elif length < 65536:
        header = struct.pack("!BBH", flags | opcode, mask_bit | 126, length)
    else:
        header = struct.pack("!BBQ", flags | opcode, mask_bit | 127, length)
    key = os.urandom(4) if masked else b""
    return header + key + (mask(payload, key) if masked else payload)


def close_frame(code, reason=b""):
    return frame(CLOSE, struct.pack("!H", code) + reason)


class Response(NamedTuple):
    status: int
    headers: dict  # names in lower case
    body: bytes


class Frame(NamedTuple):
    opcode: int
    payload: bytes

    @property
    def close_code(self):
        return struct.unpack("!H", self.payload[:2])[0]


class RawClient:
    """One TCP connection. Nothing waits for ever: a server silent for PATIENCE seconds is a TimeoutError."""

    def __init__(self, port, upgrade=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        if upgrade is not None:
            self.send(request(upgrade))
            response = self.response()
            if response.status != 101:
                raise AssertionError(f"upgrade of {upgrade}: {response}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_all_it_takes(self, data):
        """Sends to a server that may hang up in the middle, which is no error."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def vanish(self):
        """Closes with a reset, as a client that was killed with data unread."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _fill(self):
        """Reads some more. False at the end of the stream."""
        data = self.socket.recv(65536)
        self.buffer += data
        return bool(data)

    def _take(self, size):
        while len(self.buffer) < size:
            if not self._fill():
                raise EOFError(f"the stream ended {size - len(self.buffer)} bytes early: {self.buffer[:100]}")
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def response(self):
        while b"\r\n\r\n" not in self.buffer:
            if not self._fill():
                raise EOFError(f"no whole HTTP response: {self.buffer[:100]}")
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        status_line, *lines = head.decode("latin-1").split("\r\n")
        status = int(status_line.split()[1])
        headers = {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        return Response(status, headers, b"" if status == 101 else self._body(headers))

    def _body(self, headers):
        if "content-length" in headers:
            return self._take(int(headers["content-length"]))
        while self._fill():
            pass
        return self._take(len(self.buffer))

    def frame(self, reserved=0):
        """The next frame of the server, which must be whole, unmasked and without reserved bits but those allowed."""
        first, second = self._take(2)
        if first & 0x70 & ~reserved or not first & FIN or second & 0x80:
            raise AssertionError(f"the server sent a frame with the header {first:#x} {second:#x}")
        length = second
        if length == 126:
            (length,) = struct.unpack("!H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._take(8))
        return Frame(first & 0x0F, self._take(length))

    def at_end(self):
        """True if the server has ended the stream in order; a reset raises ConnectionResetError."""
        return not self.buffer and not self._fill()


class SmallWindow(RawClient):
    """A client whose kernel buffers little of what the client does not read."""

    def __init__(self, port, upgrade):
        self.socket = socket.socket()
        self.socket.settimeout(PATIENCE)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        self.socket.connect(("127.0.0.1", port))
        self.buffer = b""
        self.send(request(upgrade))
        if self.response().status != 101:
            raise AssertionError(f"upgrade of {upgrade}")


def fetch(port, data):
    """Sends one request on a connection of its own. Returns the response."""
    with RawClient(port) as client:
        client.send_all_it_takes(data)
        return client.response()
