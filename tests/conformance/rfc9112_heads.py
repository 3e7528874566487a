"""rfc9112_heads - how the head of a request is read (RFC 9112, with RFC 9110 for what its fields mean), as far as it
concerns a server whose requests become WebSockets.

SPDX-License-Identifier: MIT
"""

from raw_client import TEXT, frame, request, upgrade_headers
from script import Rule, accepted, comes, expect, last, refused

EARLY = frame(TEXT, b"hi")
TARGETS = ("http://example.com/healthz", "HTTP://example.com:80/healthz", "https://example.com:443/healthz",
           "http://[::1]:1/healthz", "http://example.com/healthz?a=b:c", "ws://example.com/healthz")


def lines(*fields, first="GET /healthz HTTP/1.1"):
    """A head with these lines as they are."""
    return "\r\n".join([first, *fields, "", ""]).encode("latin-1")


def handshake(*fields, path="/echo"):
    """A handshake with these lines added as they are."""
    standing = [f"{name}: {value}" for name, value in upgrade_headers()]
    return lines(*standing, *fields, first=f"GET {path} HTTP/1.1")


def answers(status, **headers):
    """An answer to a plain request; its body must not be empty, except that of a 204."""

    def step(client):
        response = client.response()
        expect(response.status == status, f"the status is {response.status}, not {status}: {response.body}")
        for name, value in headers.items():
            came = response.headers.get(name.replace("_", "-").lower())
            expect(came == value, f"{name} is {came}, not {value}")
        expect(bool(response.body) == (status != 204), f"the body is {response.body}")

    return last(step)


def refuses(*cases, status=400):
    return {name: (data, answers(status)) for name, data in cases}


RULES = [
    Rule("2.2", "Lines end with CR LF; one empty line may come before a request.", {
        "an empty line before": (b"\r\n" + lines("Host: h"), answers(200)),
        **refuses(
            ("LF alone", b"GET /healthz HTTP/1.1\nHost: h\n\n"),
            ("LF alone in the first line", b"GET /healthz HTTP/1.1\nHost: h\r\n\r\n"),
            ("LF alone in a field", b"GET /healthz HTTP/1.1\r\nHost: h\nA: b\r\n\r\n"),
            ("CR alone", b"GET /healthz HTTP/1.1\r\nHost: h\rA: b\r\n\r\n"),
            ("two empty lines before", b"\r\n\r\n" + lines("Host: h")),
            ("a blank line before the first field", lines(" ", "Host: h")),
        ),
    }, path=None, rfc=9112),
    Rule("3", "The request line has three parts with one blank between; a target over 8000 bytes gets 414.", {
        "7,900 bytes": (lines("Host: h", first=f"GET /healthz?{'q' * 7900} HTTP/1.1"), answers(200)),
        **refuses(
            ("two blanks", lines("Host: h", first="GET  /healthz HTTP/1.1")),
            ("two blanks before the version", lines("Host: h", first="GET /healthz  HTTP/1.1")),
            ("no target", lines("Host: h", first="GET HTTP/1.1")),
            ("no version", lines("Host: h", first="GET /healthz")),
        ),
        **refuses(
            ("a path of 4,097 bytes", lines("Host: h", first=f"GET /{'p' * 4096} HTTP/1.1")),
            ("a query of 8,000 bytes", lines("Host: h", first=f"GET /echo?{'q' * 8000} HTTP/1.1")),
            ("a handshake with 4,097 bytes", handshake(path=f"/{'p' * 4096}")),
            status=414,
        ),
        "a method that is not known": (lines("Host: h", first="BREW / HTTP/1.1"), answers(501)),
    }, path=None, rfc=9112),
    Rule("3.2", "HTTP/1.1 has one Host header; HTTP/1.0 may have none.", {
        "HTTP/1.0 without one": (lines(first="GET /healthz HTTP/1.0"), answers(200)),
        "an empty one": (lines("Host:"), answers(200)),
        **refuses(
            ("none", lines()),
            ("two", lines("Host: h", "Host: h")),
            ("two in HTTP/1.0", lines("Host: h", "Host: h", first="GET /healthz HTTP/1.0")),
            ("a list", lines("Host: a, b")),
            ("with a path", lines("Host: h/x")),
        ),
    }, path=None, rfc=9112),
    Rule("3.2.2", "An absolute URI is accepted, whatever its host and port, and its host counts.", {
        **{target: (lines("Host: example.com", first=f"GET {target} HTTP/1.1"), answers(200)) for target in TARGETS},
        "without a path": (lines("Host: h", first="GET http://example.com HTTP/1.1"), answers(200)),
        "of an unknown route": (lines("Host: h", first="GET http://example.com/none HTTP/1.1"), answers(404)),
        "a handshake": (
            request("http://example.com/echo"), accepted(), frame(TEXT, b"x"), comes(TEXT, b"x"),
        ),
        "the origin is of its host": (
            request("http://example.com/echo", upgrade_headers(Origin="http://example.com")), accepted(),
        ),
        "the origin is of Host": (
            request("http://example.com/echo", upgrade_headers(Origin="http://127.0.0.1")), refused(403),
        ),
        "Upgrade and Connection missing": (lines("Host: h", first="GET http://h/echo HTTP/1.1"), answers(426)),
        **refuses(
            ("of another scheme", lines("Host: h", first="GET ftp://example.com/ HTTP/1.1")),
            ("with a user", lines("Host: h", first="GET http://user@example.com/ HTTP/1.1")),
            ("without a host", lines("Host: h", first="GET http:///healthz HTTP/1.1")),
            ("no Host beside it", lines(first="GET http://example.com/healthz HTTP/1.1")),
            ("neither path nor URI", lines("Host: h", first="GET healthz HTTP/1.1")),
            ("a byte that is not ASCII", lines("Host: h", first="GET /\xe9 HTTP/1.1")),
        ),
    }, path=None, rfc=9112),
    Rule("3.2.4", "OPTIONS may have an asterisk as its target; other methods may not.", {
        "OPTIONS *": (
            lines("Host: x", first="OPTIONS * HTTP/1.1"), answers(204, Allow="GET, HEAD, OPTIONS"),
        ),
        "OPTIONS * in HTTP/1.0": (lines(first="OPTIONS * HTTP/1.0"), answers(204)),
        "GET *": (lines("Host: x", first="GET * HTTP/1.1"), answers(400)),
    }, path=None, rfc=9112),
    Rule("5.1", "No blank precedes the colon of a field; blanks around a value do not belong to it.", {
        "no blanks at all": (handshake("X-A:b"), accepted()),
        "blanks after Origin": (handshake("Origin: http://127.0.0.1 "), accepted()),
        "blanks around Origin": (handshake("Origin:   http://127.0.0.1:9000   "), accepted()),
        "blanks after Host": (lines("Host: h  "), answers(200)),
        "blanks after Content-Length": (lines("Host: h", "Content-Length: 0  "), answers(200)),
        **refuses(
            ("Content-Length : 5", lines("Host: h", "Content-Length : 5") + b"hello"),
            ("Host :", lines("Host : h")),
            ("in a handshake", handshake("Origin : http://127.0.0.1")),
            ("a blank within a name", lines("Host: h", "X A: b")),
            ("a name with a bracket", lines("Host: h", "X(A): b")),
            ("no colon", lines("Host: h", "XA")),
            ("no name", lines("Host: h", ": b")),
        ),
    }, path=None, rfc=9112),
    Rule("5.2", "A field does not continue on a second line.", refuses(
        ("with a blank", lines("Host: h", "X-A: b", " Content-Length: 7")),
        ("as the last line", lines("Host: h", "X-A: b", " c")),
        ("as the first line", lines(" Host: h")),
        ("with a tab", lines("Host: h", "X-A: b", "\tc")),
        ("in a handshake", handshake("X-A: b", " Sec-WebSocket-Protocol: x")),
    ), path=None, rfc=9112),
    Rule("5", "A request with more than 64 fields, or with a head of more than 16,384 bytes, gets 431 (RFC 6585, 5).", {
        "64 fields": (lines("Host: h", *["A: b"] * 63), answers(200)),
        "64 fields in a handshake": (handshake(*["A: b"] * 59), accepted()),
        "a head of 16,000 bytes": (lines("Host: h", "A: " + "b" * 15900), answers(200)),
        **refuses(
            ("65 fields", lines("Host: h", *["A: b"] * 64)),
            ("70 before those of a handshake", lines(
                *["A: b"] * 70, *(f"{name}: {value}" for name, value in upgrade_headers()), first="GET /echo HTTP/1.1")),
            ("a cookie of 17,000 bytes", lines("Host: h", "Cookie: " + "c" * 17000)),
            ("a cookie of 17,000 bytes in a handshake", handshake("Cookie: " + "c" * 17000)),
            ("a head of 100,000 bytes", lines("Host: h", *[f"Cookie: {'c' * 9990}"] * 10)),
            status=431,
        ),
    }, path=None, rfc=9112),
    Rule("6.3", "The length of a body is given once, and is a number.", refuses(
        *((value, lines("Host: h", f"Content-Length: {value}")) for value in ("5x", "+5", "-5", "x", "5, 5")),
        ("twice", lines("Host: h", "Content-Length: 0", "Content-Length: 0")),
        ("and chunked", lines("Host: h", "Content-Length: 5", "Transfer-Encoding: chunked")),
        ("an encoding that is not chunked", lines("Host: h", "Transfer-Encoding: gzip")),
    ), path=None, rfc=9112),
    Rule("5.6.1", "A list may be as long as the head and span several lines; other elements than tokens are ignored.", {
        name: (handshake(*fields, path="/chat"), accepted(protocol="chat.v1"))
        for name, fields in {
            "1.5 kB": [f"Sec-WebSocket-Protocol: chat.v1, bearer.{'t' * 1500}"],
            "1.5 kB before": [f"Sec-WebSocket-Protocol: bearer.{'t' * 1500}, chat.v1"],
            "14 kB in two lines": [f"Sec-WebSocket-Protocol: bearer.{'t' * 7000}"] * 2 + ["Sec-WebSocket-Protocol: chat.v1"],
            "an equals sign": ["Sec-WebSocket-Protocol: chat.v1, a=b"],
            "two words": ["Sec-WebSocket-Protocol: two words, chat.v1"],
            "a quoted comma": ['Sec-WebSocket-Protocol: "a, b", chat.v1'],
            "empty ones": ["Sec-WebSocket-Protocol: ,, chat.v1,"],
            "in Connection": ["Sec-WebSocket-Protocol: chat.v1", f"Connection: a=b, {'t' * 2000}"],
            "in Upgrade": ["Sec-WebSocket-Protocol: chat.v1", f"Upgrade: a=b, {'t' * 2000}"],
            "in Sec-WebSocket-Extensions": [
                "Sec-WebSocket-Protocol: chat.v1", f"Sec-WebSocket-Extensions: x-{'t' * 2000}"],
        }.items()
    }, path=None, rfc=9110),
    Rule("7.8", "Upgrade: websocket in a 426 is listed in Connection.", {
        "no Upgrade": (
            lines("Host: h", first="GET /echo HTTP/1.1"),
            answers(426, Upgrade="websocket", Connection="Upgrade, close"),
        ),
        "a wrong version": (
            request("/echo", upgrade_headers(Sec_WebSocket_Version="8")),
            answers(426, Upgrade="websocket", Connection="Upgrade, close", Sec_WebSocket_Version="13"),
        ),
    }, path=None, rfc=9110),
    Rule("9.3.7", "Each path lists its methods.", {
        **{f"OPTIONS {path}": (
            lines("Host: h", first=f"OPTIONS {path} HTTP/1.1"), answers(204, Allow="GET, HEAD, OPTIONS"))
           for path in ("/", "/healthz", "/readyz", "/echo")},
        "OPTIONS / in HTTP/1.0, as HAProxy asks": (lines(first="OPTIONS / HTTP/1.0"), answers(204)),
        **{f"POST {path}": (
            lines("Host: h", first=f"POST {path} HTTP/1.1"), answers(405, Allow="GET, HEAD, OPTIONS"))
           for path in ("/", "/healthz", "/readyz", "/echo")},
        "POST /none": (lines("Host: h", first="POST /none HTTP/1.1"), answers(404)),
    }, path=None, rfc=9110),
    Rule("4.1", "A client sends no bytes between its request and the 101 (item 6 of the client's part); else 400.", {
        "a frame": (handshake() + EARLY, refused(400)),
        **{f"{size} bytes of a frame": (handshake() + EARLY[:size], refused(400)) for size in (1, 2, 6, 7)},
        "a second request": (handshake() + handshake(), refused(400)),
        "an empty line": (handshake() + b"\r\n", refused(400)),
        "a frame in pieces": (handshake()[:40], handshake()[40:] + EARLY, refused(400)),
    }, path=None),
]
