"""rfc6455_handshake - the cases of RFC 6455, 4.2 to 4.4: what the server requires of an
opening handshake, and its answer.

SPDX-License-Identifier: MIT
"""

import base64

from raw_client import KEY, TEXT, close_frame, frame, request, upgrade_headers
from script import Rule, accepted, chopped, closes, comes, refused

KEYS = {
    "the RFC's sample": KEY, "zeros": base64.b64encode(bytes(16)).decode(),
    "ones": base64.b64encode(b"\xff" * 16).decode(), "counting": base64.b64encode(bytes(range(16))).decode(),
    "with + and /": "+/+/+/+/+/+/+/+/+/+/+w==",
    "the sample of 1.3, with bits left over": "AQIDBAUGBwgJCgsMDQ4PEC==", "all bits left over": "A" * 21 + "P==",
}
WRONG_KEYS = {
    "missing": None, "empty": "", "15 bytes": base64.b64encode(bytes(15)).decode(),
    "17 bytes": base64.b64encode(bytes(17)).decode(), "64 bytes": base64.b64encode(bytes(64)).decode(),
    "one byte": "AA==",
    "no padding": KEY[:-2], "half the padding": KEY[:-1], "too much padding": KEY + "=",
    "padding in front": "==" + KEY[:-2], "not base64": "*" * 22 + "==", "URL-safe base64": "-_" * 11 + "==",
    "a blank inside": KEY[:4] + " " + KEY[4:],
    "24 characters, no padding": "A" * 24,
    "3000 characters": "x" * 3000, "two in a list": f"{KEY}, {KEY}", "quoted": f'"{KEY}"',
}
UPGRADE_426 = refused(426, Upgrade="websocket")


def ask(path="/echo", *more, **changes):
    """A right request with these changes and further headers."""
    return request(path, [*upgrade_headers(**changes), *more])


def absolute(client):
    """The server's own URI, whole, in the request line."""
    host, port = client.socket.getpeername()
    client.send(ask(f"http://{host}:{port}/echo"))


def renamed(change):
    return request("/echo", [(change(name), value) for name, value in upgrade_headers()])


def protocols(*offers):
    return ask("/chat", *(("Sec-WebSocket-Protocol", offer) for offer in offers))


def spoken(path, greeting):
    """/hello/{name} greets, which shows what path the server has read."""
    return (ask(path), accepted(), comes(TEXT, greeting.encode()), close_frame(1000), closes(1000))


def taken(data, **answer):
    return (data, accepted(**answer))


REQUEST = [
    Rule("4.2.1", "The request is a GET.", {
        **{f"method {method}": (request("/echo", method=method), refused(405, Allow="GET"))
           for method in ("POST", "PUT", "DELETE", "OPTIONS")},
        "method get (case matters)": (request("/echo", method="get"), refused(501)),
        "a request byte by byte": (*chopped(ask()), accepted(), frame(TEXT, b"x"), comes(TEXT, b"x")),
    }, path=None),
    Rule("4.2.1", "The HTTP version is 1.1 or above.", {
        "HTTP/1.0": (request("/echo", version="1.0"), refused(400)),
        "HTTP/0.9": (request("/echo", version="0.9"), refused(505)),
        "HTTP/2.0": (request("/echo", version="2.0"), refused(505)),
    }, path=None),
    Rule("4.2.1", "The Request-URI names the resource, percent-encoded or not, with a query or not (3).", {
        "with a query": taken(ask("/echo?token=1&x=%2F")),
        "with an empty query": taken(ask("/echo?")),
        "an encoded letter": taken(ask("/%65cho")),
        "an absolute URI": (absolute, accepted(), frame(TEXT, b"x"), comes(TEXT, b"x")),
        "encoded UTF-8": spoken("/hello/J%C3%BCrgen", "hello, Jürgen"),
        "an encoded blank": spoken("/hello/a%20b", "hello, a b"),
        "an encoded slash": spoken("/hello/a%2Fb", "hello, a/b"),
        "an encoded percent sign": spoken("/hello/%2525", "hello, %25"),
        "a plus sign": spoken("/hello/a+b", "hello, a+b"),
    }, path=None),
    Rule("4.2.1", "A malformed path is refused with 400.", {
        f"path {path}": (ask(f"/hello/{path}"), refused(400))
        for path in ("%", "%4", "%zz", "%00", "a%00b", "%ff", "%C3")
    }, path=None),
    Rule("4.2.1", "There is exactly one Host header.", {
        "no Host": (ask(Host=None), refused(400)),
        "empty Host": (ask(Host=""), refused(400)),
        "two Hosts": (ask("/echo", ("Host", "127.0.0.1")), refused(400)),
        "Host with a port": taken(ask(Host="127.0.0.1:9000")),
        "Host with a name": taken(ask(Host="example.com")),
    }, path=None),
    Rule("4.2.1", "Upgrade lists websocket, in any case; else 426.", {
        **{f"Upgrade: {value}": taken(ask(Upgrade=value))
           for value in ("WebSocket", "WEBSOCKET", "h2c, websocket", "websocket ,  IRC/6.9", "a,websocket,b")},
        **{f"Upgrade: {value}": (ask(Upgrade=value), UPGRADE_426)
           for value in ("websockets", "web socket", "h2c", "websocket/13x", "websocket;q=1")},
        "no Upgrade": (ask(Upgrade=None), UPGRADE_426),
        "empty Upgrade": (ask(Upgrade=""), UPGRADE_426),
        "Upgrade twice": taken(ask("/echo", ("Upgrade", "websocket"), Upgrade="h2c")),
    }, path=None),
    Rule("4.2.1", "Connection lists Upgrade, in any case; else 400.", {
        **{f"Connection: {value}": taken(ask(Connection=value))
           for value in ("upgrade", "UPGRADE", "keep-alive, Upgrade", "keep-alive,upgrade,x", "Upgrade , close")},
        **{f"Connection: {value}": (ask(Connection=value), refused(400))
           for value in ("keep-alive", "close", "upgraded", "up grade", "Upgrade;x")},
        "no Connection": (ask(Connection=None), refused(400)),
        "empty Connection": (ask(Connection=""), refused(400)),
        "Connection twice": taken(ask("/echo", ("Connection", "Upgrade"), Connection="keep-alive")),
    }, path=None),
    Rule("4.2.1", "The key is 16 bytes in base64, once; else 400.", {
        **{f"key: {name}": (ask(Sec_WebSocket_Key=key), refused(400)) for name, key in WRONG_KEYS.items()},
        "key twice": (ask("/echo", ("Sec-WebSocket-Key", KEY)), refused(400)),
    }, path=None),
    Rule("4.2.1", "Other headers change nothing; names may be in any case.", {
        "names in lower case": taken(renamed(str.lower)),
        "names in upper case": taken(renamed(str.upper)),
        "names in mixed case": taken(renamed(str.swapcase)),
        "blanks around a value": taken(ask(Sec_WebSocket_Key=f"  {KEY}  ", Sec_WebSocket_Version=" 13 ")),
        "no blank before a value": taken(ask().replace(b": ", b":")),
        "headers in reverse order": taken(request("/echo", upgrade_headers()[::-1])),
        "unknown headers": taken(ask("/echo", ("X-Unknown", "1"), ("Sec-WebSocket-Unknown", "2"))),
        "cookie and user agent": taken(ask("/echo", ("Cookie", "a=b; c=d"), ("User-Agent", "x/1"))),
        "Content-Length: 0": taken(ask("/echo", ("Content-Length", "0"))),
        "forty headers more": taken(ask("/echo", *((f"X-{number}", "x" * 20) for number in range(40)))),
    }, path=None),
    Rule("4.2.1", "DEVIATION: civetweb refuses some forms that RFC 7230 allows and no known client sends.", {
        "HTTP/1.2": (request("/echo", version="1.2"), refused(505)),
        "tabs around a value": (ask(Sec_WebSocket_Key=f"\t{KEY}\t"), refused(400)),
        "a tab within a list": (ask(Connection="keep-alive,\tUpgrade"), refused(400)),
    }, path=None),
]

ANSWER = [
    Rule("4.2.2", "The answer is 101 with Upgrade, Connection and the accept value of the key.", {
        f"accept: {name}": taken(ask(Sec_WebSocket_Key=key), key=key) for name, key in KEYS.items()
    }, path=None),
    Rule("4.4", "A version other than 13 is refused with 426 and the supported version (4.2.2).", {
        f"version {'missing' if version is None else repr(version)}": (
            ask(Sec_WebSocket_Version=version), refused(426, Sec_WebSocket_Version="13"),
        )
        for version in
        (None, "", "0", "7", "8", "12", "14", "113", "013", "13.0", "-13", "x", "255", "8, 13", "13, 13")
    }, path=None),
    Rule("4.2.2", "An origin that may not connect is refused with 403.", {
        "no origin": taken(ask()),
        "the same host": taken(ask("/echo", ("Origin", "http://127.0.0.1:8080"))),
        "another host": (ask("/echo", ("Origin", "http://example.com")), refused(403)),
        "null": (ask("/echo", ("Origin", "null")), refused(403)),
        "two origins": (
            ask("/echo", ("Origin", "http://127.0.0.1"), ("Origin", "http://example.com")), refused(403),
        ),
    }, path=None),
    Rule("4.2.2", "At most one subprotocol is selected, and it is one that the client offers.", {
        "none offered": taken(ask("/chat")),
        "one offered": taken(protocols("chat.v1"), protocol="chat.v1"),
        "two offered: the server prefers": taken(protocols("chat.v1, chat.v2"), protocol="chat.v2"),
        "offered in two headers": taken(protocols("x", "chat.v1"), protocol="chat.v1"),
        "none that is supported": taken(protocols("x, y")),
        "case matters": taken(protocols("CHAT.V1")),
        "part of a name": taken(protocols("chat, chat.v11")),
        "the route has none": taken(ask("/echo", ("Sec-WebSocket-Protocol", "chat.v1"))),
    }, path=None),
    Rule("4.2.2", "No extension is selected that the client does not offer, or the server does not know.", {
        "none offered": taken(ask()),
        "unknown ones": taken(ask("/echo", ("Sec-WebSocket-Extensions", "x-unknown; a=1, x-webkit-deflate-frame"))),
    }, path=None),
]

RULES = REQUEST + ANSWER
