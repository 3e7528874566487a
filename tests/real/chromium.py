"""chromium - a real browser without a screen, told what to do over its DevTools protocol.

    async with Chromium() as browser:
        page = await browser.open("http://127.0.0.1:8080/chat.html")
        await page.run("document.title")  # the value of an expression; promises are waited for

Needs Debian's package chromium, which is large and therefore not among those that `make deps` installs:

    @needs_chromium
    class InABrowser(AsyncTestCase): ...

SPDX-License-Identifier: MIT
"""

import asyncio
import contextlib
import json
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import websockets
from weir_process import PATIENCE

PROGRAM = shutil.which("chromium")
needs_chromium = unittest.skipUnless(PROGRAM, "chromium is not installed (apt-get install chromium)")


class Page:
    """One tab."""

    def __init__(self, socket):
        self.socket, self.number = socket, 0

    async def call(self, method, **parameters):
        self.number += 1
        await self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        answer = {}
        while answer.get("id") != self.number:
            answer = json.loads(await asyncio.wait_for(self.socket.recv(), 4 * PATIENCE))
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    async def run(self, expression):
        done = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            raise AssertionError(f"{expression[:200]}: {done['exceptionDetails']}")
        return done["result"].get("value")

    async def until(self, expression):
        """Waits for an expression to be true."""
        deadline = time.monotonic() + 2 * PATIENCE
        while not await self.run(expression):
            if time.monotonic() > deadline:
                shown = await self.run("document.documentElement.innerText")
                raise AssertionError(f"{expression}: not within {2 * PATIENCE} s\n{shown}")
            await asyncio.sleep(0.01)


class Chromium:
    async def __aenter__(self):
        self.pages = contextlib.AsyncExitStack()
        self.directory = tempfile.TemporaryDirectory(prefix="weir-test-", ignore_cleanup_errors=True)
        profile = Path(self.directory.name) / "profile"
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", PROGRAM, "--headless=new", "--no-sandbox", "--disable-gpu",
             "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        try:
            self.port = await asyncio.wait_for(self.listening(profile / "DevToolsActivePort"), 2 * PATIENCE)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def listening(self, file):
        """The port, once the browser has written it to its file."""
        while not file.exists() or "\n" not in file.read_text():
            await asyncio.sleep(0.01)
        return int(file.read_text().split("\n")[0])

    async def __aexit__(self, *_):
        await self.pages.aclose()
        self.process.terminate()
        self.process.wait()
        self.directory.cleanup()

    async def open(self, url):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            address = json.load(answer)["webSocketDebuggerUrl"]
        page = Page(await self.pages.enter_async_context(websockets.connect(address, max_size=None)))
        await page.call("Page.navigate", url=url)
        await page.until(f"location.href.startsWith({json.dumps(url)}) && document.readyState == 'complete'")
        return page


class Folder:
    """A web server for the files of a folder, at `self.url`."""

    def __init__(self, folder):
        class Handler(SimpleHTTPRequestHandler):
            def __init__(self, *arguments):
                super().__init__(*arguments, directory=folder)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
