"""test_proxies - nginx and HAProxy as docs/deploy.md configures them, with TLS, in front of weir; and two servers, one
of which is chosen by the path.

Both come as Debian packages, which `make deps` does not install: they would listen on port 80.

SPDX-License-Identifier: MIT
"""

import http.client
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

import websockets

from python_websockets import response_headers
from weir_process import PATIENCE, ROOT, AsyncTestCase, Weir, free_port, until

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
SERVER = """
[server]
listen = 127.0.0.1:PORT
trusted_proxies = 127.0.0.1
[websocket]
compression = on
[route /echo]
handler = echo
[route /room/{name}]
handler = relay
channel = room:{name}
"""
PAGE = (ROOT / "docs/deploy.md").read_text()


def block(heading, first):
    """The indented text after a heading whose first line is that, without its indentation."""
    section = PAGE[PAGE.index(f"\n{heading}\n"):]
    begin = re.search(rf"(?m)^( +){re.escape(first)}$", section)
    lines = section[begin.start():].split("\n")
    indent = len(begin[1])
    end = next(i for i, line in enumerate(lines) if line and len(line) - len(line.lstrip()) < indent)
    return "\n".join(line[indent:] for line in lines[:end]) + "\n"


def put(text, *pairs):
    """Replaces the parts that a reader has to replace; all of them must occur."""
    for old, new in pairs:
        if old not in text:
            raise AssertionError(f"docs/deploy.md no longer has {old!r}")
        text = text.replace(old, new)
    return text


class Proxy:
    """A proxy that runs in the foreground with its own configuration."""

    def __init__(self, command, ports):
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *map(str, command)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            until(lambda: all(map(self.takes, ports)), "the proxy")
        except AssertionError:
            self.stop()
            raise

    def takes(self, port):
        if self.process.poll() is not None:
            raise AssertionError(f"the proxy has ended:\n{self.process.stdout.read()}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class ProxyTests:
    """Tests for both proxies, with a certificate made as the page describes."""

    @classmethod
    def setUpClass(cls):
        for name in (cls.name, "openssl"):
            if shutil.which(name, path=PATH) is None:
                raise unittest.SkipTest(f"{name} is not installed (apt-get install {name})")
        directory = tempfile.TemporaryDirectory(prefix="weir-test-")
        cls.addClassCleanup(directory.cleanup)
        cls.folder = Path(directory.name)
        command = re.search(r"(?m)^    (openssl req .*\\\n.*)$", PAGE)[1].replace("\\\n", "")
        subprocess.run(shlex.split(command), cwd=cls.folder, check=True, capture_output=True)
        certificate, key = cls.folder / "ws.example.com.crt", cls.folder / "ws.example.com.key"
        (cls.folder / "ws.example.com.pem").write_text(certificate.read_text() + key.read_text())
        cls.tls = ssl.create_default_context(cafile=str(certificate))

    def start_proxy(self, *servers, upstream=None):
        """Starts the proxy in front of these ports; `upstream`: the page's other way to choose one of them."""
        self.port, self.plain_port = free_port(), free_port()
        proxy = self.proxy(servers, upstream)
        self.addCleanup(proxy.stop)
        return proxy

    def start_server(self):
        weir = Weir(SERVER)
        self.addCleanup(weir.stop)
        return weir

    def connect(self, path, **options):
        return websockets.connect(f"wss://127.0.0.1:{self.port}{path}", ssl=self.tls, open_timeout=PATIENCE, **options)

    async def test_messages_and_closes_pass_the_proxy(self):
        weir = self.start_server()
        self.start_proxy(weir.port)
        origin = f"https://127.0.0.1:{self.port}"
        async with self.connect("/echo", origin=origin, local_addr=("127.0.0.9", 0), max_size=None) as client:
            self.assertIn("permessage-deflate", response_headers(client)["Sec-WebSocket-Extensions"])
            for message in ("hello", b"\x00\x01", "again and " * 90_000):
                await client.send(message)
                self.assertEqual(await client.recv(), message)
        self.assertIn("127.0.0.9", weir.log_line("event=close", "code=1000"))
        async with self.connect("/nowhere") as client:
            await client.wait_closed()
            self.assertEqual((client.close_code, client.close_reason), (4040, "no route for /nowhere"))
        async with self.connect("/echo") as client:
            weir.process.send_signal(signal.SIGTERM)
            await client.wait_closed()
            self.assertEqual(client.close_code, 1001)
        weir.process.wait(PATIENCE)

    def test_plain_http_is_redirected_to_https(self):
        self.start_proxy(self.start_server().port)
        connection = http.client.HTTPConnection("127.0.0.1", self.plain_port, timeout=PATIENCE)
        connection.request("GET", "/echo", headers={"Host": "ws.example.com"})
        answer = connection.getresponse()
        self.assertIn(answer.status, (301, 302))
        self.assertEqual(answer.headers["Location"], "https://ws.example.com/echo")
        connection.close()

    def test_proxy_passes_on_host_and_forwarded_headers(self):
        """The headers of the request as it arrives."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            heads = []
            threading.Thread(target=self.listen, args=(listener, heads), daemon=True).start()
            self.start_proxy(listener.getsockname()[1])
            request = ("GET /x HTTP/1.1\r\nHost: ws.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                       "X-Forwarded-Proto: gopher\r\n\r\n")

            def asked():
                with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as plain:
                    with self.tls.wrap_socket(plain, server_hostname="127.0.0.1") as client:
                        client.sendall(request.encode())
                        client.recv(1)
                return [head for head in heads if head.startswith(b"GET /x ")]

            head, *_ = until(asked, "a request through the proxy")
        fields = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:] if line)
        expected = {"host": "ws.example.com", "upgrade": "websocket", "connection": "upgrade",
                    "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "https"}
        self.assertEqual({name: fields.get(name) for name in expected}, expected)

    @staticmethod
    def listen(listener, heads):
        """A server that answers 503 to clients and 200 to health checks, and records their requests."""
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                head = b""
                while b"\r\n\r\n" not in head and (data := client.recv(65536)):
                    head += data
                heads.append(head)
                status = b"503 Busy" if b" /x " in head else b"200 OK"
                client.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    async def test_path_chooses_the_server(self):
        """Clients of one room reach each other, and both servers have rooms."""
        servers = [self.start_server(), self.start_server()]
        self.start_proxy(*(server.port for server in servers), upstream=self.several)
        for room in range(30):
            async with self.connect(f"/room/{room}") as one, self.connect(f"/room/{room}") as other:
                await one.send("hello")
                self.assertEqual(await other.recv(), "hello")
        for server in servers:
            server.log_line("event=close")


class Nginx(ProxyTests, AsyncTestCase):
    name = "nginx"
    several = ("upstream weir {", "10.0.0.5:9000", "10.0.0.6:9000")

    def proxy(self, servers, upstream):
        one = block("### nginx", "map $http_upgrade $connection_upgrade {")
        text = put(one, ("listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"), ("/etc/nginx/tls/", f"{self.folder}/"),
                   ("listen 80;", f"listen 127.0.0.1:{self.plain_port};"))
        if upstream is None:
            text = put(text, ("127.0.0.1:9000", f"127.0.0.1:{servers[0]}"))
        else:
            first, *addresses = upstream
            other = put(block("### Several servers", first),
                        *((old, f"127.0.0.1:{port}") for old, port in zip(addresses, servers)))
            text = re.sub(r"(?ms)^upstream weir \{.*?^\}\n", lambda _: other, text, count=1)
        names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = "".join(f"{name}_temp_path {self.folder}/{name};\n" for name in names)
        file = self.folder / "nginx.conf"
        file.write_text(f"daemon off; master_process off; pid {self.folder}/pid; error_log stderr;\n"
                        f"events {{}}\nhttp {{\naccess_log off;\n{paths}{text}}}\n")
        command = [shutil.which("nginx", path=PATH), "-c", file, "-p", self.folder, "-e", "stderr"]
        return Proxy(command, (self.port, self.plain_port))


class HAProxy(ProxyTests, AsyncTestCase):
    name = "haproxy"
    several = ("backend weir", "10.0.0.5:9000", "10.0.0.6:9000")

    def proxy(self, servers, upstream):
        text = put(block("### HAProxy", "global"), ("bind :443", f"bind 127.0.0.1:{self.port}"),
                   ("bind :80", f"bind 127.0.0.1:{self.plain_port}"), ("/etc/haproxy/tls/", f"{self.folder}/"),
                   ("10.0.0.5:9000", f"127.0.0.1:{servers[0]}"), ("10.0.0.6:9000", f"127.0.0.1:{servers[-1]}"))
        if upstream is not None:
            first, *addresses = upstream
            other = put(block("### Several servers", first),
                        *((old, f"127.0.0.1:{port}") for old, port in zip(addresses, servers)))
            text = text[:text.index("\nbackend weir\n") + 1] + other
        file = self.folder / "haproxy.cfg"
        file.write_text(text)
        return Proxy([shutil.which("haproxy", path=PATH), "-db", "-f", file], (self.port, self.plain_port))


if __name__ == "__main__":
    unittest.main()
