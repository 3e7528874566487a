"""rfc6455_closing - the cases of RFC 6455, 5.5.1 and 7: Close frames, their codes, and how the TCP stream ends.

SPDX-License-Identifier: MIT
"""

from raw_client import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_frame, frame
from script import Rule, chopped, closes, comes, ends, fails, half_close

ALLOWED = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999)
FORBIDDEN = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 9999, 65535)
MAX_MESSAGE_SIZE = 1 << 20
BAD_REASONS = {
    "FF": b"\xff", "overlong": b"\xc0\xaf", "a surrogate": b"\xed\xa0\x80", "above U+10FFFF": b"\xf4\x90\x80\x80",
    "a character cut off": b"ok \xe2\x82", "wrong at byte 123": b"x" * 122 + b"\x80",
}
FAILURE = frame(3)


def close_of(payload):
    return frame(CLOSE, payload)


CLOSE_FRAMES = [
    Rule("5.5.1", "A Close is answered with a Close; then the server ends the TCP stream (7.1.1).", {
        "close without a body": (frame(CLOSE), closes(None)),
        "close byte by byte": (*chopped(close_frame(1000, b"done")), closes(1000)),
        "close after a message": (
            frame(TEXT, b"last words") + close_frame(1000), comes(TEXT, b"last words"), closes(1000),
        ),
        "close after a message of 1 MiB": (
            frame(BINARY, bytes(MAX_MESSAGE_SIZE)) + close_frame(1000), comes(BINARY, bytes(MAX_MESSAGE_SIZE)),
            closes(1000),
        ),
        "close after a ping": (frame(PING, b"p") + close_frame(1001), comes(PONG, b"p"), closes(1001)),
        "close within a message": (frame(TEXT, b"begun", flags=0) + close_frame(1000), closes(1000)),
        "close and half-close at once": (close_frame(1000), half_close, closes(1000)),
    }),
    Rule("5.5.1", "Data after a Close is discarded: no answer, no reset.", {
        "text after close": (close_frame(1000) + frame(TEXT, b"late"), closes(1000)),
        "ping after close": (close_frame(1000) + frame(PING, b"late"), closes(1000)),
        "a second close": (close_frame(1000) + close_frame(1001), closes(1000)),
        "an invalid frame after close": (close_frame(1000) + FAILURE, closes(1000)),
        "100 KiB after close": (close_frame(1000) + frame(BINARY, bytes(100 << 10)), closes(1000)),
        "a continuation after close": (
            frame(TEXT, b"begun", flags=0) + close_frame(1000) + frame(CONTINUATION, b"late"), closes(1000),
        ),
    }),
    Rule("5.5.1", "A body of one byte holds no code: 1002.", {
        "one byte": (close_of(b"\x03"), fails(1002)),
        "one byte, zero": (close_of(b"\x00"), fails(1002)),
    }),
    Rule("5.5.1", "The reason is UTF-8, else 1007 (8.1), of at most 123 bytes, else 1002.", {
        "empty reason": (close_frame(1000), closes(1000)),
        "reason of one byte": (close_frame(1000, b"x"), closes(1000)),
        "reason of 123 bytes": (close_frame(1000, b"x" * 123), closes(1000)),
        "reason of 123 bytes in characters of three": (close_frame(1000, "€".encode() * 41), closes(1000)),
        "reason with every length of character": (close_frame(4000, "aä€🌍".encode()), closes(4000)),
        "reason of 124 bytes": (close_frame(1000, b"x" * 124), fails(1002)),
        **{f"reason with {name}": (close_frame(1000, reason), fails(1007)) for name, reason in BAD_REASONS.items()},
    }),
]

CODES = [
    Rule("7.4", "A code that may be sent is accepted and comes back.", {
        f"close code {code}": (close_frame(code), closes(code)) for code in ALLOWED
    }),
    Rule("7.4", "A code that must not be sent fails the connection with 1002.", {
        **{f"close code {code}": (close_frame(code), fails(1002)) for code in FORBIDDEN},
        "close code 1005 with a reason": (close_frame(1005, b"reason"), fails(1002)),
    }),
    Rule("7.4.1", "A message that is too big for the server fails the connection with 1009 at its header.", {
        "1 MiB and a byte, header alone": (frame(BINARY, length=MAX_MESSAGE_SIZE + 1), fails(1009)),
        "2 GiB, header alone": (frame(BINARY, length=1 << 31), fails(1009)),
        "the longest length, header alone": (frame(TEXT, length=(1 << 63) - 1), fails(1009)),
        "fragments that come to more": (
            frame(BINARY, bytes(MAX_MESSAGE_SIZE), flags=0) + frame(CONTINUATION, length=1), fails(1009),
        ),
        "the sum of lengths overflows": (
            frame(BINARY, b"x", flags=0) + frame(CONTINUATION, length=(1 << 63) - 1), fails(1009),
        ),
    }),
]

ENDINGS = [
    Rule("7.1.2", "A Close that the server begins carries a code and ends the stream once it is answered.", {
        "answered with the same code": (fails(4040),),
        "answered with another code": (fails(4040, answer=close_frame(1000)),),
        "answered without a body": (fails(4040, answer=frame(CLOSE)),),
        "answered with a reason": (fails(4040, answer=close_frame(4040, b"bye")),),
        "answered after messages": (fails(4040, answer=frame(TEXT, b"x") * 10 + frame(PING) + close_frame(4040)),),
    }, path="/none"),
    Rule("7.1.7", "After an error no further input is processed, and the stream still ends in order.", {
        "answered without a body": (FAILURE, fails(1002, answer=frame(CLOSE))),
        "answered with nonsense": (FAILURE, fails(1002, answer=b"\xff" * 1000)),
        "not answered at all": (FAILURE, fails(1002, answer=b"")),
        "messages and pings after the invalid frame": (
            FAILURE + frame(TEXT, b"late") + frame(PING, b"late") + close_frame(1000), fails(1002),
        ),
        "100 KiB after the invalid frame": (FAILURE + frame(BINARY, bytes(100 << 10)), fails(1002)),
        "2 MiB while failing": (FAILURE, frame(BINARY, bytes(1 << 20)) * 2, fails(1002)),
        "messages before the invalid frame": (
            frame(TEXT, b"one") + frame(BINARY, b"two") + FAILURE, comes(TEXT, b"one"), comes(BINARY, b"two"),
            fails(1002),
        ),
        "half-closed after the invalid frame": (FAILURE, half_close, fails(1002, answer=b"")),
        "the invalid frame byte by byte": (*chopped(frame(TEXT, b"ok") + FAILURE), comes(TEXT, b"ok"), fails(1002)),
    }),
    Rule("7.1.4", "When a client ends its stream without a Close, the server ends it too.", {
        "half-close of an idle connection": (half_close, ends),
        "half-close within a header": (frame(TEXT, b"x")[:3], half_close, ends),
        "half-close within a payload": (frame(TEXT, b"payload")[:-3], half_close, ends),
        "half-close within a message": (frame(TEXT, b"begun", flags=0), half_close, ends),
        "half-close after a message": (frame(TEXT, b"whole"), half_close, comes(TEXT, b"whole"), ends),
    }),
]

RULES = CLOSE_FRAMES + CODES + ENDINGS
