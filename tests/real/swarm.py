"""swarm - the C programs that are many clients, recover.c and ghosts.c, of the same build as the server.

SPDX-License-Identifier: MIT
"""

import subprocess
import tempfile
from pathlib import Path

from admin_server import WithAdmin
from client_process import BUILD, FLAGS, LIBRARIES
from weir_process import ROOT

HERE = Path(__file__).resolve().parent
SETTINGS = """[server]
listen = 127.0.0.1:PORT
workers = 4
max_half_open_per_ip = 0
connection_queue = 1024
memory_limit = 0
[admin]
listen = 127.0.0.1:ADMIN
[log]
level = warning
level_server = info
"""
ROUTE = "[route /channels]\nhandler = pubsub\nsubprotocols = weir.v1\n"

built = {}
directory = tempfile.TemporaryDirectory(prefix="weir-test-")


def program(name):
    """Where NAME.c has been built."""
    if name not in built:
        path = Path(directory.name) / name
        sources = [HERE / f"{name}.c", HERE / "wanderer.c", BUILD / "libweir.a"]
        flags = ["-std=c17", "-D_GNU_SOURCE", "-O1", "-g", *FLAGS, "-Iinclude"]
        subprocess.run(["cc", *flags, "-o", path, *sources, *LIBRARIES], cwd=ROOT, check=True)
        built[name] = path
    return built[name]


def start(name, *arguments):
    """It dies with the test. Its stderr is among what the test says."""
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", program(name), *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )


def server(settings):
    return WithAdmin(SETTINGS + settings + ROUTE)
