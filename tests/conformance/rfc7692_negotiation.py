"""rfc7692_negotiation - the cases of RFC 7692, 5 and 7.1: offers and answers in every combination of parameters,
each tried with messages both ways.

SPDX-License-Identifier: MIT
"""

from itertools import product

from deflate import WINDOWS, agreed, comes_compressed, compressed, declined, deflated, exchange, offering, sends
from raw_client import TEXT, frame
from script import Rule, accepted, comes, fails, refused

NO_SERVER, NO_CLIENT = "; server_no_context_takeover", "; client_no_context_takeover"
SERVER = [
    bits + flag
    for bits, flag in product(["", *(f"; server_max_window_bits={bits}" for bits in WINDOWS)], ["", NO_SERVER])
]
CLIENT = [
    bits + flag
    for bits, flag in product(
        ["", "; client_max_window_bits", *(f"; client_max_window_bits={bits}" for bits in WINDOWS)], ["", NO_CLIENT]
    )
]
ROUTES = {"without takeover": "/echo", "with takeover": "/takeover"}
BEYOND_9_BITS = b"".join(b"%d:aaaaaaaaaaaa " % (number % 100) for number in range(100))
NUMBERED = [b"message %d" % number for number in range(200)]
PROBES = (b"a" * 100, BEYOND_9_BITS, BEYOND_9_BITS, b"a" * 100)


def named(offer):
    return f"permessage-deflate{offer}"


def combined(path, server):
    """The server's part of an offer with each of the client's, on a connection of its own."""

    def step(client):
        _, port = client.socket.getpeername()
        for theirs in CLIENT:
            offer = server + theirs
            with type(client)(port) as other:
                other.send(offering(path, named(offer)))
                agreed(offer)(other)
                try:
                    for probe in exchange(*PROBES):
                        other.send(probe) if isinstance(probe, bytes) else probe(other)
                except Exception as error:
                    raise AssertionError(f"{named(offer)}: {error}") from error

    return (step,)


def without(*headers, path="/echo"):
    """Nothing is accepted: messages go plain, and RSV1 is an error."""
    plain = (frame(TEXT, b"x" * 2000), comes(TEXT, b"x" * 2000))
    return (*declined(path, *headers), *plain, compressed(TEXT, deflated(b"x")), fails(1002))


def taken(*headers, offer="", answer=None, path="/echo"):
    return (offering(path, *headers), agreed(offer, answer), *exchange(*PROBES))


ON = {"server_no_context_takeover", "client_no_context_takeover"}

WRONG_WINDOWS = (
    "0", "1", "7", "16", "80", "100", "08", "015", "+8", "-8", "8.0", "x", "0x8", "4294967304", '"7"',
)
WRONG = {
    "an unknown parameter": "; x",
    "an unknown parameter with a value": "; x=1",
    "an unknown parameter after valid ones": "; server_no_context_takeover; client_max_window_bits; x",
    "a parameter of another extension": "; max_window_bits=10",
    **{f"{name} twice": f"; {name}; {name}"
       for name in ("server_no_context_takeover", "client_no_context_takeover", "client_max_window_bits")},
    **{f"{name} twice, {values}": "".join(f"; {name}={value}" for value in values.split(" and "))
       for name in ("server_max_window_bits", "client_max_window_bits") for values in ("10 and 10", "9 and 15")},
    "client_max_window_bits twice, once without a value": "; client_max_window_bits; client_max_window_bits=10",
    **{f"{name}={value}": f"; {name}={value}"
       for name in ("server_no_context_takeover", "client_no_context_takeover") for value in ("1", "true", "10")},
    "server_max_window_bits without a value": "; server_max_window_bits",
    **{f"{name}={value}": f"; {name}={value}"
       for name in ("server_max_window_bits", "client_max_window_bits")
       for value in WRONG_WINDOWS},
}
MALFORMED = {
    "a semicolon at the end": "permessage-deflate;",
    "a semicolon alone": ";",
    "two semicolons": "permessage-deflate;; client_max_window_bits",
    "no name of a parameter": "permessage-deflate; =1",
    "no name of an extension": "; client_max_window_bits",
    "no value": "permessage-deflate; server_max_window_bits=",
    "an open quote": 'permessage-deflate; server_max_window_bits="10',
    "an empty quoted value": 'permessage-deflate; server_max_window_bits=""',
    "a quoted value that is no token": 'permessage-deflate; server_max_window_bits="1 0"',
    "two values": "permessage-deflate; server_max_window_bits=10=10",
    "a value of the extension": "permessage-deflate=1",
    "a blank in the name": "permessage deflate",
    "a blank in a parameter": "permessage-deflate; client max",
    "a bracket": "permessage-deflate; (x)",
    "a quoted name": '"permessage-deflate"',
    "a valid offer, then an invalid one": "permessage-deflate, permessage-deflate; x=",
    "an unknown extension, malformed": "x-unknown; y=@",
    "a letter that is not ASCII": "permessage-deflat\xe9",
}


def each_window(parameter):
    return {
        f"{parameter}={bits}, {name}": taken(
            named(f"; {parameter}={bits}"), offer=f"; {parameter}={bits}", path=path)
        for name, path in ROUTES.items() for bits in WINDOWS
    }


def quoted(offer):
    """The same offer, written in another way."""
    return taken(f"permessage-deflate;{offer}", offer="; server_max_window_bits=10",
                 answer=ON | {"server_max_window_bits=10"})


SEVERAL = [
    Rule("5", "Nothing is accepted that was not offered; then no message has RSV1 (6).", {
        "no header": (offering("/echo"), accepted(), frame(TEXT, b"x" * 2000), comes(TEXT, b"x" * 2000)),
        "no header, RSV1 sent": (offering("/echo"), accepted(), compressed(TEXT, deflated(b"x")), fails(1002)),
        "other extensions": without("x-webkit-deflate-frame, permessage-bzip2; client_max_window_bits=10"),
        "names that begin alike": without("permessage-deflate2, permessage, permessage-deflat"),
        "a route without compression": without("permessage-deflate; client_max_window_bits", path="/plain"),
    }, path=None, rfc=7692),
    Rule("5", "Of several offers at most one is accepted: the first acceptable one.", {
        "one": taken("permessage-deflate", offer="", answer=ON),
        "the first of two": taken(
            "permessage-deflate; server_max_window_bits=10, permessage-deflate; server_max_window_bits=9",
            offer="; server_max_window_bits=10", answer=ON | {"server_max_window_bits=10"},
        ),
        "in two headers": taken(
            "permessage-deflate; server_max_window_bits=9", "permessage-deflate",
            offer="; server_max_window_bits=9", answer=ON | {"server_max_window_bits=9"},
        ),
        "after other extensions": taken("x-unknown; a=1; a, permessage-bzip2, permessage-deflate",
                                              offer="", answer=ON),
        "before other extensions": taken("permessage-deflate, x-unknown; a=\"b\"", offer="", answer=ON),
        "fall back from a wrong value": taken(
            "permessage-deflate; server_max_window_bits=7, permessage-deflate", offer="", answer=ON),
        "fall back from an unknown parameter": taken(
            "permessage-deflate; x=1, permessage-deflate; server_max_window_bits=8",
            offer="; server_max_window_bits=8", answer=ON | {"server_max_window_bits=8"},
        ),
        "fall back from a repeated parameter, in the next header": taken(
            "permessage-deflate; client_max_window_bits; client_max_window_bits", "permessage-deflate",
            offer="", answer=ON,
        ),
        "the third of four": taken(
            "permessage-deflate; x, permessage-deflate; server_max_window_bits=99, "
            "permessage-deflate; server_max_window_bits=11, permessage-deflate",
            offer="; server_max_window_bits=11", answer=ON | {"server_max_window_bits=11"},
        ),
    }, path=None, rfc=7692),
    Rule("5", "A header that breaks the grammar (RFC 6455, 9.1) is refused with 400.", {
        **{name: (offering("/echo", header), refused(400)) for name, header in MALFORMED.items()},
        "on a route without compression": (offering("/plain", "permessage-deflate;"), refused(400)),
        "in the second header": (offering("/echo", "permessage-deflate", "x;"), refused(400)),
    }, path=None, rfc=7692),
    Rule("5", "Blanks and quotes do not change an offer (RFC 6455, 9.1).", {
        "no blanks": quoted("server_max_window_bits=10"),
        "blanks everywhere": quoted("  server_max_window_bits  =  10  "),
        "a quoted value": quoted('server_max_window_bits="10"'),
        "a quoted value with a backslash": quoted('server_max_window_bits="1\\0"'),
        "empty elements": taken(", ,permessage-deflate, ,", answer=ON),
    }, path=None, rfc=7692),
    Rule("7.1", "An offer with a wrong parameter is declined.", {
        name: without(named(offer)) for name, offer in WRONG.items()
    }, path=None, rfc=7692),
    Rule("7.1", "An offer with a wrong parameter is declined with context takeover too.", {
        name: without(named(WRONG[name]), path="/takeover")
        for name in ("an unknown parameter", "server_max_window_bits without a value", "client_max_window_bits=7")
    }, path=None, rfc=7692),
]

COMBINATIONS = [
    Rule("7.1", "Every combination of parameters gets an answer that the offer allows; messages are compressed both ways "
         "with these windows and contexts. Each case has all twenty combinations of the client's parameters.", {
             f"{named(server)}, {name}": combined(path, server)
             for name, path in ROUTES.items() for server in SERVER
         }, rfc=7692),
]

CONTEXTS = [
    Rule("7.1.1.1", "After server_no_context_takeover each message of the server inflates by itself.", {
        "asked of a server with takeover": taken(
            named(NO_SERVER), offer=NO_SERVER, answer={"server_no_context_takeover"}, path="/takeover"),
        "not asked, answered all the same": taken(named(""), answer=ON),
        "the same message ten times": (
            offering("/takeover", named(NO_SERVER)), agreed(NO_SERVER), *exchange(*[BEYOND_9_BITS] * 10)),
    }, path=None, rfc=7692),
    Rule("7.1.1.2", "client_no_context_takeover in an offer is a hint; the answer may contain it too.", {
        "asked of a server with takeover": taken(named(NO_CLIENT), offer=NO_CLIENT, path="/takeover"),
        "both asked": taken(named(NO_SERVER + NO_CLIENT), offer=NO_SERVER + NO_CLIENT, answer=ON, path="/takeover"),
    }, path=None, rfc=7692),
    Rule("7.1.1", "With context takeover, the windows of both directions span all messages.", {
        "the same message twenty times": (
            offering("/takeover", named("")), agreed("", set()), *exchange(*[BEYOND_9_BITS] * 20)),
        "two hundred messages": (
            offering("/takeover", named("")), agreed(), *exchange(*NUMBERED)),
        "two hundred messages at once": (
            offering("/takeover", named("")), agreed(), *(sends(TEXT, message) for message in NUMBERED),
            *(comes_compressed(TEXT, message) for message in NUMBERED)),
    }, path=None, rfc=7692),
]

WINDOW_PARAMETERS = [
    Rule("7.1.2.1", "server_max_window_bits is answered with a window that is no larger.",
         each_window("server_max_window_bits"), path=None, rfc=7692),
    Rule("7.1.2.2", "client_max_window_bits is answered only if it is offered, with a window that is no larger.", {
        "without a value, without takeover": taken(
            named("; client_max_window_bits"), offer="; client_max_window_bits"),
        "without a value, with takeover": taken(
            named("; client_max_window_bits"), offer="; client_max_window_bits", path="/takeover"),
        "not offered, with takeover": taken(named(""), answer=set(), path="/takeover"),
        **each_window("client_max_window_bits"),
    }, path=None, rfc=7692),
]

RULES = SEVERAL + COMBINATIONS + CONTEXTS + WINDOW_PARAMETERS
