"""terminal - a program in a pseudo-terminal, and what stands on its screen: as much of an xterm as a line editor
needs, and no more.

    with Terminal([WEIR, "connect", url], columns=40) as terminal:
        terminal.type("hello\r")
        terminal.expect("< hello")

SPDX-License-Identifier: MIT
"""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unicodedata

from weir_process import PATIENCE, ROOT

CONTROL_SEQUENCE = re.compile(r"\x1b\[([0-9;?]*)([@-~])|\x1b[()].|\x1b[=>78]|\x1b")
MARGIN = object()  # the second half of a wide character


class Screen:
    """Rows of characters. Like an xterm, it wraps only when a character comes that does not fit any more."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.cells = [[" "] * columns for _ in range(rows)]
        self.row = self.column = 0
        self.rest = ""  # of a sequence that has not come whole

    def text(self):
        rows = ("".join(cell for cell in row if cell is not MARGIN).rstrip() for row in self.cells)
        return "\n".join(rows).rstrip("\n")

    def cursor(self):
        return self.row, min(self.column, self.columns - 1)

    def feed(self, text):
        text, at = self.rest + text, 0
        self.rest = ""
        while at < len(text):
            if text[at] != "\x1b":
                self._put(text[at])
                at += 1
                continue
            sequence = CONTROL_SEQUENCE.match(text, at)
            if sequence.group() == "\x1b":
                self.rest = text[at:]
                return
            self._perform(*sequence.groups())
            at = sequence.end()

    def _line_feed(self):
        if self.row + 1 < self.rows:
            self.row += 1
        else:
            self.cells = self.cells[1:] + [[" "] * self.columns]

    def _put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self._line_feed()
        elif character == "\b":
            self.column = max(0, min(self.column, self.columns - 1) - 1)
        elif character >= " ":
            self._print(character)

    def _print(self, character):
        width = 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if self.column + width > self.columns:
            self.column = 0
            self._line_feed()
        self.cells[self.row][self.column] = character
        if width == 2:
            self.cells[self.row][self.column + 1] = MARGIN
        self.column += width

    def _perform(self, parameters, final):
        if final is None or final in "mhl":  # character sets, colours, modes
            return
        numbers = [int(number or 0) for number in parameters.split(";")]
        count, row = max(1, numbers[0]), self.cells[self.row]
        self.column = min(self.column, self.columns - 1)
        if final == "A":
            self.row = max(0, self.row - count)
        elif final == "B":
            self.row = min(self.rows - 1, self.row + count)
        elif final == "C":
            self.column = min(self.columns - 1, self.column + count)
        elif final == "D":
            self.column = max(0, self.column - count)
        elif final == "G":
            self.column = count - 1
        elif final == "H":
            self.row, self.column = count - 1, max(1, (numbers + [1])[1]) - 1
        elif final == "J" or final == "K":
            row[self.column:] = [" "] * (self.columns - self.column)
            for below in self.cells[self.row + 1:] if final == "J" else []:
                below[:] = [" "] * self.columns
        elif final == "P":
            del row[self.column:self.column + count]
            row.extend([" "] * (self.columns - len(row)))
        elif final == "@":
            row[self.column:self.column] = [" "] * count
            del row[self.columns:]
        else:
            raise AssertionError(f"an xterm does something at CSI {parameters} {final}, this screen does not")


class Terminal:
    """A process whose standard input, output and errors are the terminal."""

    def __init__(self, command, columns=80, rows=24, environment=None):
        self.screen = Screen(columns, rows)
        self.bytes = b""
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.master, slave = pty.openpty()
        self.resize(columns, rows, tell=False)
        self.modes = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            [str(word) for word in command], cwd=ROOT, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", **(environment or {})},
            preexec_fn=self.own,
        )
        self.slave = slave

    @staticmethod
    def own():
        """In the new process: the terminal is its own, and no signal is ignored, even if the tests run below nohup."""
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)

    def resize(self, columns, rows, tell=True):
        if tell:
            self.screen.columns, self.screen.rows = columns, rows
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode() if isinstance(text, str) else text)

    def read(self, seconds):
        """Takes what the program prints within this time. False if nothing came."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        data = os.read(self.master, 65536) if ready else b""
        self.bytes += data
        self.screen.feed(self.decoder.decode(data))
        return bool(data)

    def until(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if not self.read(0.05) and time.monotonic() > deadline:
                raise AssertionError(f"{what}: not within {PATIENCE} s; the screen:\n{self.screen.text()}")

    def expect(self, *lines):
        """Waits until these are the last lines on the screen."""
        self.until(lambda: self.screen.text().split("\n")[-len(lines):] == list(lines), f"{lines} at the end")

    def expect_exit(self, status):
        self.until(lambda: self.process.poll() is not None, "the end of the program")
        while self.read(0):
            pass
        if self.process.returncode != status:
            raise AssertionError(f"status {self.process.returncode}, not {status}; the screen:\n{self.screen.text()}")
        if termios.tcgetattr(self.slave) != self.modes:
            raise AssertionError("the terminal was not left as it had been")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self.slave)
        os.close(self.master)
