"""limited_server - a server with few descriptors, and clients that may be refused for want of them.

SPDX-License-Identifier: MIT
"""

from raw_client import RawClient, request
from weir_process import Weir


class LimitedWeir(Weir):
    """A server that may have `limit` descriptors."""

    def __init__(self, limit, configuration):
        self.limit = limit
        super().__init__(configuration)

    def command(self, file):
        return ["prlimit", f"--nofile={self.limit}", "--", *super().command(file)]


def try_to_enter(weir, path="/echo"):
    """Returns a client, or the status of the refusal, or None if it was refused without a word."""
    client = RawClient(weir.port)
    try:
        client.send(request(path))
        status = client.response().status
    except (EOFError, ConnectionError):
        status = None
    if status == 101:
        return client
    client.socket.close()
    return status
