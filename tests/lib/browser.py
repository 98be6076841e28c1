# SPDX-License-Identifier: Apache-2.0
"""browser: drives a headless Chromium by its DevTools protocol over two pipes, which needs no further package."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


def find():
    """Returns the path of Chromium, or None."""
    return next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)


class Browser:
    """One page in a headless Chromium. `requests` and `problems` collect what the page asks for and complains about."""

    def __init__(self, width=1280, height=1000):
        self.profile = tempfile.TemporaryDirectory()
        to_browser, our_end = os.pipe()
        self.from_browser, their_end = os.pipe()
        self.to_browser = our_end
        # Chromium reads commands from fd 3 and writes answers to fd 4. Its own sandbox does not work as root.
        command = (f"exec {find()} --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run "
                   f"--disable-extensions --disable-background-networking --hide-scrollbars --remote-debugging-pipe "
                   f"--window-size={width},{height} --user-data-dir={self.profile.name} about:blank "
                   f"3<&{to_browser} 4>&{their_end} 2>/dev/null >/dev/null")
        self.process = subprocess.Popen(["sh", "-c", command], pass_fds=(to_browser, their_end))
        os.close(to_browser)
        os.close(their_end)
        self.waiting = b""
        self.number = 0
        self.session = None
        self.requests, self.problems = [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def _message(self, seconds):
        end = time.monotonic() + seconds
        while b"\0" not in self.waiting:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.from_browser], [], [], left)[0]:
                raise TimeoutError("Chromium does not answer")
            part = os.read(self.from_browser, 1 << 20)
            if not part:
                raise EOFError("Chromium has ended")
            self.waiting += part
        message, _, self.waiting = self.waiting.partition(b"\0")
        return json.loads(message)

    def _take(self, event):
        method, params = event["method"], event.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(params["exceptionDetails"].get("exception", {}).get("description", str(params)))
        elif method == "Log.entryAdded":
            self.problems.append(params["entry"]["text"])
        elif method == "Runtime.consoleAPICalled":
            self.problems.append(str(params["args"]))
        elif method == "Page.javascriptDialogOpening":
            self.problems.append("a dialog: " + params["message"])

    def call(self, method, seconds=60, **params):
        """Calls a DevTools method and returns its result."""
        self.number += 1
        request = {"id": self.number, "method": method, "params": params}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.to_browser, json.dumps(request).encode() + b"\0")
        while True:
            message = self._message(seconds)
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            if "method" in message:
                self._take(message)

    def value(self, expression):
        """Returns the value of a JavaScript expression in the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def load(self, url, seconds=60):
        """Opens an address. Returns whether the page is there before the time is over."""
        self.call("Page.navigate", url=url)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.value("location.href") == url and self.value("document.readyState") == "complete":
                return True
            time.sleep(0.1)
        return False

    def open(self, path, seconds=60):
        """Opens a file. Returns whether the page says that it is drawn before the time is over."""
        self.call("Page.navigate", url="file://" + os.path.abspath(path))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.value("document.body && document.body.dataset.drawn") == "yes":
                return True
            time.sleep(0.1)
        return False

    def screenshot(self, path):
        """Writes a PNG of the visible part."""
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def emulate(self, scheme):
        """Shows the page as with that colour scheme: light or dark."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def close(self):
        """Ends Chromium."""
        try:
            self.session = None
            self.call("Browser.close", seconds=10)
        except (OSError, EOFError, TimeoutError):
            self.process.kill()
        self.process.wait()
        os.close(self.to_browser)
        os.close(self.from_browser)
        self.profile.cleanup()
