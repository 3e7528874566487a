"""script - the parts of a conformance case. A rule is a sentence of an RFC with the cases that check it. A case is a
name and its steps, played in order on a new connection: bytes are sent, anything else is called with the client and
raises AssertionError if the server does not send the expected data. A step whose `last` is true has seen the stream
end; after any other last step the connection must still work (run).

SPDX-License-Identifier: MIT
"""

import socket
import struct
from typing import NamedTuple

from raw_client import CLOSE, KEY, accept_value, close_frame, frame


class Rule(NamedTuple):
    section: str
    text: str
    cases: dict  # name: steps
    path: str | None = "/echo"  # upgraded before the first step; None: the steps begin with the request
    rfc: int = 6455


def chopped(data, size=1):
    """The steps that send this in pieces."""
    return tuple(data[start : start + size] for start in range(0, len(data), size))


def last(step):
    """Marks a step after which the connection is closed."""
    step.last = True
    return step


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def comes(opcode, payload=b""):
    """Expects one whole frame."""

    def step(client):
        answer = client.frame()
        expect(answer == (opcode, payload), f"{short(answer)} came, not {short((opcode, payload))}")

    return step


def comes_on_the_wire(data):
    """Expects exactly these bytes."""

    def step(client):
        came = client.take(len(data))
        expect(came == data, f"{came[:20]} came, not {data[:20]}")

    return step


def short(opcode_and_payload):
    opcode, payload = opcode_and_payload
    return f"opcode {opcode} with {len(payload)} bytes {payload[:20]}"


def must_end(client):
    """The server ends the stream in order; a reset raises ConnectionResetError."""
    expect(client.at_end(), f"{client.buffer[:20]} came where the stream had to end")


def must_close(client, code):
    """Expects a Close with this code (None: without a body)."""
    answer = client.frame()
    expect(answer.opcode == CLOSE, f"{short(answer)} came, not a Close")
    came = answer.close_code if answer.payload else None
    expect(came == code, f"the close code is {came}, not {code}: {answer.payload[2:]}")
    answer.payload[2:].decode()


def closes(code):
    """The client's Close is answered with its code; then the stream ends."""

    def step(client):
        must_close(client, code)
        must_end(client)

    return last(step)


def fails(code, *, answer=None):
    """The server fails the connection: a Close with the code; after the client's answer, which has it too, the end."""

    def step(client):
        must_close(client, code)
        client.send_all_it_takes(close_frame(code) if answer is None else answer)
        must_end(client)

    return last(step)


@last
def ends(client):
    """The stream ends without a Close."""
    must_end(client)


def half_close(client):
    """The client ends its direction of the stream."""
    client.socket.shutdown(socket.SHUT_WR)


def accepted(key=KEY, protocol=None):
    """The handshake is answered as 4.2.2 requires."""

    def step(client):
        response = client.response()
        headers = response.headers
        expect(response.status == 101, f"the status is {response.status}, not 101: {response.body}")
        expect(headers.get("upgrade", "").lower() == "websocket", f"Upgrade: {headers.get('upgrade')}")
        expect(headers.get("connection", "").lower() == "upgrade", f"Connection: {headers.get('connection')}")
        expect(headers.get("sec-websocket-accept") == accept_value(key), "the accept value is not the key's")
        selected = headers.get("sec-websocket-protocol")
        expect(selected == protocol, f"the subprotocol is {selected}, not {protocol}")
        expect("sec-websocket-extensions" not in headers, "an extension is selected")

    return step


def refused(status, **headers):
    """The handshake is refused with this status. Headers are named like Sec_WebSocket_Version."""

    def step(client):
        response = client.response()
        expect(response.status == status, f"the status is {response.status}, not {status}")
        for name, value in headers.items():
            name = name.replace("_", "-").lower()
            expect(response.headers.get(name) == value, f"{name} is {response.headers.get(name)}, not {value}")

    return last(step)


def long_frame(opcode, payload, width, length=None):
    """A masked frame whose length has 2 or 8 bytes, needed or not; `length` as in frame()."""
    length = len(payload) if length is None else length
    bits, marker = ("!BBH", 126) if width == 2 else ("!BBQ", 127)
    return struct.pack(bits, 0x80 | opcode, 0x80 | marker, length) + frame(opcode, payload)[-len(payload) - 4 :]
