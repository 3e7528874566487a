"""rfc6455_framing - the cases of RFC 6455, 5.1 to 5.3 and 5.6: headers, lengths, masks, messages of one frame.

SPDX-License-Identifier: MIT
"""

from itertools import chain

from raw_client import BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, RSV1, RSV2, RSV3, TEXT
from raw_client import frame, mask
from script import Rule, chopped, comes, comes_on_the_wire, fails, long_frame

OPCODES = {"continuation": CONTINUATION, "text": TEXT, "binary": BINARY, "close": CLOSE, "ping": PING, "pong": PONG}
DATA = {"text": TEXT, "binary": BINARY}
RESERVED = (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
RESERVED_BITS = {
    "RSV1": RSV1, "RSV2": RSV2, "RSV3": RSV3, "RSV1+2": RSV1 | RSV2, "RSV1+3": RSV1 | RSV3, "RSV2+3": RSV2 | RSV3,
    "RSV1+2+3": RSV1 | RSV2 | RSV3,
}
SIZES = (0, 1, 125, 126, 127, 65535, 65536, 1 << 20)
UNFINISHED = frame(TEXT, b"begun", flags=0)


def payload_of(opcode, size):
    """A text has characters of two bytes, so that a frame can be split within one."""
    if opcode == TEXT:
        return ("ä" * (size // 2) + "x" * (size % 2)).encode()
    return (bytes(range(256)) * (size // 256 + 1))[:size]


def named(opcode):
    return f"{opcode:#x} ({'control' if opcode > 7 else 'data'})"


def echo(opcode, size, chop=None):
    payload = payload_of(opcode, size)
    data = frame(opcode, payload)
    return (*(chopped(data, chop) if chop else (data,)), comes(opcode, payload))


def echo_on_the_wire(size):
    payload = payload_of(BINARY, size)
    return (frame(BINARY, payload), comes_on_the_wire(frame(BINARY, payload, masked=False)))


def with_key(key, payload=bytes(range(256))):
    data = frame(BINARY, payload, masked=False)
    header = len(data) - len(payload)
    masked = bytes([data[0], data[1] | 0x80]) + data[2:header] + key + mask(payload, key)
    return (masked, comes(BINARY, payload))


def with_bits(opcode, bits):
    """A continuation comes within a message, so that the bits are all that is wrong."""
    begun = UNFINISHED if opcode == CONTINUATION else b""
    return (begun + frame(opcode, flags=FIN | bits), fails(1002))


def unmasked(opcode, payload=b""):
    begun = UNFINISHED if opcode == CONTINUATION else b""
    return (begun + frame(opcode, payload, masked=False), fails(1002))


MASKING = [
    Rule("5.1", "A frame that is not masked fails the connection with 1002.", {
        **{f"unmasked {name}": unmasked(opcode) for name, opcode in OPCODES.items()},
        "unmasked text with a payload": unmasked(TEXT, b"hello"),
        "unmasked after masked ones": (
            frame(TEXT, b"one"), comes(TEXT, b"one"), frame(TEXT, b"two", masked=False), fails(1002),
        ),
        "unmasked, two bytes sent": (b"\x81\x05", fails(1002)),
    }),
    Rule("5.1", "The server masks nothing, sets no reserved bit and writes lengths in their shortest form (5.2).", {
        f"binary of {size} on the wire": echo_on_the_wire(size) for size in SIZES
    }),
    Rule("5.3", "Any masking key is undone.", {
        "key of zeros": with_key(bytes(4)),
        "key of ones": with_key(b"\xff" * 4),
        "key of four different bytes": with_key(b"\x01\x02\x40\x80"),
        "a new key with each frame": tuple(chain(*(with_key(bytes([i, i + 1, 0, 255 - i])) for i in range(50)))),
        "payloads of 0 to 40": tuple(chain(*(with_key(b"\x37\xfa\x21\x3d", bytes(size)) for size in range(41)))),
        "bytes that come alone": tuple(
            chain(*(chopped(with_key(b"\x37\xfa\x21\x3d", bytes(range(size)))[0])
                    + (comes(BINARY, bytes(range(size))),) for size in range(20)))
        ),
    }),
]

HEADERS = [
    Rule("5.2", "A reserved bit that no extension has defined fails the connection with 1002.", {
        f"{bits_name} on {name}": with_bits(opcode, bits)
        for bits_name, bits in RESERVED_BITS.items() for name, opcode in OPCODES.items()
    }),
    Rule("5.2", "A reserved opcode fails the connection with 1002.", {
        **{f"opcode {named(opcode)}, empty": (frame(opcode), fails(1002)) for opcode in RESERVED},
        **{f"opcode {named(opcode)}, with payload": (frame(opcode, b"payload"), fails(1002))
           for opcode in RESERVED},
        **{f"opcode {named(opcode)} within a message": (UNFINISHED + frame(opcode), fails(1002))
           for opcode in RESERVED},
        "opcode 0x3 after an echo": (
            frame(TEXT, b"one") + frame(3) + frame(TEXT, b"two"), comes(TEXT, b"one"), fails(1002),
        ),
    }),
    Rule("5.2", "A length that is not in its shortest form fails the connection with 1002.", {
        **{f"{size} in 16 bits": (long_frame(BINARY, bytes(size), 2), fails(1002)) for size in (0, 1, 125)},
        **{f"{size} in 64 bits": (long_frame(BINARY, bytes(size), 8), fails(1002))
           for size in (0, 1, 125, 126, 127, 65535)},
        "ping of 125 in 16 bits": (long_frame(PING, bytes(125), 2), fails(1002)),
        "close of 2 in 64 bits": (long_frame(CLOSE, b"\x03\xe8", 8), fails(1002)),
        "continuation of 5 in 16 bits": (UNFINISHED + long_frame(CONTINUATION, bytes(5), 2), fails(1002)),
    }),
    Rule("5.2", "The top bit of a 64-bit length must be 0; else 1002.", {
        f"length {length:#x}": (long_frame(BINARY, b"", 8, length), fails(1002))
        for length in (1 << 63, 1 << 63 | 5, 1 << 63 | 70000, (1 << 64) - 1)
    }),
]

MESSAGES = [
    Rule("5.6", "A message of any size comes back unchanged, text as text, binary as binary.", {
        f"{name} of {size}": echo(opcode, size) for name, opcode in DATA.items() for size in SIZES
    }),
    Rule("5.6", "The messages do not depend on how TCP splits the bytes.", {
        **{f"{name} of {size}, byte by byte": echo(opcode, size, 1)
           for name, opcode in DATA.items() for size in SIZES if size <= 127},
        **{f"{name} of {size} in chops of 997": echo(opcode, size, 997)
           for name, opcode in DATA.items() for size in (65535, 65536, 1 << 20)},
        "text of 5000, byte by byte": echo(TEXT, 5000, 1),
        "a hundred messages at once": (
            b"".join(frame(TEXT, b"%d" % number) for number in range(100)),
            *(comes(TEXT, b"%d" % number) for number in range(100)),
        ),
    }),
]

RULES = MASKING + HEADERS + MESSAGES
