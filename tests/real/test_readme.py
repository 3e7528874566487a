"""test_readme - the plug-in that docs/handlers.md prints compiles as printed, and works; links lead somewhere.

SPDX-License-Identifier: MIT
"""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from raw_client import TEXT, RawClient, frame
from weir_process import ROOT, Weir

COMPILE = "cc -std=c17 -shared -fPIC -Iinclude"


class Readme(unittest.TestCase):
    def setUp(self):
        self.readme = (ROOT / "docs/handlers.md").read_text()
        blocks = re.findall(r"(?ms)^```c\n(.*?)^```$", self.readme)
        self.assertEqual(len(blocks), 1, "docs/handlers.md has one C program")
        self.source = blocks[0]

    def test_links(self):
        for page in (ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")):
            for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
                with self.subTest(page=page.name, link=link):
                    self.assertTrue((page.parent / link).exists())

    def test_program_is_the_example(self):
        self.assertIn(self.source.strip(), (ROOT / "examples/hello.c").read_text())

    def test_program_compiles_and_serves(self):
        self.assertIn(COMPILE, self.readme)
        with tempfile.TemporaryDirectory(prefix="weir-test-") as directory:
            plugin = Path(directory) / "hello.so"
            command = [*COMPILE.split(), "-Wall", "-Wextra", "-Werror", "-o", plugin, "-xc", "-"]
            subprocess.run(command, cwd=ROOT, input=self.source.encode(), check=True)
            route = f"[route /hello/{{name}}]\nhandler = plugin:{plugin}\n"
            with Weir(f"[server]\nlisten = 127.0.0.1:PORT\n{route}") as weir:
                with RawClient(weir.port, upgrade="/hello/Ada") as client:
                    self.assertEqual(client.frame(), (TEXT, b"hello, Ada"))
                    client.send(frame(TEXT, b"12345"))
                    self.assertEqual(client.frame(), (TEXT, b"thank you for 5 bytes"))


if __name__ == "__main__":
    unittest.main()
