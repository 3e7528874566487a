"""python_websockets - what python3-websockets calls differently in Debian 12 (10.4) and in Debian 13 (15.0).

SPDX-License-Identifier: MIT
"""

import websockets
from websockets.version import version

LEGACY = int(version.split(".")[0]) < 14

InvalidStatus = websockets.InvalidStatusCode if LEGACY else websockets.InvalidStatus


def refusal(error):
    """The status and the headers of an answer that was not 101, of an InvalidStatus."""
    answer = error if LEGACY else error.response
    return answer.status_code, answer.headers


def response_headers(client):
    """Those of the 101."""
    return client.response_headers if LEGACY else client.response.headers


def request_of(connection):
    """Path and headers, at the server."""
    if LEGACY:
        return connection.path, connection.request_headers
    return connection.request.path, connection.request.headers


def choosing(*names):
    """Arguments of serve(): the first of these names that a client offers, none if it offers none of them."""

    def select(first, second):
        offered = first if LEGACY else second
        return next((name for name in names if name in offered), None)

    return {"subprotocols": list(names), "select_subprotocol": select}
