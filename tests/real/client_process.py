"""client_process - the client library's programs for a test: examples/clients and client_probe.c, of the same build
as the server.

SPDX-License-Identifier: MIT
"""

import subprocess
import tempfile
from pathlib import Path

from weir_process import EXAMPLES, PATIENCE, ROOT, sanitizer_report

BUILD = EXAMPLES.resolve().parent
FLAGS = {"asan": ["-fsanitize=address,undefined"], "tsan": ["-fsanitize=thread"]}.get(BUILD.name, [])
LIBRARIES = ["-lcivetweb", "-lcrypto", "-lz", "-lpthread", "-ldl"]


def run(program, *arguments, stdin="", status=0, timeout=2 * PATIENCE):
    """Runs a client to its end, which must have this status (None: any) and no report of a sanitizer."""
    done = subprocess.run(
        [program, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=timeout, cwd=ROOT
    )
    report = sanitizer_report()
    if report:
        raise AssertionError(report)
    if status is not None and done.returncode != status:
        raise AssertionError(f"{program} {arguments}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def example(name, *arguments, **options):
    return run(EXAMPLES / "clients" / name, *arguments, **options)


class Probe:
    """client_probe.c, built when it is first needed."""

    directory = None

    @classmethod
    def program(cls):
        if cls.directory is None:
            cls.directory = tempfile.TemporaryDirectory(prefix="weir-test-")
            source = Path(__file__).with_name("client_probe.c")
            subprocess.run(
                ["cc", "-std=c17", "-D_GNU_SOURCE", "-g", *FLAGS, "-Iinclude", "-o", cls.path(), source,
                 BUILD / "libweir.a", *LIBRARIES],
                cwd=ROOT, check=True,
            )
        return cls.path()

    @classmethod
    def path(cls):
        return Path(cls.directory.name) / "client_probe"


def probe(url, *arguments):
    """Its lines. The first is "connected ..." or "error ..."."""
    return run(Probe.program(), url, *arguments, status=None).stdout.splitlines()
