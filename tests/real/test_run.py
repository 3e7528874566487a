"""test_run - the runner of these tests reports what a test itself does not see: sanitizer reports and skipped tests.

SPDX-License-Identifier: MIT
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
FAULTY = "int main(int argc, char **argv) { char few[2]; few[0] = 0; return few[argc + 1 + (argv == 0)]; }"
MODULE = """
import subprocess, unittest
class Blind(unittest.TestCase):
    def test_looks_at_nothing(self):
        subprocess.run(["./faulty"], capture_output=True)
    def test_passes(self):
        pass
    @unittest.skip("no such package")
    def test_is_skipped(self):
        pass
"""


class Run(unittest.TestCase):
    def run_module(self):
        with tempfile.TemporaryDirectory(prefix="weir-test-") as directory:
            command = ["cc", "-w", "-g", "-fsanitize=address", "-x", "c", "-o", "faulty", "-"]
            subprocess.run(command, cwd=directory, input=FAULTY, text=True, check=True)
            Path(directory, "blind.py").write_text(MODULE)
            environment = {**os.environ, "PYTHONPATH": directory}
            return subprocess.run([sys.executable, HERE / "run", "blind"], cwd=directory, env=environment,
                                  capture_output=True, text=True)

    def test_runner_reports_sanitizers_and_skips(self):
        done = self.run_module()
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(done.stdout.splitlines()[-2:], ["1 skipped: no such package", "1 passed, 1 failed"])
        self.assertRegex(done.stdout, re.compile("FAIL: test_looks_at_nothing.*AddressSanitizer: stack-buffer-overflow", re.S))


if __name__ == "__main__":
    unittest.main()
