"""raw_server - a WebSocket server by hand, for what a well-behaved one never does. Standard library only.

SPDX-License-Identifier: MIT
"""

import socket
import struct
import threading

from raw_client import CLOSE, FIN, Frame, accept_value, frame
from weir_process import PATIENCE


class Conn:
    """One client of a RawServer."""

    def __init__(self, connected):
        self.socket = connected
        self.socket.settimeout(PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()

    def take(self, size):
        while len(self.buffer) < size:
            data = self.socket.recv(1 << 20)
            if not data:
                raise EOFError
            self.buffer += data
        taken = bytes(self.buffer[:size])
        del self.buffer[:size]
        return taken

    def request(self):
        """The head of the request: its first line, its headers with names in lower case."""
        while b"\r\n\r\n" not in self.buffer:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            self.buffer += data
        head, _, rest = bytes(self.buffer).partition(b"\r\n\r\n")
        self.buffer = bytearray(rest)
        first, *lines = head.decode().split("\r\n")
        return first, {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}

    def send(self, data):
        self.socket.sendall(data)

    def answer(self, headers, *, status="HTTP/1.1 101 Switching Protocols", behind=b"", **changes):
        """A right answer to these request headers, but for the changes; None leaves a header out."""
        answered = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Accept": accept_value(headers["sec-websocket-key"]),
        }
        answered.update({name.replace("_", "-"): value for name, value in changes.items()})
        lines = [status, *(f"{name}: {value}" for name, value in answered.items() if value is not None), "", ""]
        self.send("\r\n".join(lines).encode() + behind)

    def open(self, **changes):
        self.answer(self.request()[1], **changes)

    def frame(self):
        """The next frame of the client, which must be whole and masked, without reserved bits."""
        first, second = self.take(2)
        if first & 0x70 or not first & FIN or not second & 0x80:
            raise AssertionError(f"the client sent a frame with the header {first:#x} {second:#x}")
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self.take(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self.take(8))
        self.mask = self.take(4)
        payload = self.take(length)
        repeated = (self.mask * (length // 4 + 1))[:length]
        unmasked = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
        return Frame(first & 0x0F, unmasked.to_bytes(length, "big"))

    def send_frame(self, opcode, payload=b"", **options):
        self.send(frame(opcode, payload, masked=False, **options))

    def close(self, code=1000, reason=b""):
        """Sends a Close and reads up to the client's; returns that. Then ends the stream."""
        self.send_frame(CLOSE, struct.pack("!H", code) + reason)
        return self.expect_close()

    def expect_close(self):
        while (got := self.frame()).opcode != CLOSE:
            pass
        self.socket.close()
        return got

    def answer_close(self):
        """Reads up to the client's Close, answers it, ends the stream."""
        while (got := self.frame()).opcode != CLOSE:
            pass
        self.send_frame(CLOSE, got.payload)
        self.socket.close()
        return got

    def at_end(self):
        return not self.buffer and not self.socket.recv(1)


class RawServer:
    """Serves one client with serve(conn), on a thread. What that returns is `result`; what it raises, the block
    raises."""

    def __init__(self, serve, backlog=8, buffers=None):
        self.listener = socket.socket()
        if buffers is not None:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffers)
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffers)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(backlog)
        self.listener.settimeout(PATIENCE)
        self.port = self.listener.getsockname()[1]
        self.serve, self.result, self.error = serve, None, None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def url(self, path="/"):
        return f"ws://127.0.0.1:{self.port}{path}"

    def _run(self):
        try:
            connected, _ = self.listener.accept()
            with connected:
                self.result = self.serve(Conn(connected))
        except BaseException as error:
            self.error = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.thread.join(PATIENCE)
        self.listener.close()
        if kind is None and self.error is not None:
            raise self.error
