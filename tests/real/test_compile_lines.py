"""test_compile_lines - the compile lines that documents and examples print work as they are printed: in the tree, and
in a folder with nothing but the source after `make install`. Each is also run for every other example of its kind.

SPDX-License-Identifier: MIT
"""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from client_process import BUILD
from embedded_server import Embedded
from raw_client import TEXT, RawClient, frame
from weir_process import PATIENCE, ROOT, Weir

STANDARD = "-std=gnu17"
PLUGIN, PROGRAM, CLIENT = "plug-in", "program", "client"
PLUGINS = sorted(set((ROOT / "examples").glob("*.c")) - {ROOT / "examples/embed.c"})
EXAMPLES = {PLUGIN: PLUGINS, PROGRAM: [ROOT / "examples/embed.c"],
            CLIENT: sorted((ROOT / "examples/clients").glob("*.c"))}

# What a reader may write next: POSIX functions that return pointers and structs.
BEYOND_C = """#include <string.h>
#include <time.h>
#include <weir/weir.h>
static void message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)opcode, (void)context;
    char *copy = strndup(data, size), *rest, *word = copy ? strtok_r(copy, " ", &rest) : NULL;
    nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
    weir_conn_send(conn, WEIR_TEXT, word ? word : "", word ? strlen(word) : 0);
}
static const struct weir_handler handler = {WEIR_HANDLER_INIT, .message = message};
const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "beyond", .handler = &handler};
"""


def kind_of(line):
    return PLUGIN if "-shared" in line else CLIENT if "clients/" in line else PROGRAM


def printed_lines():
    """(page, line) of all lines that call the compiler."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples").rglob("*.c"))]
    for page in pages:
        for line in re.findall(r"(?m)^[ *]+(?:RUN )?(cc .*)$", page.read_text()):
            yield page, line


def lines_of(kind, installed):
    """The different lines of a kind: those for the tree, or those for a machine on which weir is installed."""
    return sorted({line for _, line in printed_lines() if kind_of(line) == kind and ("-Iinclude" not in line) == installed})


def line_for(line, source):
    """The same line for another source."""
    (printed,) = re.findall(r"\S+\.c\b", line)
    name = Path(printed).stem
    return re.sub(rf"\b{name}(?=\.so\b|\.c\b| )", source.stem, line)


def compile_at(folder, line, **environment):
    """Runs the line in that folder: it must neither fail nor print anything. Returns the file that it makes."""
    done = subprocess.run(line.split(), cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode != 0 or done.stdout or done.stderr:
        raise AssertionError(f"{line}\n{done.stdout}{done.stderr}")
    return folder / re.search(r"-o (\S+)", line)[1]


def folder_for(test):
    folder = tempfile.TemporaryDirectory(prefix="weir-test-")
    test.addCleanup(folder.cleanup)
    return Path(folder.name)


class Lines(unittest.TestCase):
    def test_compile_lines_name_the_same_standard(self):
        lines = list(printed_lines())
        self.assertGreaterEqual(len(lines), 8)
        for page, line in lines:
            with self.subTest(page=page.name, line=line):
                self.assertEqual(re.findall(r"-std=\S+", line), [STANDARD])
                self.assertNotIn(" -D", line)

    def test_build_uses_the_same_standard(self):
        self.assertRegex((ROOT / "Makefile").read_text(), f"(?m)^EXAMPLE_CFLAGS = {STANDARD} ")


class Headers(unittest.TestCase):
    """Each public header compiles alone, with every warning."""

    COMPILERS = [("cc", "c", "c11"), ("cc", "c", "c17"), ("c++", "c++", "c++11"), ("c++", "c++", "c++20")]

    def test_each_public_header_compiles_alone(self):
        for header in sorted((ROOT / "include/weir").glob("*.h")):
            for compiler, language, standard in self.COMPILERS:
                with self.subTest(header=header.name, standard=standard):
                    if not shutil.which(compiler):
                        self.skipTest(f"there is no {compiler}")
                    source = f"#include <weir/{header.name}>\n#include <weir/{header.name}>\nint one;\n"
                    line = f"{compiler} -std={standard} -Wall -Wextra -pedantic -fsyntax-only -Iinclude -x {language} -"
                    done = subprocess.run(line.split(), input=source, cwd=ROOT, capture_output=True, text=True)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))


@unittest.skipIf(BUILD.name in ("asan", "tsan"), "the printed lines are for a build without sanitizers")
class InTheTree(unittest.TestCase):
    """A folder that looks like the tree, so that the lines write nothing into the real one."""

    def setUp(self):
        self.folder = folder_for(self)
        for name in ("include", "examples"):
            (self.folder / name).symlink_to(ROOT / name)
        (self.folder / "build").mkdir()
        (self.folder / "build/libweir.a").symlink_to(BUILD / "libweir.a")

    def compile(self, line, source):
        """A copy of the source goes into a folder of the reader, as in docs/tutorial.md."""
        line = line_for(line, source)
        place = self.folder / re.search(r"\S+\.c\b", line)[0]
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            shutil.copy(source, place)
        return compile_at(self.folder, line)

    def test_every_example_compiles_in_the_tree(self):
        for kind, sources in EXAMPLES.items():
            lines = lines_of(kind, installed=False)
            self.assertTrue(lines, kind)
            for line in lines:
                for source in sources:
                    with self.subTest(line=line, source=source.name):
                        self.compile(line, source)

    def test_each_plugin_is_served(self):
        (line, *_) = lines_of(PLUGIN, installed=False)
        routes = "".join(f"[route /{source.stem}/{{status}}]\nhandler = plugin:{self.compile(line, source)}\n"
                         for source in EXAMPLES[PLUGIN])
        with Weir(f"[server]\nlisten = 127.0.0.1:PORT\n{routes}") as weir:
            with RawClient(weir.port, upgrade="/light/on") as client:
                client.send(frame(TEXT, b"192.168.1.20"))
                self.assertEqual(client.frame(), (TEXT, b"the light has turned on"))

    def test_compiled_program_and_client_work(self):
        (embed,) = EXAMPLES[PROGRAM]
        program = self.compile(lines_of(PROGRAM, installed=False)[0], embed)
        client = self.compile(lines_of(CLIENT, installed=False)[0], ROOT / "examples/clients/echo.c")

        class Compiled(Embedded):
            def command(self, file):
                return [program, f"127.0.0.1:{self.port}"]

        with Compiled("") as server:
            done = subprocess.run([client, server.url("/echo"), "hello"], capture_output=True, text=True,
                                  timeout=PATIENCE)
            self.assertEqual((done.stdout, done.returncode), ("hello\n", 0), done.stderr)


@unittest.skipIf(BUILD.name in ("asan", "tsan"), "the printed lines are for a build without sanitizers")
class Installed(unittest.TestCase):
    """After `make install`, with a source that was copied out of the tree."""

    def setUp(self):
        self.folder = folder_for(self)
        destination = self.folder / "destination"
        command = ["make", "--no-print-directory", f"FLAVOUR={BUILD.name}", f"DESTDIR={destination}", "install"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        prefix = destination / "usr/local"  # where the compiler searches by default
        self.environment = {"CPATH": str(prefix / "include"), "LIBRARY_PATH": str(prefix / "lib")}

    def compile(self, line, source):
        shutil.copy(source, self.folder)
        return compile_at(self.folder, line_for(line, source), **self.environment)

    def test_every_example_compiles_after_install(self):
        for kind, sources in ((PLUGIN, EXAMPLES[PLUGIN]), (PROGRAM, EXAMPLES[PROGRAM] + EXAMPLES[CLIENT])):
            lines = lines_of(kind, installed=True)
            self.assertTrue(lines, kind)
            for line in lines:
                for source in sources:
                    with self.subTest(line=line, source=source.name):
                        self.compile(line, source)

    def test_plugin_with_posix_compiles_after_install(self):
        source = self.folder / "copied/beyond.c"
        source.parent.mkdir()
        source.write_text(BEYOND_C)
        for line in lines_of(PLUGIN, installed=True):
            plugin = self.compile(line, source)
            with Weir(f"[server]\nlisten = 127.0.0.1:PORT\n[route /]\nhandler = plugin:{plugin}\n") as weir:
                with RawClient(weir.port, upgrade="/") as client:
                    client.send(frame(TEXT, b"one two"))
                    self.assertEqual(client.frame(), (TEXT, b"one"))

    def test_installed_binary_runs(self):
        done = subprocess.run([self.folder / "destination/usr/local/bin/weir", "--version"], capture_output=True)
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
