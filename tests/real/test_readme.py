"""test_readme - the plug-in in docs/handlers.md compiles as printed and works; so does the line for browsers in
README.md; no link is broken.

SPDX-License-Identifier: MIT
"""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from chromium import Chromium, needs_chromium
from raw_client import TEXT, RawClient, frame
from weir_process import ROOT, AsyncTestCase, Weir

COMPILE = "cc -std=gnu17 -shared -fPIC -Iinclude"


class Readme(unittest.TestCase):
    def setUp(self):
        self.readme = (ROOT / "docs/handlers.md").read_text()
        blocks = re.findall(r"(?ms)^```c\n(.*?)^```$", self.readme)
        self.assertEqual(len(blocks), 1, "docs/handlers.md has one C program")
        self.source = blocks[0]

    def test_links_lead_somewhere(self):
        for page in (ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")):
            for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
                with self.subTest(page=page.name, link=link):
                    self.assertTrue((page.parent / link).exists())

    def test_first_servers_are_those_of_the_tutorial(self):
        tutorial = (ROOT / "docs/tutorial.md").read_text()
        blocks = re.findall(r"(?ms)^```(?:c|ini|python)\n(.*?)^```$", (ROOT / "README.md").read_text())
        self.assertGreater(len(blocks), 3)
        for block in blocks:
            self.assertIn(block, tutorial)

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


@needs_chromium
class InABrowser(AsyncTestCase):
    configuration = "[server]\nlisten = 127.0.0.1:PORT\n[route /room/{name}]\nhandler = relay\nchannel = room:{name}\n"

    async def test_browser_line_of_the_readme_works(self):
        readme = (ROOT / "README.md").read_text()
        (line,) = re.findall(r"(?m)^    (s = new WebSocket.*)$", readme)
        self.assertIn(" http://127.0.0.1:9000/ ", readme)
        async with Chromium() as browser:
            with Weir(self.configuration) as weir:
                tabs = [await browser.open(f"http://127.0.0.1:{weir.port}/") for _ in range(2)]
                for tab in tabs:
                    await tab.run("heard = []; console.log = text => heard.push(text)")
                    await tab.run(line.replace(":9000", f":{weir.port}") + "; null")
                    await tab.until("heard.at(-1) == 'hello'")
                await tabs[0].until("heard.length == 2")


if __name__ == "__main__":
    unittest.main()
