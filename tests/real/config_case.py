"""config_case - for tests of configuration files: a folder with an ini file, and checks of the errors that weir prints.

SPDX-License-Identifier: MIT
"""

import re
import tempfile
import unittest
from pathlib import Path

from plugin_build import compile_plugin
from weir_process import free_port, run_weir

ROUTE = "[route /echo]\nhandler = echo\n"
PLUGIN = """
#include <weir/weir.h>
static const struct weir_handler handler = {WEIR_HANDLER_INIT};
%s
"""


def values(printed):
    """The output of `weir check` without the comments that name the source of each value."""
    return [line for line in printed.splitlines() if not line.startswith("#")]


class ConfigTestCase(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="weir-test-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.listen = f"[server]\nlisten = 127.0.0.1:{free_port()}\n"

    def write(self, text):
        """An ini file with exactly these bytes or this text."""
        file = self.directory / "test.ini"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def compile(self, source):
        return compile_plugin("plugin", self.directory, text=PLUGIN % source)

    def assertOneLine(self, done, *parts):
        """Status 2 and one line on stderr that has all the parts, whatever their case."""
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for part in parts:
            self.assertIn(str(part).lower(), done.stderr.lower())

    def assertWrong(self, text, *parts, line=None, commands=("check", "serve")):
        """Each command refuses this file with one line that begins with `file:line:`."""
        file = self.write(text)
        for command in commands:
            with self.subTest(command=command):
                done = run_weir(command, "-c", file)
                self.assertOneLine(done, *parts)
                where = re.escape(str(file)) + (rf":{line}: ." if line else r":\d+: .")
                self.assertRegex(done.stderr, where)
