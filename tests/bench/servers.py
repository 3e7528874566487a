"""servers - who is compared: how each is started, whether it is there, which version it is, which paths it has.

Every server is started with a port of 127.0.0.1 and has, where it can:

    /echo       each message comes back              /deflate    the same, compressed (permessage-deflate)
    /broadcast  each message goes to all             /room/NAME  the same among those of that name
    /pings      echo, and a ping every 20 s          /sleep      echo; a message that begins with "sleep N" takes N ms
    POST /publish/NAME  the body goes to all of /room/NAME

SPDX-License-Identifier: MIT
"""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEERS = HERE / "peers"
PYTHON = "/usr/bin/python3"  # Debian's, which has Debian's modules

PATHS = {"echo": "/echo", "deflate": "/deflate", "broadcast": "/broadcast", "room": "/room/{room}", "pings": "/pings",
         "sleep": "/sleep", "publish": "/publish/0"}


WEIR_PUBLISH = "/api/channels/room%3A0/messages"  # of its admin listener


def paths(*purposes, **others):
    """The usual paths of these purposes, and others that differ."""
    return {**{purpose: PATHS[purpose] for purpose in purposes}, **others}


WEIR_PATHS = paths(*PATHS, channels="/channels", publish=WEIR_PUBLISH)


class Server:
    """One that can be started. `kind` says in a few words what it is; `note` what to know of its figures. A version
    that is not given is asked of the program itself, with --version in the place of the port."""

    def __init__(self, name, kind, words, its_paths, version=None, needs=(), values=None, note="", variant=False):
        self.name, self.kind, self.words, self.paths, self.note = name, kind, words, its_paths, note
        self.version = version or self.told_version
        self.needs = [word for word in (*words, *needs) if isinstance(word, Path)]
        self.values = values or {}  # for words and templates
        self.variant = variant  # of weir: only for rows that name it
        self.asks_for_paths = False  # which of its paths there are is asked of it when it runs

    def missing(self):
        """What it needs and is not there; None if it can be started."""
        for path in self.needs:
            if not path.exists():
                return f"{path.name} has not been built" if "build" in path.parts else f"{path.name} is not there"
        if not shutil.which(self.words[0]):
            return f"{Path(self.words[0]).name} is not installed"
        return None if self.version() else "it is not installed"

    def told_version(self):
        return output_of(*("--version" if word == "{port}" else str(word) for word in self.words))

    def command(self, port, admin_port, folder):
        """The words of its command. A template becomes a file in `folder`, which is its own."""
        values = {**self.values, "{port}": str(port), "{admin_port}": str(admin_port), "{folder}": str(folder)}
        return [self.word(str(word), values, folder) for word in self.words]

    def word(self, word, values, folder):
        if not word.endswith((".ini", ".conf")):
            return replace_all(word, values)
        filled = Path(folder) / Path(word).name
        filled.write_text(replace_all(Path(word).read_text(encoding="utf-8"), values), encoding="utf-8")
        return str(filled)


def replace_all(text, values):
    for name, value in values.items():
        text = text.replace(name, value)
    return text


# --- Versions ---------------------------------------------------------------------------------------------------

def output_of(*words):
    try:
        run = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except OSError:
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""


def package(*names):
    """The versions of Debian packages; "" if one is not installed."""
    def find():
        lines = [output_of("dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version}", name) for name in names]
        versions = [line.partition(" ")[2] for line in lines if line.startswith("installed ")]
        return ", ".join(versions) if len(versions) == len(names) else ""
    return find


def commit():
    """Of the sources, with `modified` if they have changes."""
    name = output_of("git", "-C", str(HERE), "describe", "--always", "--dirty= (modified)")
    return f"commit {name}" if name else "unknown"


# --- The table --------------------------------------------------------------------------------------------------

def all_servers(build, weir):
    """weir first. `build`: the folder with bench/; `weir`: the program."""
    bench = Path(build).resolve() / "bench"
    serve = [weir, "serve", "-c", PEERS / "weir.ini"]
    of_weir = {"version": commit, "needs": [bench / "sleep.so"], "values": {"{plugins}": str(bench)}}
    return [
        Server("weir", "this one, as `weir serve`", serve, WEIR_PATHS, **of_weir),
        Server("weir-bare", "weir without its admin listener, and so without metrics", [*serve, "-s", "admin.listen=none"],
               paths("echo"), variant=True, **of_weir),
        Server("floor", "the minimum work of any server: epoll, one thread, no checks", [bench / "floor", "{port}"],
               paths("echo", "broadcast", "room", pings="/echo"), commit, note="it sends no pings"),
        Server("libwebsockets", "C, one service thread", [bench / "peers/libwebsockets", "{port}"], paths(*PATHS)),
        Server("ws", "JavaScript, one event loop", ["node", PEERS / "ws.cjs", "{port}"], paths(*PATHS)),
        Server("websockets", "Python, asyncio", [PYTHON, PEERS / "python_websockets.py", "{port}"],
               paths("echo", "deflate", "broadcast", "room", "pings", "sleep")),
        Server("uvloop", "the same, with uvloop", [PYTHON, PEERS / "python_websockets.py", "--uvloop", "{port}"],
               paths("echo")),
        Server("nchan", "nginx's module for channels, two processes",
               ["nginx", "-p", "{folder}", "-e", "{folder}/error.log", "-c", PEERS / "nchan.conf"],
               paths("room", "broadcast", "pings", "publish"), package("libnginx-mod-nchan", "nginx")),
        Server("threads", "C, civetweb's own WebSocket layer: a thread for each client, 8 for the handlers",
               [bench / "peers/thread_per_client", "{port}"],
               paths("echo", "broadcast", "room", "pings", "sleep", "publish"),
               note="all 10,050 threads are started in advance"),
    ]


def other_server(name, command, version):
    """A server of the command line, NAME=COMMAND with {port} in it."""
    server = Server(name, "given on the command line", shlex.split(command), dict(PATHS), lambda: version or "unknown")
    server.asks_for_paths = True
    return server
