"""rfc6455_sequence - the cases of RFC 6455, 5.4 and 5.5: fragments, and the control frames Ping and Pong.

SPDX-License-Identifier: MIT
"""

from raw_client import BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, TEXT, frame
from script import Rule, chopped, comes, fails

CONTROL = {"close": CLOSE, "ping": PING, "pong": PONG}


def fragments(opcode, *payloads):
    """A message in these fragments."""
    opcodes = [opcode] + [CONTINUATION] * (len(payloads) - 1)
    flags = [0] * (len(payloads) - 1) + [FIN]
    return b"".join(frame(code, payload, flags=flag) for code, payload, flag in zip(opcodes, payloads, flags))


def echo(opcode, *payloads):
    return (fragments(opcode, *payloads), comes(opcode, b"".join(payloads)))


def begun(opcode=TEXT, payload=b"begun"):
    return frame(opcode, payload, flags=0)


def pings(*payloads):
    return (b"".join(frame(PING, payload) for payload in payloads), *(comes(PONG, payload) for payload in payloads))


RULES = [
    Rule("5.4", "The fragments of a message come back as one message.", {
        "text in two": echo(TEXT, b"one ", b"two"),
        "binary in three": echo(BINARY, b"\x00", b"\xff\xfe", b"\x01"),
        "all fragments empty": echo(TEXT, b"", b"", b""),
        "first fragment empty": echo(BINARY, b"", b"payload"),
        "last fragment empty": echo(TEXT, b"payload", b""),
        "a hundred of one byte": echo(BINARY, *(bytes([number]) for number in range(100))),
        "fragments of 0, 1, 125, 126, 65536": echo(BINARY, *(bytes(size) for size in (0, 1, 125, 126, 65536))),
        "1 MiB in fragments of 4096": echo(BINARY, *[bytes(4096)] * 256),
        "byte by byte": (*chopped(fragments(TEXT, b"one ", b"two ", b"three")), comes(TEXT, b"one two three")),
        "two messages in a row": (
            fragments(TEXT, b"a", b"b") + fragments(BINARY, b"c", b"d"), comes(TEXT, b"ab"), comes(BINARY, b"cd"),
        ),
        "whole, fragmented, whole": (
            frame(TEXT, b"1") + fragments(TEXT, b"2", b"3") + frame(TEXT, b"4"),
            comes(TEXT, b"1"), comes(TEXT, b"23"), comes(TEXT, b"4"),
        ),
    }),
    Rule("5.4", "A continuation without a message to continue fails the connection with 1002.", {
        "continuation first": (frame(CONTINUATION, b"x"), fails(1002)),
        "unfinished continuation first": (frame(CONTINUATION, b"x", flags=0), fails(1002)),
        "empty continuation first": (frame(CONTINUATION), fails(1002)),
        "continuation after a whole message": (
            frame(TEXT, b"whole") + frame(CONTINUATION, b"x"), comes(TEXT, b"whole"), fails(1002),
        ),
        "continuation after the last fragment": (
            fragments(TEXT, b"a", b"b") + frame(CONTINUATION, b"x"), comes(TEXT, b"ab"), fails(1002),
        ),
        "continuation after a ping": (frame(PING) + frame(CONTINUATION, b"x"), comes(PONG), fails(1002)),
    }),
    Rule("5.4", "A new message within a fragmented one fails the connection with 1002.", {
        "text within text": (begun() + frame(TEXT, b"x"), fails(1002)),
        "binary within text": (begun() + frame(BINARY, b"x"), fails(1002)),
        "text within binary": (begun(BINARY) + frame(TEXT, b"x"), fails(1002)),
        "binary within binary": (begun(BINARY) + frame(BINARY, b"x"), fails(1002)),
        "two unfinished texts": (begun() + begun(), fails(1002)),
        "text after a continuation": (begun() + frame(CONTINUATION, flags=0) + frame(TEXT, b"x"), fails(1002)),
        "text after a ping within a text": (begun() + frame(PING) + frame(TEXT), comes(PONG), fails(1002)),
    }),
    Rule("5.4", "Control frames may come between fragments and are answered at once.", {
        "ping between fragments": (
            begun(), frame(PING, b"p"), comes(PONG, b"p"),
            frame(CONTINUATION, b" done"), comes(TEXT, b"begun done"),
        ),
        "pings between many fragments": (
            begun(TEXT, b""), *(step for number in range(20) for step in
                                (frame(PING, b"%d" % number) + frame(CONTINUATION, b".", flags=0),
                                 comes(PONG, b"%d" % number))),
            frame(CONTINUATION), comes(TEXT, b"." * 20),
        ),
        "ping between fragments, byte by byte": (
            *chopped(begun() + frame(PING, b"ping") + frame(CONTINUATION, b" done")),
            comes(PONG, b"ping"), comes(TEXT, b"begun done"),
        ),
        "ping within a character": (
            begun(TEXT, b"\xe2\x82") + frame(PING), comes(PONG),
            frame(CONTINUATION, b"\xac"), comes(TEXT, "€".encode()),
        ),
        "pong between fragments": (
            begun() + frame(PONG, b"p") + frame(CONTINUATION, b" done"), comes(TEXT, b"begun done"),
        ),
    }),
    Rule("5.5", "A control frame of more than 125 bytes fails the connection with 1002.", {
        **{f"{name} of 126": (frame(opcode, b"\x03\xe8" + bytes(124)), fails(1002))
           for name, opcode in CONTROL.items()},
        **{f"{name} of 65536": (frame(opcode, b"\x03\xe8" + bytes(65534)), fails(1002))
           for name, opcode in CONTROL.items()},
        **{f"{name} of 126, two bytes sent": (bytes([0x80 | opcode, 0xFE]), fails(1002))
           for name, opcode in CONTROL.items()},
    }),
    Rule("5.5", "A fragmented control frame fails the connection with 1002.", {
        **{f"unfinished {name}": (frame(opcode, flags=0), fails(1002)) for name, opcode in CONTROL.items()},
        **{f"{name} in two": (frame(opcode, b"\x03", flags=0) + frame(CONTINUATION, b"\xe8"), fails(1002))
           for name, opcode in CONTROL.items()},
        "unfinished ping within a text": (begun() + frame(PING, flags=0), fails(1002)),
    }),
    Rule("5.5.2", "A Ping is answered with a Pong that carries its payload (5.5.3).", {
        "ping of 0": pings(b""),
        "ping of text": pings(b"hello"),
        "ping of bytes that are not UTF-8": pings(b"\x00\xff\xfe\xfd\xc0"),
        "ping of 125": pings(bytes(range(125))),
        "ten pings in a row": pings(*(b"%d" % number for number in range(10))),
        "ten pings of 125 in a row": pings(*(bytes([number]) * 125 for number in range(10))),
        "ten pings in a row, byte by byte": (
            *chopped(pings(*(b"%d" % number for number in range(10)))[0]),
            *(comes(PONG, b"%d" % number) for number in range(10)),
        ),
        "ping of 125, byte by byte": (*chopped(frame(PING, bytes(125))), comes(PONG, bytes(125))),
        "ping after a message": (frame(TEXT, b"one") + frame(PING, b"p"), comes(TEXT, b"one"), comes(PONG, b"p")),
    }),
    Rule("5.5.3", "An unsolicited Pong is not answered.", {
        "pong of 0": (frame(PONG),),
        "pong of 125": (frame(PONG, bytes(125)),),
        "ten pongs in a row": (frame(PONG, b"p") * 10,),
        "pong, then ping": (frame(PONG, b"a") + frame(PING, b"b"), comes(PONG, b"b")),
    }),
]
