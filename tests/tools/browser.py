"""A headless Chromium driven over its debugging pipe, with nothing but the standard library: what a page loads, says on
the console and looks like. Not for pages that need a network: there is none."""
import base64
import fcntl
import json
import os
import select
import shutil
import struct
import subprocess
import tempfile
import time
import zlib

NAMES = ["chromium-headless-shell", "chrome-headless-shell", "chromium", "chromium-browser", "google-chrome"]
TIMEOUT_S = 120  # a busy machine is slow; a browser that hangs must end the test


def find_browser():
    """The program that ESPALIER_BROWSER names, or one of the usual names; None where there is none."""
    named = os.environ.get("ESPALIER_BROWSER")
    if named:
        return named
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """A context manager. events: what came without being asked for, (method, parameters)."""

    def __init__(self, program):
        self._folder = tempfile.mkdtemp()
        self.events, self._pending, self._bytes, self._number, self._session = [], {}, b"", 0, None
        to_browser, from_us = os.pipe()
        to_us, from_browser = os.pipe()
        # Chromium reads commands from 3 and writes to 4; neither may be one of these four meanwhile.
        reads, writes = (fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_browser, from_browser))

        def place():
            os.dup2(reads, 3)
            os.dup2(writes, 4)

        command = [program, "--headless", "--remote-debugging-pipe", f"--user-data-dir={self._folder}", "--no-first-run",
                   "--disable-gpu", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND",
                   "--force-device-scale-factor=1", "about:blank"]
        if os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # it refuses root otherwise
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL, pass_fds=(3, 4), preexec_fn=place)
        for end in (to_browser, from_browser, reads, writes):
            os.close(end)
        self._to, self._from = from_us, to_us

    def __enter__(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        self.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)
        shutil.rmtree(self._folder, ignore_errors=True)  # its children may still be writing

    def call(self, method, **parameters):
        """The result of a command."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        number = self._number
        while number not in self._pending:
            self._take()
        answer = self._pending.pop(number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def _take(self):
        deadline = time.monotonic() + TIMEOUT_S
        while b"\0" not in self._bytes:
            ready, _, _ = select.select([self._from], [], [], max(0, deadline - time.monotonic()))
            read = os.read(self._from, 1 << 20) if ready else b""
            if not read:
                raise RuntimeError("the browser ended or hangs")
            self._bytes += read
        line, _, self._bytes = self._bytes.partition(b"\0")
        message = json.loads(line)
        if "id" in message:
            self._pending[message["id"]] = message
        else:
            self.events.append((message["method"], message["params"]))

    def open(self, path, width, height=900, scheme="light"):
        """Shows a file from disk in a window of that size."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        while not self.seen("Page.loadEventFired"):
            self._take()

    def seen(self, method):
        """The parameters of all events of that name since open()."""
        return [parameters for name, parameters in self.events if name == method]

    def value(self, expression):
        """What an expression of JavaScript gives in the page, as JSON has it."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return answer["result"].get("value")

    def picture(self, box=None, scale=1):
        """A screenshot as the bytes of a PNG: of x, y, width and height on the page, or of the whole of it."""
        if box is None:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            box = {"x": 0, "y": 0, "width": size["width"], "height": size["height"]}
        taken = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip={**box, "scale": scale})
        return base64.b64decode(taken["data"])


def pixels(png):
    """The (red, green, blue) of all pixels of a PNG of 8 bits a channel, row by row."""
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", png[16:29])
    if depth != 8 or kind not in (2, 6) or interlaced:
        raise ValueError("not a picture that Chromium writes")
    data, at = b"", 8
    while at < len(png):
        length, = struct.unpack(">I", png[at:at + 4])
        if png[at + 4:at + 8] == b"IDAT":
            data += png[at + 8:at + 8 + length]
        at += 12 + length
    data, n, above, found = zlib.decompress(data), 4 if kind == 6 else 3, None, []
    for y in range(height):
        begin = y * (width * n + 1)
        row = unfiltered(data[begin], bytearray(data[begin + 1:begin + 1 + width * n]), above or bytes(width * n), n)
        found += [tuple(row[x:x + 3]) for x in range(0, width * n, n)]
        above = row
    return found


def unfiltered(kind, row, above, n):
    """A row of a PNG as it was before its filter (RFC 2083, section 6)."""
    for x, byte in enumerate(row):
        left, up, corner = (row[x - n], above[x], above[x - n]) if x >= n else (0, above[x], 0)
        if kind == 1:
            byte += left
        elif kind == 2:
            byte += up
        elif kind == 3:
            byte += (left + up) // 2
        elif kind == 4:
            guess = left + up - corner
            byte += min((left, up, corner), key=lambda one: abs(guess - one))
        row[x] = byte & 255
    return row
