"""rfc7692_framing - the cases of RFC 7692, 6: the bit that marks a compressed message, its fragments, what stays
plain.

SPDX-License-Identifier: MIT
"""

from contextlib import ExitStack

from deflate import (
    HELLO, HELLO_AGAIN, HELLO_IN_TWO, WINDOWS, agreed, comes_compressed, compressed, deflated, exchange, fragments,
    offering, sends, upgraded,
)
from raw_client import BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, RSV1, RSV2, RSV3, TEXT, close_frame, frame
from script import Rule, chopped, closes, comes, comes_on_the_wire, fails

BITS = {"RSV2": RSV2, "RSV3": RSV3, "RSV2+3": RSV2 | RSV3, "RSV1+2": RSV1 | RSV2, "RSV1+3": RSV1 | RSV3,
        "RSV1+2+3": RSV1 | RSV2 | RSV3}
CONTROL = {"close": (CLOSE, b"\x03\xe8"), "ping": (PING, HELLO), "pong": (PONG, HELLO)}
TEXTS = [f"{number} Sätze, " for number in range(2000)]
SENTENCE, SHORTER = ("".join(TEXTS[:number]).encode() for number in (2000, 300))
DEFLATED = deflated(SENTENCE)
BEGUN = {"plain": frame(TEXT, b"Hel", flags=0), "compressed": frame(TEXT, HELLO[:3], flags=RSV1)}


def on_echo(*steps):
    return (*upgraded("/echo"), *steps)


def on_takeover(*steps):
    return (*upgraded("/takeover"), *steps)


def hello(*steps):
    """A short answer of a server without takeover is plain, since it does not become smaller."""
    return on_echo(*steps, comes(TEXT, b"Hello"))


def cut(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


def sentence(*pieces, between=b"", pongs=0):
    return on_echo(fragments(TEXT, *pieces, between=between), *[comes(PONG, b"p")] * pongs,
                   comes_compressed(TEXT, SENTENCE))


BIT = [
    Rule("6", "RSV1 on a frame that continues a message fails the connection with 1002.", {
        **{f"on {which} fragment of a {name} message": on_echo(begun + frame(CONTINUATION, HELLO[3:], flags=flags),
                                                              fails(1002))
           for name, begun in BEGUN.items() for which, flags in (("the last", FIN | RSV1), ("a middle", RSV1))},
        "on an empty fragment": on_echo(BEGUN["compressed"] + frame(CONTINUATION, flags=RSV1), fails(1002)),
        "without a message": on_echo(frame(CONTINUATION, HELLO, flags=FIN | RSV1), fails(1002)),
        "its first byte alone": on_echo(BEGUN["compressed"] + b"\xc0", fails(1002)),
    }, path=None, rfc=7692),
    Rule("6", "RSV1 on a control frame fails the connection with 1002.", {
        **{f"on a {name}": on_echo(frame(opcode, payload, flags=FIN | RSV1), fails(1002))
           for name, (opcode, payload) in CONTROL.items()},
        **{f"on an empty {name}": on_echo(frame(opcode, flags=FIN | RSV1), fails(1002))
           for name, (opcode, payload) in CONTROL.items()},
        **{f"on a {name} within a compressed message": on_takeover(
            BEGUN["compressed"] + frame(opcode, payload, flags=FIN | RSV1), fails(1002))
           for name, (opcode, payload) in CONTROL.items()},
    }, path=None, rfc=7692),
    Rule("6", "The other reserved bits and reserved opcodes are still errors (1002).", {
        **{f"{name} on a message": on_echo(frame(TEXT, HELLO, flags=FIN | bits), fails(1002))
           for name, bits in BITS.items()},
        **{f"RSV1 on opcode {opcode:#x}": on_echo(frame(opcode, HELLO, flags=FIN | RSV1), fails(1002))
           for opcode in (3, 7, 11, 15)},
        "a compressed message within a compressed one": on_echo(BEGUN["compressed"] + compressed(TEXT, HELLO),
                                                                fails(1002)),
        "a plain message within a compressed one": on_echo(BEGUN["compressed"] + frame(TEXT, b"x"), fails(1002)),
        "a compressed message that is not masked": on_echo(
            frame(TEXT, HELLO, flags=FIN | RSV1, masked=False), fails(1002)),
    }, path=None, rfc=7692),
    Rule("6", "A message without RSV1 is not compressed, whatever was negotiated.", {
        "a plain text": hello(frame(TEXT, b"Hello")),
        "a plain message that looks compressed": on_takeover(frame(BINARY, HELLO), comes_compressed(BINARY, HELLO)),
        "plain fragments": hello(frame(TEXT, b"Hel", flags=0) + frame(CONTINUATION, b"lo")),
        "a plain empty message": on_echo(frame(TEXT), comes(TEXT)),
        "plain and compressed by turns": on_echo(
            (frame(TEXT, b"Hello") + compressed(TEXT, HELLO)) * 5, *[comes(TEXT, b"Hello")] * 10),
        "plain ones between compressed ones leave the window as it is": on_takeover(
            compressed(TEXT, HELLO) + frame(TEXT, b"other text") + compressed(TEXT, HELLO_AGAIN),
            *(comes_compressed(TEXT, text) for text in (b"Hello", b"other text", b"Hello"))),
        "a plain text that is not UTF-8": on_echo(frame(TEXT, b"\xff"), fails(1007)),
    }, path=None, rfc=7692),
]

FRAGMENTS = [
    Rule("6.1", "A message is compressed as a whole; fragments may be split anywhere.", {
        **{f"Hello cut at {at}": hello(fragments(TEXT, HELLO[:at], HELLO[at:])) for at in range(len(HELLO) + 1)},
        "Hello in fragments of one byte": hello(fragments(TEXT, *cut(HELLO, 1))),
        "Hello in fragments of one byte, all of TCP's, too": hello(*chopped(fragments(TEXT, *cut(HELLO, 1)))),
        "the first fragment empty": hello(fragments(TEXT, b"", HELLO)),
        "the last fragment empty": hello(fragments(TEXT, HELLO, b"")),
        "empty fragments all over": hello(fragments(TEXT, b"", HELLO[:2], b"", b"", HELLO[2:], b"")),
        "two blocks, a fragment for each": hello(fragments(TEXT, HELLO_IN_TWO[:8], HELLO_IN_TWO[8:])),
        **{f"a long text in fragments of {size}": sentence(*cut(DEFLATED, size))
           for size in (1, 2, 3, 125, 126, 997, 4096)},
        "a long text in chops of 997": on_echo(*chopped(compressed(TEXT, DEFLATED), 997),
                                               comes_compressed(TEXT, SENTENCE)),
        "a text byte by byte": on_echo(*chopped(compressed(TEXT, deflated(SHORTER))),
                                       comes_compressed(TEXT, SHORTER)),
        "fragments on a stream that goes on": on_takeover(
            fragments(TEXT, HELLO[:3], HELLO[3:]) + fragments(TEXT, *cut(HELLO_AGAIN, 2)),
            *[comes_compressed(TEXT, b"Hello")] * 2),
    }, path=None, rfc=7692),
    Rule("6.1", "Control frames may come between the fragments, and are answered at once.", {
        "a ping at each place of Hello": hello(
            fragments(TEXT, *cut(HELLO, 1), between=frame(PING, b"p")), *[comes(PONG, b"p")] * (len(HELLO) - 1)),
        "pings between the fragments of a long text": sentence(
            *cut(DEFLATED, 500), between=frame(PING, b"p"), pongs=len(cut(DEFLATED, 500)) - 1),
        "pongs between the fragments of a long text": sentence(*cut(DEFLATED, 500), between=frame(PONG, b"p")),
        "answered before the message is whole": hello(
            BEGUN["compressed"] + frame(PING, b"p"), comes(PONG, b"p"), frame(CONTINUATION, HELLO[3:])),
        "a ping between, byte by byte": hello(
            *chopped(fragments(TEXT, HELLO[:4], HELLO[4:], between=frame(PING, b"p"))), comes(PONG, b"p")),
        "a Close between": on_echo(BEGUN["compressed"] + close_frame(1000), closes(1000)),
    }, path=None, rfc=7692),
]



def pong_stays_plain(path, payload):
    return (*upgraded(path), frame(PING, payload), comes_on_the_wire(frame(PONG, payload, masked=False)))


def pair(path, offer=""):
    """Messages of both kinds, by turns."""
    return (*upgraded(path, offer), *exchange(SHORTER, opcode=TEXT), *exchange(SHORTER, opcode=BINARY),
            *exchange(b"a" * 300, opcode=TEXT))


def to_all(path, *payloads):
    """Each message goes to clients of the room with every window, and to one without compression."""

    def step(client):
        _, port = client.socket.getpeername()
        with ExitStack() as stack:
            members = [client, stack.enter_context(type(client)(port, upgrade=path))]
            for offer in ("", "; server_no_context_takeover", *(f"; server_max_window_bits={n}" for n in WINDOWS)):
                member = stack.enter_context(type(client)(port))
                member.send(offering(path, f"permessage-deflate{offer}"))
                agreed(offer)(member)
                members.append(member)
            for payload in payloads:
                sends(TEXT, payload)(client)
                for member in members:
                    comes_compressed(TEXT, payload, must=member.agreement is not None)(member)

    return (*upgraded(path), step)


SENT = [
    Rule("6", "The server sets RSV1 on the first frame of a compressed message, and keeps the opcode.", {
        "text and binary": pair("/echo"),
        "text and binary, with takeover": pair("/takeover"),
        "to all members of a room, each with its window": to_all("/room", SENTENCE, b"a" * 500, SHORTER),
        "to all members of a room, each with its window and context": to_all(
            "/room/takeover", SENTENCE, b"a" * 500, SHORTER, SENTENCE),
    }, path=None, rfc=7692),
    Rule("6", "The server's control frames are never compressed.", {
        **{f"a pong of {len(payload)}, {path}": pong_stays_plain(path, payload)
           for path in ("/echo", "/takeover") for payload in (b"", b"Hello", b"a" * 125)},
        **{f"a Close with a reason, {path}": (*upgraded(path), close_frame(1000, b"a" * 123), closes(1000))
           for path in ("/echo", "/takeover")},
        "a Close of a failure, with takeover": on_takeover(*exchange(b"a" * 100), frame(3), fails(1002)),
    }, path=None, rfc=7692),
    Rule("6", "A payload that is compressed already comes back unchanged.", {
        f"{name}, {path}": (*upgraded(path), sends(BINARY, payload), comes_compressed(BINARY, payload, must=None))
        for name, payload in {"Hello, deflated": HELLO, "a long text, deflated": DEFLATED,
                              "deflated twice": deflated(DEFLATED)}.items()
        for path in ("/echo", "/takeover")
    }, path=None, rfc=7692),
]

RULES = BIT + FRAGMENTS + SENT
