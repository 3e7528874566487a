"""rfc6455_text - the cases of RFC 6455, 8.1: texts are UTF-8; others are refused at the first wrong byte.

SPDX-License-Identifier: MIT
"""

from raw_client import BINARY, CONTINUATION, PING, PONG, TEXT, frame
from script import Rule, chopped, comes, fails

CHARACTERS = {
    "the first of one byte": "\x00", "the last of one byte": "\x7f",
    "the first of two": "\x80", "the last of two": "\u07ff",
    "the first of three": "\u0800", "the last of three": "\uffff",
    "the first of four": "\U00010000", "the last of four": "\U0010ffff",
    "the last before the surrogates": "\ud7ff", "the first after them": "\ue000",
    "a byte order mark": "\ufeff", "the replacement character": "\ufffd",
    "no character": "\ufffe", "a private one": "\U000ffffd", "a combining one": "e\u0301",
}
SENTENCE = "Grüße, κόσμε, 世界, 🌍, \U0010ffff"

# Each is wrong at its last byte, not before.
WRONG = {
    "a continuation byte alone": b"\x80",
    "the last continuation byte alone": b"\xbf",
    "one continuation byte too many": b"\xc3\xa4\x80",
    "overlong in two bytes (C0)": b"\xc0",
    "overlong in two bytes (C1)": b"\xc1",
    "overlong in three bytes (E0 80)": b"\xe0\x80",
    "overlong in three bytes (E0 9F)": b"\xe0\x9f",
    "overlong in four bytes (F0 80)": b"\xf0\x80",
    "overlong in four bytes (F0 8F)": b"\xf0\x8f",
    "surrogate (ED A0)": b"\xed\xa0",
    "surrogate (ED BF)": b"\xed\xbf",
    "above U+10FFFF (F4 90)": b"\xf4\x90",
    "above U+10FFFF (F5)": b"\xf5",
    "lead byte of five (F8)": b"\xf8",
    "lead byte of six (FC)": b"\xfc",
    "FE": b"\xfe",
    "FF": b"\xff",
    "second of two missing": b"\xc3\x28",
    "second of three missing": b"\xe2\x28",
    "third of three missing": b"\xe2\x82\x28",
    "second of four missing": b"\xf0\x28",
    "third of four missing": b"\xf0\x9f\x28",
    "fourth of four missing": b"\xf0\x9f\x8c\x28",
    "a character begun twice": b"\xc3\xc3",
}
WHOLE = {
    "U+D800": b"\xed\xa0\x80", "U+DBFF": b"\xed\xaf\xbf", "U+DC00": b"\xed\xb0\x80", "U+DFFF": b"\xed\xbf\xbf",
    "a pair of surrogates": b"\xed\xa0\xbd\xed\xb8\x80",
    "overlong slash in two": b"\xc0\xaf", "overlong slash in three": b"\xe0\x80\xaf",
    "overlong slash in four": b"\xf0\x80\x80\xaf", "overlong zero": b"\xc0\x80", "overlong U+07FF": b"\xe0\x9f\xbf",
    "overlong U+FFFF": b"\xf0\x8f\xbf\xbf", "U+110000": b"\xf4\x90\x80\x80", "U+1FFFFF": b"\xf7\xbf\xbf\xbf",
    "five bytes": b"\xf8\x88\x80\x80\x80", "six bytes": b"\xfc\x84\x80\x80\x80\x80",
}
TRUNCATED = {
    "one of two": b"\xc3", "one of three": b"\xe2", "two of three": b"\xe2\x82", "one of four": b"\xf0",
    "two of four": b"\xf0\x9f", "three of four": b"\xf0\x9f\x8c",
}


def echo(text):
    return (frame(TEXT, text.encode()), comes(TEXT, text.encode()))


def fragments(pieces):
    """A text in fragments, the last of them empty."""
    between = b"".join(frame(CONTINUATION, piece, flags=0) for piece in pieces)
    return (frame(TEXT, flags=0) + between + frame(CONTINUATION), comes(TEXT, b"".join(pieces)))


def unfinished(text, claimed=1000):
    """The beginning of a frame whose header claims more than is sent."""
    return frame(TEXT, text, length=claimed)


def first_fragment(text):
    return frame(TEXT, text, flags=0)


RULES = [
    Rule("8.1", "Every text that is valid UTF-8 comes back.", {
        **{f"{name} (U+{ord(text[-1]):04X})": echo(text) for name, text in CHARACTERS.items()},
        "a sentence": echo(SENTENCE),
        "a sentence byte by byte": (*chopped(frame(TEXT, SENTENCE.encode())), comes(TEXT, SENTENCE.encode())),
        "a sentence in fragments of one byte": fragments(chopped(SENTENCE.encode())),
        "a sentence in fragments of two bytes": fragments(chopped(SENTENCE.encode(), 2)),
        "a character split by a ping": (
            first_fragment(b"\xf0\x9f") + frame(PING, b"p") + frame(CONTINUATION, b"\x8c\x8d"),
            comes(PONG, b"p"), comes(TEXT, "🌍".encode()),
        ),
    }),
    Rule("8.1", "A text that is not UTF-8 fails the connection with 1007.", {
        **{f"{name}, a whole text": (frame(TEXT, b"ok " + text + b" ok"), fails(1007))
           for name, text in WHOLE.items()},
        **{f"{name}, ends a text": (frame(TEXT, b"ok " + text), fails(1007)) for name, text in WRONG.items()},
        "whole characters before": (frame(TEXT, SENTENCE.encode() + b"\xff"), fails(1007)),
    }),
    Rule("8.1", "A text that ends within a character fails the connection with 1007.", {
        **{f"{name}, one frame": (frame(TEXT, b"ok " + text), fails(1007)) for name, text in TRUNCATED.items()},
        **{f"{name}, two fragments": (first_fragment(b"ok ") + frame(CONTINUATION, text), fails(1007))
           for name, text in TRUNCATED.items()},
        "ended by an empty fragment": (first_fragment(b"\xe2\x82") + frame(CONTINUATION), fails(1007)),
    }),
    Rule("8.1", "Invalid UTF-8 is found in an unfinished frame, at the first wrong byte (1007).", {
        f"{name}, unfinished frame": (unfinished(b"ok " + text), fails(1007)) for name, text in WRONG.items()
    }),
    Rule("8.1", "Invalid UTF-8 is found in an unfinished message, at the first wrong byte (1007).", {
        **{f"{name}, later fragment": (
            first_fragment(SENTENCE.encode()) + frame(CONTINUATION, text, flags=0), fails(1007),
        ) for name, text in WRONG.items()},
        **{f"{name}, split before its last byte": (
            first_fragment(text[:-1]) + frame(CONTINUATION, text[-1:], flags=0), fails(1007),
        ) for name, text in WRONG.items() if len(text) > 1},
        "byte by byte, up to the wrong one": (
            *chopped(unfinished(b"ok \xff")), fails(1007),
        ),
        "an unfinished later fragment": (
            first_fragment(b"\xe2") + frame(CONTINUATION, b"\x28", flags=0, length=1000), fails(1007),
        ),
    }),
    Rule("8.1", "A binary message may have any content.", {
        f"{name}, binary": (frame(BINARY, text), comes(BINARY, text)) for name, text in (WHOLE | TRUNCATED).items()
    }),
]
