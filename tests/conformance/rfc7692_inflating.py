"""rfc7692_inflating - the cases of RFC 7692, 7.2: every kind of DEFLATE block in both directions, whole
windows, and messages that are damaged, truncated or too big.

SPDX-License-Identifier: MIT
"""

import random
import zlib

from deflate import (
    EMPTY_BLOCK, HELLO, HELLO_AGAIN, HELLO_FINAL, HELLO_IN_TWO, HELLO_STORED, TAIL, WINDOWS, Bits, comes_compressed,
    compressed, copied, deflated, distance, fixed_block, fragments, is_whole, sends, stored, upgraded,
)
from raw_client import BINARY, PING, PONG, TEXT, frame
from rfc6455_text import TRUNCATED, WRONG
from script import Rule, chopped, comes, fails

MAX_MESSAGE_SIZE = 1 << 20  # as configured in run
PATHS = ("/echo", "/takeover")


def noise(size, seed=7692):
    """Bytes that do not compress; the same ones each time."""
    return random.Random(seed).randbytes(size)


def kinds(size):
    """Payloads of this size, from the one that compresses best to the one that does not."""
    return {
        "zeros": bytes(size),
        "words": (b"the quick brown fox %d " * (size // 20 + 1) % tuple(range(size // 20 + 1)))[:size],
        "noise": noise(size),
    }


def on_echo(*steps):
    return (*upgraded("/echo"), *steps)


def on_takeover(*steps):
    return (*upgraded("/takeover"), *steps)


def hello(*data):
    """Each of these is a compressed Hello."""
    return on_echo(b"".join(compressed(TEXT, piece) for piece in data), *[comes(TEXT, b"Hello")] * len(data))


def echo(data, payload):
    """Messages compressed by hand come back, compressed or not."""
    return on_echo(compressed(BINARY, data), comes_compressed(BINARY, payload, must=None))


def wrong(name, data):
    """Damaged messages, with and without context takeover."""
    return {
        name: on_echo(compressed(BINARY, data), fails(1007)),
        f"{name}, with takeover": on_takeover(
            compressed(BINARY, HELLO) + compressed(BINARY, data), comes_compressed(BINARY, b"Hello"), fails(1007)),
    }


def flushed(payload, size, flush, level=-1):
    """The message with a flush after every so many bytes."""
    compressor = zlib.compressobj(level, wbits=-15)
    data = b"".join(compressor.compress(payload[start : start + size]) + compressor.flush(flush)
                    for start in range(0, len(payload), size))
    return (data + compressor.flush(zlib.Z_SYNC_FLUSH))[:-len(TAIL)]


def finished(payload):
    """DEFLATE data that ends: its last block has BFINAL."""
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(payload) + compressor.flush(zlib.Z_FINISH)


WORDS = kinds(5000)["words"]
NOISE = noise(5000)

EMPTY = [
    Rule("7.2.1", "The server's compressed messages lack the last four bytes, and inflate to the original.", {
        f"{name} of {size}, {path}": (*upgraded(path), sends(BINARY, payload),
                                      comes_compressed(BINARY, payload, must=True if path == "/takeover" else None))
        for path in PATHS for size in (1, 125, 126, 127, 4096, 65535, 65536, 65537)
        for name, payload in kinds(size).items()
    }, path=None, rfc=7692),
    Rule("7.2.1", "A message that is empty may be sent as one byte, 00, the rest of an empty block (7.2.3.6).", {
        "an empty text": on_echo(compressed(TEXT, b"\x00"), comes(TEXT)),
        "an empty binary": on_echo(compressed(BINARY, b"\x00"), comes(BINARY)),
        "ten in a row": on_echo(compressed(BINARY, b"\x00") * 10, *[comes(BINARY)] * 10),
        "with a fixed block": on_echo(compressed(TEXT, b"\x02\x00"), comes(TEXT)),
        "with two empty blocks": on_echo(compressed(TEXT, EMPTY_BLOCK + b"\x00"), comes(TEXT)),
        "with a final block": on_echo(compressed(TEXT, b"\x03\x00\x00"), comes(TEXT)),
        "in fragments": on_echo(fragments(TEXT, b"", b"\x00", b""), comes(TEXT)),
        "without any byte": on_echo(compressed(TEXT, b""), comes(TEXT)),
        "without any byte, in fragments": on_echo(fragments(TEXT, b"", b"", b""), comes(TEXT)),
        "between messages that share a window": on_takeover(
            b"".join(compressed(TEXT, data) for data in (HELLO, b"\x00", b"", HELLO_AGAIN)),
            comes_compressed(TEXT, b"Hello"), comes(TEXT), comes(TEXT), comes_compressed(TEXT, b"Hello")),
    }, path=None, rfc=7692),
]

BLOCKS = [
    Rule("7.2.2", "Any DEFLATE blocks are inflated, with any level, strategy and flush.", {
        **{f"level {level}, {name}": echo(deflated(payload, level), payload)
           for level in (0, 1, 6, 9) for name, payload in kinds(5000).items()},
        **{f"strategy {name}": echo(deflated(WORDS, strategy=strategy), WORDS)
           for name, strategy in {"filtered": zlib.Z_FILTERED, "Huffman alone": zlib.Z_HUFFMAN_ONLY,
                                  "runs": zlib.Z_RLE, "fixed": zlib.Z_FIXED}.items()},
        **{f"{name} flush after every {size} bytes": echo(flushed(WORDS, size, flush), WORDS)
           for name, flush in {"sync": zlib.Z_SYNC_FLUSH, "full": zlib.Z_FULL_FLUSH,
                               "partial": zlib.Z_PARTIAL_FLUSH}.items() for size in (1, 100, 4999)},
        "stored blocks of all sizes": echo(
            b"".join(stored(noise(size)) for size in (0, 1, 257, 65535, 3)) + b"\x00",
            b"".join(noise(size) for size in (0, 1, 257, 65535, 3))),
        "a run of 258, byte by byte": echo(fixed_block(285, distance(1), after=b"a"), b"a" * 259),
        "a copy that overlaps itself": echo(fixed_block(264, distance(3), after=b"abc"), b"abc" * 4 + b"a"),
        "a reference as far back as any": on_takeover(
            sends(BINARY, noise(32768)), comes_compressed(BINARY, noise(32768)),
            compressed(BINARY, copied(32768)), comes_compressed(BINARY, noise(32768)[:3])),
    }, path=None, rfc=7692),
    Rule("7.2.3.1", "Example: one block, in one frame and in two.", {
        "one frame": hello(HELLO),
        "two frames": on_echo(fragments(TEXT, HELLO[:3], HELLO[3:]), comes(TEXT, b"Hello")),
        "the same twice, each by itself": hello(HELLO, HELLO),
        "the same twice, with takeover": on_takeover(
            compressed(TEXT, HELLO) * 2, *[comes_compressed(TEXT, b"Hello")] * 2),
    }, path=None, rfc=7692),
    Rule("7.2.3.2", "Example: a message that refers to the one before, with context takeover (7.1.1.2).", {
        "taken over": on_takeover(
            compressed(TEXT, HELLO) + compressed(TEXT, HELLO_AGAIN) * 3, *[comes_compressed(TEXT, b"Hello")] * 4),
        "with a ping between": on_takeover(
            compressed(TEXT, HELLO), comes_compressed(TEXT, b"Hello"), frame(PING), comes(PONG),
            compressed(TEXT, HELLO_AGAIN), comes_compressed(TEXT, b"Hello")),
        "not taken over: damaged (1007)": on_echo(
            compressed(TEXT, HELLO) + compressed(TEXT, HELLO_AGAIN), comes(TEXT, b"Hello"), fails(1007)),
        "without a message before: damaged (1007)": on_takeover(compressed(TEXT, HELLO_AGAIN), fails(1007)),
        "of another client: damaged (1007)": (
            *upgraded("/takeover", "; client_no_context_takeover"), compressed(TEXT, HELLO_AGAIN), fails(1007)),
    }, path=None, rfc=7692),
    Rule("7.2.3.3", "Example: a block without compression.", {
        "one": hello(HELLO_STORED),
        "then a compressed one": hello(HELLO_STORED, HELLO),
    }, path=None, rfc=7692),
    Rule("7.2.3.4", "Example: a block with BFINAL, followed by an empty one.", {
        "one": hello(HELLO_FINAL),
        "then a compressed one": hello(HELLO_FINAL, HELLO, HELLO_FINAL),
        "taken over": on_takeover(
            b"".join(compressed(TEXT, data) for data in (HELLO, HELLO_FINAL, HELLO, HELLO_AGAIN)),
            *[comes_compressed(TEXT, b"Hello")] * 4),
        "in fragments": on_echo(fragments(TEXT, HELLO_FINAL[:6], HELLO_FINAL[6:7], HELLO_FINAL[7:]),
                                comes(TEXT, b"Hello")),
        "a long text": echo(finished(WORDS) + b"\x00", WORDS),
        "two of them in a message": echo(finished(b"Hello") * 2 + b"\x00", b"Hello" * 2),
        "a thousand of them in a message": echo(finished(b"Hello") * 1000 + b"\x00", b"Hello" * 1000),
        "a stored block with BFINAL": echo(stored(b"Hello", b"\x01") + b"\x00", b"Hello"),
    }, path=None, rfc=7692),
    Rule("7.2.3.5", "Example: two blocks in one message.", {
        "two": hello(HELLO_IN_TWO),
        "stored, fixed, dynamic and final ones": echo(
            stored(NOISE) + EMPTY_BLOCK + deflated(b"Hello") + TAIL + finished(WORDS) + deflated(WORDS),
            NOISE + b"Hello" + WORDS + WORDS),
    }, path=None, rfc=7692),
]


def keeps_to(bits, path):
    """Noise that comes again just within the window and just beyond it, within a message and in the next."""
    size = 1 << min(bits, 13)
    payloads = [noise(size + more, seed=more) * 2 for more in (-263, -262, -1, 0, 1, 258) if size + more > 0]
    payloads += [noise(size - 3), noise(size - 3), noise(3 * size), noise(3 * size)]
    return (*upgraded(path, f"; server_max_window_bits={bits}"),
            *(step for payload in payloads
              for step in (sends(BINARY, payload),
                           comes_compressed(BINARY, payload, must=True if path == "/takeover" else None))))


def reaches_back(bits, far, *answer):
    """The previous message of the client is larger than its window."""
    before = noise(5000)
    return (*upgraded("/takeover", f"; client_max_window_bits={bits}"),
            compressed(BINARY, stored(before) + b"\x00"), comes_compressed(BINARY, before),
            compressed(BINARY, copied(far)), *answer)


WINDOW = [
    Rule("7.1.2.1", "A window of the size in the answer is enough to inflate the server's messages.", {
        f"server_max_window_bits={bits}, {path}": keeps_to(bits, path) for path in PATHS for bits in WINDOWS
    }, path=None, rfc=7692),
    Rule("7.1.2.2", "The server keeps the client's whole window.", {
        f"client_max_window_bits={bits}": reaches_back(
            bits, 1 << bits, comes_compressed(BINARY, noise(5000)[-(1 << bits):][:3]))
        for bits in WINDOWS if bits <= 12
    }, path=None, rfc=7692),
    Rule("7.1.2.2", "A reference to earlier messages beyond the client's window fails the connection with 1007.", {
        f"client_max_window_bits={bits}": reaches_back(bits, (1 << bits) + 1, fails(1007))
        for bits in WINDOWS if bits <= 12
    }, path=None, rfc=7692),
]

BAD_BLOCKS = {
    "a block of the reserved type": b"\x06\x00",
    "a final block of the reserved type": b"\x07\x00",
    "ones": b"\xff" * 20,
    "a stored block whose length is not confirmed": b"\x00\x05\x00\xfa\xfeHello\x00",
    "a reference before the first byte": fixed_block(257, distance(6)),
    "a reference beyond what there is": fixed_block(257, distance(11), after=b"abcde"),
    "the reserved length symbol 286": fixed_block(286, distance(1), after=b"a"),
    "the reserved length symbol 287": fixed_block(287, distance(1), after=b"a"),
    "the reserved distance symbol 30": fixed_block(257, (30, 0, 13), after=b"a"),
    "the reserved distance symbol 31": fixed_block(257, (31, 0, 13), after=b"a"),
    "dynamic codes of which there are too many": Bits().number(0, 1).number(2, 2).number(31, 5).number(31, 5)
    .number(15, 4).bytes() + bytes(20),
    "dynamic codes that are over-subscribed": Bits().number(0, 1).number(2, 2).number(0, 5).number(0, 5)
    .number(15, 4).bytes() + b"\x24\x49\x92" * 4 + bytes(20),
    "dynamic codes of length 0": Bits().number(0, 1).number(2, 2).number(0, 5).number(0, 5)
    .number(15, 4).bytes() + bytes(20),
    "a valid block, then an invalid one": HELLO_IN_TWO[:8] + b"\x06\x00",
    "a final block, then an invalid one": HELLO_FINAL[:7] + b"\x07",
    "plain text": b"Hello, this is a text that nobody has compressed",
}


def flipped(data, places=60):
    """The data with one bit inverted, at fixed pseudo-random places; only those that make the message invalid."""
    choose = random.Random(1951)
    for _ in range(places):
        place, bit = choose.randrange(len(data)), choose.randrange(8)
        damaged = data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
        if not is_whole(damaged):
            yield f"bit {bit} of byte {place}", damaged


def cuts(data, step=1):
    """The data truncated at every `step` bytes, where that makes the message invalid."""
    places = (at for at in range(1, len(data), step) if not is_whole(data[:at]))
    return ((f"{at} of {len(data)} bytes", data[:at]) for at in places)


LONG = deflated(WORDS)


def too_big(*frames):
    return on_echo(b"".join(frames), fails(1009))


def just_right(name, payload, path="/echo"):
    return (*upgraded(path), compressed(BINARY, deflated(payload, 1)), comes_compressed(BINARY, payload, must=None))


BOMB = deflated(bytes(64 << 20))

FAILURES = [
    Rule("7.2.2", "Data that is not DEFLATE fails the connection with 1007.", {
        **{name: case for kind, data in BAD_BLOCKS.items() for name, case in wrong(kind, data).items()},
        **{name: on_echo(compressed(BINARY, data), fails(1007)) for name, data in flipped(LONG)},
        "damage that comes byte by byte": on_echo(*chopped(compressed(BINARY, b"\x06\x00")), fails(1007)),
        "damage in the last fragment": on_echo(
            fragments(BINARY, HELLO_IN_TWO[:8], b"\x06\x00", between=frame(PING)), comes(PONG), fails(1007)),
        "messages before it are answered": on_echo(
            compressed(TEXT, HELLO) * 3 + compressed(TEXT, b"\x07"), *[comes(TEXT, b"Hello")] * 3, fails(1007)),
        "what comes after it is not": on_echo(
            compressed(TEXT, b"\x07") + compressed(TEXT, HELLO) + frame(PING, b"p"), fails(1007)),
    }, path=None, rfc=7692),
    Rule("7.2.2", "A message that ends within a block fails the connection with 1007.", {
        **{f"one block, {name}": on_echo(compressed(TEXT, data), fails(1007)) for name, data in cuts(HELLO)},
        **{f"a stored block, {name}": on_echo(compressed(TEXT, data), fails(1007))
           for name, data in cuts(HELLO_STORED)},
        **{f"a final block, {name}": on_echo(compressed(TEXT, data), fails(1007))
           for name, data in cuts(HELLO_FINAL)},
        **{f"dynamic blocks, {name}": on_echo(compressed(TEXT, data), fails(1007))
           for name, data in cuts(LONG, len(LONG) // 30)},
        "a stored block with its length alone": on_echo(compressed(TEXT, b"\x00\xff\xff\x00\x00"), fails(1007)),
    }, path=None, rfc=7692),
    Rule("7.2.2", "A text that inflates to invalid UTF-8 fails the connection with 1007 (RFC 6455, 8.1).", {
        **{name: on_echo(compressed(TEXT, deflated(b"text " + data + b" text")), fails(1007))
           for name, data in WRONG.items()},
        **{f"{name}, at the end": on_takeover(compressed(TEXT, deflated(b"text " + data)), fails(1007))
           for name, data in TRUNCATED.items()},
        "a wrong byte after 100 KiB": on_echo(
            compressed(TEXT, deflated(b"a" * (100 << 10) + b"\xff")), fails(1007)),
    }, path=None, rfc=7692),
    Rule("7.2.2", "UTF-8 is checked in the inflated text, not in its compressed bytes.", {
        "characters of all sizes": on_echo(
            compressed(TEXT, deflated("$¢€𐍈".encode())), comes(TEXT, "$¢€𐍈".encode())),
        "cut within the bytes of a character": on_echo(
            fragments(TEXT, *(bytes([byte]) for byte in stored("€".encode())), b"\x00"), comes(TEXT, "€".encode())),
        "a binary may hold anything": on_echo(
            compressed(BINARY, deflated(b"\xff\xc0" * 3)), comes_compressed(BINARY, b"\xff\xc0" * 3, must=None)),
    }, path=None, rfc=7692),
    Rule("7.2.2", "The size limit counts the inflated message: one of exactly the limit passes.", {
        f"{name}, {path}": just_right(name, payload, path)
        for path in PATHS for name, payload in kinds(MAX_MESSAGE_SIZE).items()
    }, path=None, rfc=7692),
    Rule("7.2.2", "A message that inflates to more than the limit fails the connection with 1009.", {
        **{f"{name}, one byte more": too_big(compressed(BINARY, deflated(payload, 1)))
           for name, payload in kinds(MAX_MESSAGE_SIZE + 1).items()},
        "one byte more, of a final block": too_big(
            compressed(BINARY, deflated(bytes(MAX_MESSAGE_SIZE)) + TAIL + finished(b"x") + b"\x00")),
        "64 MiB of zeros": too_big(compressed(BINARY, BOMB)),
        "64 MiB of zeros, with takeover": on_takeover(
            compressed(BINARY, HELLO) + compressed(BINARY, BOMB), comes_compressed(BINARY, b"Hello"), fails(1009)),
        "64 MiB of zeros, in fragments": too_big(
            fragments(BINARY, *(BOMB[at : at + 5000] for at in range(0, len(BOMB), 5000)))),
        "a text that is too big and not UTF-8": too_big(
            compressed(TEXT, deflated(b"a" * MAX_MESSAGE_SIZE + b"\xff"))),
        "the compressed payload alone is, its header sent": too_big(compressed(BINARY, b"")[:1] + b"\xff"
                                                                    + (2 << 20).to_bytes(8, "big") + bytes(4)),
    }, path=None, rfc=7692),
]

RULES = EMPTY + BLOCKS + WINDOW + FAILURES
