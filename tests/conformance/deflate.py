"""deflate - permessage-deflate (RFC 7692) from the client's side, for the modules rfc7692_*.py: offers and what may
be answered to them, both streams of a connection, the steps that use them, DEFLATE blocks by hand.

What the server sends is inflated with a window of exactly the size that was agreed, byte by byte: a reference
beyond it fails.

SPDX-License-Identifier: MIT
"""

import re
import zlib
from itertools import chain

from raw_client import BINARY, CONTINUATION, FIN, RSV1, frame, request, upgrade_headers
from script import accepted, expect, short

TAIL = b"\x00\x00\xff\xff"  # removed from the end of a message, and appended again (7.2.1, 7.2.2)
EMPTY_BLOCK = b"\x00" + TAIL
WINDOWS = range(8, 16)
CHUNK = 512  # bytes of a message that are inflated together, so that what remains is not copied for each byte

# --- Offers and agreements


def offering(path, *headers):
    """A right request with these Sec-WebSocket-Extensions headers."""
    return request(path, [*upgrade_headers(), *(("Sec-WebSocket-Extensions", header) for header in headers)])


def parameters_of(element):
    """One element of the header without its name, as a dictionary; a parameter without a value has None."""
    name, *parameters = (part.strip() for part in element.split(";"))
    expect(name == "permessage-deflate", f"{name} is selected")
    pairs = [(parameter.replace('"', "").split("=", 1) + [None])[:2] for parameter in parameters]
    expect(len(pairs) == len({name for name, _ in pairs}), f"a parameter is repeated: {element}")
    return dict(pairs)


def bits_of(parameters, name):
    """The window that a parameter of a response allows, 15 if it is missing."""
    value = parameters.get(name, "15")
    expect(value is not None and re.fullmatch("[89]|1[0-5]", value), f"{name}={value}")
    return int(value)


def promised(offer, name):
    return int(offer.get(name) or 15)


def check_legal(offer, response):
    """Checks that the response's parameters are valid (7.1), and that the offer allows them."""
    flags = ("server_no_context_takeover", "client_no_context_takeover")
    windows = ("server_max_window_bits", "client_max_window_bits")
    for name in response:
        expect(name in flags + windows, f"{name} is no parameter")
        expect(name in windows or response[name] is None, f"{name} has the value {response[name]}")
    for name in windows:
        expect(name not in response or bits_of(response, name) <= promised(offer, name), f"{name} is too large")
    for name in ("server_no_context_takeover", "server_max_window_bits"):
        expect(name in response or name not in offer, f"{name} is not answered")
    expect("client_max_window_bits" in offer or "client_max_window_bits" not in response,
           "client_max_window_bits was not offered")


class Compressed(bytes):
    """A payload that came compressed."""


class Agreement:
    """What was negotiated, with both streams of the connection. The client also keeps the promises of its offer
    (7.1.2.2). 8 bits: zlib has no such window to compress, but runs alone reach back by one byte."""

    def __init__(self, offer, response):
        self.server_takeover = "server_no_context_takeover" not in response
        self.client_takeover = "client_no_context_takeover" not in response
        self.server_bits = bits_of(response, "server_max_window_bits")
        self.client_bits = min(
            bits_of(response, "client_max_window_bits"), promised(offer, "client_max_window_bits"))
        self.compressor = self.decompressor = None

    def deflate(self, payload):
        if self.compressor is None or not self.client_takeover:
            strategy = zlib.Z_RLE if self.client_bits == 8 else zlib.Z_DEFAULT_STRATEGY
            self.compressor = zlib.compressobj(wbits=-max(self.client_bits, 9), strategy=strategy)
        data = self.compressor.compress(payload) + self.compressor.flush(zlib.Z_SYNC_FLUSH)
        return data[:-len(TAIL)]

    def inflate(self, data):
        expect(data and not data.endswith(TAIL), "the tail of a message is not removed")
        if self.decompressor is None or not self.server_takeover:
            self.decompressor = zlib.decompressobj(wbits=-self.server_bits)
        payload = bytearray()
        data += TAIL
        for start in range(0, len(data), CHUNK):
            self._inflate(data[start : start + CHUNK], payload)
        expect(is_at_boundary(self.decompressor), "a message does not end with a block")
        return Compressed(payload)

    def _inflate(self, data, payload):
        while True:
            byte = self.decompressor.decompress(data, 1)
            data = self.decompressor.unconsumed_tail
            if not byte and not data:
                return
            payload += byte


def is_at_boundary(decompressor):
    """Whether a block may follow."""
    return decompressor.copy().decompress(b"\x00\x01\x00\xfe\xffX") == b"X"


def is_whole(data):
    """Whether this is the payload of a message by itself. DEFLATE data may end in it and begin again (7.2.3.4)."""
    data += TAIL
    try:
        while True:
            decompressor = zlib.decompressobj(wbits=-15)
            decompressor.decompress(data)
            if not decompressor.eof:
                return is_at_boundary(decompressor)
            data = decompressor.unused_data
    except zlib.error:
        return False


def deflated(payload, level=-1, strategy=zlib.Z_DEFAULT_STRATEGY):
    """The payload of a compressed message that needs none before it."""
    compressor = zlib.compressobj(level, wbits=-15, strategy=strategy)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-len(TAIL)]


# --- Steps


def agreed(offer="", answer=None):
    """The offer, "permessage-deflate" with these parameters, is accepted; from now on the client keeps to what is
    answered. `answer` is the set of parameters that must come, if there is no choice."""

    def step(client):
        response = client.response()
        expect(response.status == 101, f"the status is {response.status}, not 101: {response.body}")
        header = response.headers.get("sec-websocket-extensions")
        expect(header is not None, "nothing is accepted")
        parameters, offered = parameters_of(header), parameters_of(f"permessage-deflate{offer}")
        check_legal(offered, parameters)
        shown = {name if value is None else f"{name}={value}" for name, value in parameters.items()}
        expect(answer is None or shown == answer, f"{shown} is answered, not {answer}")
        client.agreement = Agreement(offered, parameters)

    return step


def upgraded(path="/echo", offer=""):
    """The steps that make a connection which compresses."""
    return (offering(path, f"permessage-deflate{offer}"), agreed(offer))


def declined(path, *headers):
    """The steps that make a connection without compression, where RSV1 is an error."""
    return (offering(path, *headers), accepted())


def compressed(opcode, data, flags=FIN | RSV1):
    """A frame with a payload that is compressed already."""
    return frame(opcode, data, flags=flags)


def fragments(opcode, *pieces, between=b""):
    """The frames of a compressed message, with these bytes between each two."""
    frames = [
        frame(CONTINUATION if index else opcode, piece,
              flags=(0 if index else RSV1) | (FIN if index == len(pieces) - 1 else 0))
        for index, piece in enumerate(pieces)
    ]
    return between.join(frames)


def sends(opcode, payload):
    """A message of ours, on the client's stream."""

    def step(client):
        client.send_all_it_takes(compressed(opcode, client.agreement.deflate(payload)))

    return step


def comes_compressed(opcode, payload, must=True):
    """A message must come, in one frame, compressed, plain (must=False) or either (None)."""

    def step(client):
        came = client.frame()
        expect(came == (opcode, payload), f"{short(came)} came, not {short((opcode, payload))}")
        is_compressed = isinstance(came.payload, Compressed)
        expect(must in (None, is_compressed), "it came compressed" if is_compressed else "it came plain")

    return step


def exchange(*payloads, opcode=BINARY):
    """The steps of messages that go and come compressed, one by one."""
    steps = ((sends(opcode, payload), comes_compressed(opcode, payload)) for payload in payloads)
    return tuple(chain.from_iterable(steps))


# --- Blocks by hand (RFC 1951, 3.2)


class Bits:
    """Bits as DEFLATE packs them: from the lowest of each byte up; Huffman codes with their highest bit first."""

    def __init__(self):
        self.bits = []

    def number(self, value, size):
        self.bits += [value >> index & 1 for index in range(size)]
        return self

    def code(self, value, size):
        self.bits += [value >> index & 1 for index in reversed(range(size))]
        return self

    def bytes(self):
        padded = self.bits + [0] * (-len(self.bits) % 8)
        return bytes(sum(bit << index for index, bit in enumerate(padded[start : start + 8]))
                     for start in range(0, len(padded), 8))


def fixed_block(*symbols, after=b"", final=0):
    """A message of one block with the fixed codes: the literals of `after`, then literal/length symbols, or
    (distance symbol, extra bits, their size) after a length symbol. An empty stored block's header ends it."""
    bits = Bits().number(final, 1).number(1, 2)
    for symbol in (*after, *symbols, 256):
        if isinstance(symbol, tuple):
            distance, extra, size = symbol
            bits.code(distance, 5).number(extra, size)
        elif symbol < 144:
            bits.code(0x30 + symbol, 8)
        elif symbol < 256:
            bits.code(0x190 + symbol - 144, 9)
        elif symbol < 280:
            bits.code(symbol - 256, 7)
        else:
            bits.code(0xC0 + symbol - 280, 8)
    return bits.number(0, 3).bytes()


def distance(length):
    """The symbol of a distance with its extra bits."""
    if length <= 4:
        return (length - 1, 0, 0)
    size = (length - 1).bit_length() - 2
    return (2 * size + ((length - 1) >> size), (length - 1) & ((1 << size) - 1), size)


def copied(length_back):
    """A message of three bytes that refers back by this distance."""
    return fixed_block(257, distance(length_back))


def stored(payload, header=b"\x00"):
    """A block without compression, at the start of a byte."""
    size = len(payload)
    return header + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + payload


HELLO = bytes.fromhex("f248cdc9c90700")  # the examples of 7.2.3
HELLO_AGAIN = bytes.fromhex("f200110000")
HELLO_STORED = bytes.fromhex("000500faff48656c6c6f00")
HELLO_FINAL = bytes.fromhex("f348cdc9c9070000")
HELLO_IN_TWO = bytes.fromhex("f248050000 00ffffcac9c90700")
