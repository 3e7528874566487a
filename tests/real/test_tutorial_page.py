"""test_tutorial_page - docs/tutorial.md as a reader would follow it: its files are saved as printed, its compile lines
run as printed, and its clients see the same of Python's server and of weir.

Two things are changed: the port, because tests run side by side, and the two seconds of the lamp.

SPDX-License-Identifier: MIT
"""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from weir_process import PATIENCE, ROOT, Weir, free_port, until

PAGE = (ROOT / "docs/tutorial.md").read_text()
FILES = dict(re.findall(r"(?ms)^\*\*(first/[a-z.]+)\*\*\n\n```[a-z]+\n(.*?)^```$", PAGE))
COMPILE_LINES = re.findall(r"(?m)^    (cc .*)$", PAGE)
COMMANDS = re.findall(r"(?m)^    (.*)$", re.sub(r"(?ms)^```.*?^```$", "", PAGE))


def quicker(text):
    return text.replace("time.sleep(2)", "time.sleep(0.2)").replace("sleep(2); /*", "usleep(200000); /*")


class Printed(Weir):
    """weir with a file of the page, saved where a reader would save it."""

    def __init__(self, file):
        self.file = file
        super().__init__(file.read_text().replace("127.0.0.1:8765", "127.0.0.1:PORT"))

    def command(self, file):
        shutil.copy(file, self.file)
        return super().command(self.file)


class PythonServer:
    def __init__(self, folder, name):
        self.port = free_port()
        source = (folder / name).read_text().replace("8765", str(self.port))
        self.process = subprocess.Popen([sys.executable, "-c", source], stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        until(self.listens, "the Python server listens")
        return self

    def listens(self):
        assert self.process.poll() is None, self.process.stderr.read()
        table = Path("/proc/net/tcp").read_text()
        return re.search(rf": 0100007F:{self.port:04X} 00000000:0000 0A ", table)

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=PATIENCE)


class Tutorial(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(prefix="weir-tutorial-")
        cls.addClassCleanup(directory.cleanup)
        cls.top = Path(directory.name)
        cls.first = cls.top / "first"
        cls.first.mkdir()
        (cls.top / "include").symlink_to(ROOT / "include")
        for name, text in FILES.items():
            (cls.top / name).write_text(quicker(text))
        for line in COMPILE_LINES:
            subprocess.run([*line.split(), "-Werror"], cwd=cls.top, check=True)

    def start(self, name, port, *arguments):
        source = (self.first / name).read_text().replace("8765", str(port))
        process = subprocess.Popen([sys.executable, "-c", source, *arguments], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def run_client(self, name, port, *arguments):
        process = self.start(name, port, *arguments)
        output, _ = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0)
        return output

    def servers(self, name):
        """The Python server of the page first, then weir."""
        yield lambda: PythonServer(self.first, f"{name}.py")
        yield lambda: Printed(self.first / f"{name}.ini")

    def test_every_command_names_a_file_of_the_page(self):
        self.assertGreater(len(COMMANDS), 8)
        for command in COMMANDS:
            for name in re.findall(r"first/[a-z]+\.(?:py|c|ini)", command):
                self.assertIn(name, FILES)

    def test_echo_of_the_page_greets(self):
        for server in self.servers("echo"):
            with server() as running:
                self.assertEqual(self.run_client("hello.py", running.port), "Hello world!\n")

    def test_router_of_the_page_answers_each_path(self):
        paths = ("/light/on", "/light/off", "/light/dim", "/lamp", "/")
        expected = ["the light has turned on", "the light has turned off", "invalid params", "closed with 4040",
                    "closed with 4040"]
        for server in self.servers("light"):
            with server() as running:
                self.assertEqual(self.run_client("switch.py", running.port, *paths).splitlines(), expected)

    def test_distributor_of_the_page_reaches_all_consumers(self):
        for server in self.servers("distribute"):
            with server() as running:
                consumers = [self.start("consumer.py", running.port) for _ in range(3)]
                for consumer in consumers:
                    self.assertEqual(consumer.stdout.readline(), "ready\n")
                self.run_client("producer.py", running.port)
                for consumer in consumers:
                    output, _ = consumer.communicate(timeout=PATIENCE)
                    self.assertEqual(output.splitlines(), ["message 0", "message 1", "message 2", "the end"])

    def test_login_and_commands_of_the_page_work(self):
        for server in self.servers("command"):
            with server() as running:
                output = self.run_client("client.py", running.port)
                self.assertEqual(output, "2 ['lamp', 'heater']\n0 ['heater']\n0 []\n")
                if isinstance(running, Weir):
                    running.log_line("event=close", *re.search(r'`(code=1000) (reason="user quit")`', PAGE).groups())


if __name__ == "__main__":
    unittest.main()
