"""handshake - asks a server for a WebSocket, or for something else by HTTP, and tells what it answered.

SPDX-License-Identifier: MIT
"""

import socket

TIMEOUT = 5
LARGEST_HEAD = 65536

UPGRADE = """\
GET {path} HTTP/1.1\r
Host: 127.0.0.1:{port}\r
Connection: Upgrade\r
Upgrade: websocket\r
Sec-WebSocket-Version: 13\r
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r
\r
"""

POST = "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"


def ask(port, request):
    """The head of the answer to what the template `request` comes to; "" if there is none."""
    head = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as client:
            client.sendall(request.encode())
            while b"\r\n\r\n" not in head and len(head) < LARGEST_HEAD:
                data = client.recv(4096)
                if not data:
                    return ""
                head += data
    except OSError:
        return ""
    return head.partition(b"\r\n\r\n")[0].decode("latin-1")


def upgraded(port, path, compressed=False):
    """True if the path answers 101, with permessage-deflate if that is wanted."""
    head = ask(port, UPGRADE.format(path=path, port=port))
    return head.startswith("HTTP/1.1 101 ") and (not compressed or "permessage-deflate" in head.lower())


def published(port, path):
    """True if a POST to the path is answered with 2xx."""
    return ask(port, POST.format(path=path, port=port)).startswith("HTTP/1.1 2")
