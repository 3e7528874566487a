"""test_make - the errors of make on a machine where something is missing, and the packages each target would install.

SPDX-License-Identifier: MIT
"""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from weir_process import PATIENCE, ROOT

# Replaces dpkg-query, apt-get and sudo: nothing is installed, and every call is recorded.
TOOL = """#!/bin/sh
[ "${0##*/}" = dpkg-query ] && exit 1
[ "${0##*/}" = sudo ] && exec "$@"
echo "$*" >> "$NOTES"
"""


class MakeTestCase(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="weir-test-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def run_in_root(self, *command, **environment):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        return subprocess.run(list(map(str, command)), cwd=ROOT, env={**clean, **environment}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE)


class Missing(MakeTestCase):
    def assertMissing(self, done, what):
        self.assertNotEqual(done.returncode, 0)
        lines = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
        self.assertEqual(lines, [f"make: {what}; `make deps` installs what is missing"])

    def test_missing_compiler_is_reported(self):
        for target in ("all", "build-tests", "-j2"):
            done = self.run_in_root("make", "CC=no-such-cc", f"OUT={self.directory}", target)
            self.assertMissing(done, "there is no no-such-cc")

    def test_missing_header_is_reported(self):
        done = self.run_in_root(".ci/tools", "cc", "stdio.h", "no/such.h", "stdlib.h")
        self.assertMissing(done, "the C compiler finds no <no/such.h>")

    def test_complete_machine_gets_no_report(self):
        done = self.run_in_root(".ci/tools", "cc -O2", "civetweb.h", "uthash.h")
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class Dependencies(MakeTestCase):
    def wanted(self, *arguments):
        """The packages that would be installed on a machine with none of them."""
        for name in ("dpkg-query", "apt-get", "sudo"):
            tool = self.directory / name
            tool.write_text(TOOL)
            tool.chmod(0o755)
        notes = self.directory / "notes"
        notes.write_text("")
        done = self.run_in_root(".ci/deps", *arguments, PATH=f"{self.directory}:{os.environ['PATH']}", NOTES=str(notes))
        self.assertEqual(done.returncode, 0, done.stderr)
        (line,) = [line for line in notes.read_text().splitlines() if " install " in line]
        return {word for word in line.split(" install ")[1].split() if not word.startswith("-")}

    def test_build_needs_fewer_packages_than_tests(self):
        build, test = self.wanted("build"), self.wanted("test")
        self.assertLess(build, test)
        self.assertLessEqual({"gcc", "make", "libcivetweb-dev"}, build)
        self.assertLessEqual({"check", "pkg-config", "nodejs", "valgrind", "python3-websockets"}, test - build)

    def test_each_target_installs_its_packages(self):
        self.assertEqual(self.wanted("build", "cppcheck"), self.wanted("build") | {"cppcheck"})
        self.assertEqual(self.wanted("mmdebstrap"), {"mmdebstrap"})
        steps = self.run_in_root("make", "-n", "run", "BUILD=true").stdout.splitlines()
        self.assertIn(".ci/deps build", steps)
        steps = self.run_in_root("make", "-n", "deps").stdout.splitlines()
        self.assertEqual(steps, [".ci/deps test"])


if __name__ == "__main__":
    unittest.main()
