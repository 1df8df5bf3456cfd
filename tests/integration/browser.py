# SPDX-License-Identifier: GPL-3.0-or-later

"""Chromium without a screen, driven over a pipe by its DevTools protocol: without a driver or a network."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any

# Debian's and others' names.
PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Nothing but what it is told, and nothing left of it.
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-extensions", "--disable-default-apps", "--window-size=1400,1000", "--hide-scrollbars"),
)
_TIMEOUT = 120.0


class BrowserError(Exception):
    """The browser did not do what it was told."""


class Browser:
    """One tab. ``requests`` are the addresses that it asked for, ``complaints`` what its console says."""

    def __init__(self, profile: Path) -> None:
        if PROGRAM is None:
            raise BrowserError("there is no Chromium")
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._events: list[dict[str, Any]] = []
        self._number = 0
        self._rest = b""
        child_reads, self._to = os.pipe()
        self._from, child_writes = os.pipe()
        # The protocol's pipe is what the child has as 3 and 4 (chromium, devtools_pipe_handler.cc).
        command = f'exec 3<&{child_reads} 4>&{child_writes}; exec "$0" "$@"'
        self._process = subprocess.Popen(
            [
                "bash",
                "-c",
                command,
                PROGRAM,
                *_FLAGS,
                "--remote-debugging-pipe",
                f"--user-data-dir={profile}",
            ],
            pass_fds=(child_reads, child_writes),
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(profile)},
            start_new_session=True,
        )
        os.close(child_reads)
        os.close(child_writes)
        self._session: str | None = None
        try:
            self._open_tab()
        except BrowserError:
            self.close()
            raise

    def _open_tab(self) -> None:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the browser, whatever state it is in."""
        self._session = None
        try:
            self.call("Browser.close")
            self._process.wait(10)
        except (BrowserError, OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol, and wait for its answer."""
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        until = monotonic() + _TIMEOUT
        while True:
            answer = self._next(until)
            if answer.get("id") == number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, address: str) -> None:
        """Go to an address and wait until the page has loaded."""
        self._events.clear()
        self.call("Page.navigate", url=address)
        until = monotonic() + _TIMEOUT
        while "Page.loadEventFired" not in [event["method"] for event in self._events]:
            self._next(until)

    def run(self, script: str) -> Any:
        """The value of an expression on the page; of a promise, once it is there."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise BrowserError(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def resize(self, width: int, height: int) -> None:
        """Set the size of the window's content, in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def prefer(self, scheme: str) -> None:
        """Prefer the color scheme ``light`` or ``dark``."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, most: int | None = None) -> bytes:
        """The whole page as PNG; at most so many pixels of it from the top."""
        clip = {}
        if most is not None:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            height = min(most, size["height"])
            clip = {"clip": {"x": 0, "y": 0, "width": size["width"], "height": height, "scale": 1}}
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, **clip)
        return base64.b64decode(answer["data"])

    def pdf(self) -> bytes:
        """The page as it prints, in the format that its style asks for."""
        answer = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=False)
        return base64.b64decode(answer["data"])

    def _next(self, until: float) -> dict[str, Any]:
        """The browser's next message; events are noted on the way."""
        while b"\0" not in self._rest:
            readable, _writable, _failed = select.select([self._from], [], [], max(0.0, until - monotonic()))
            read = os.read(self._from, 1 << 20) if readable else b""
            if not read:
                raise BrowserError("the browser does not answer" if not readable else "the browser has ended")
            self._rest += read
        text, _end, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        if "method" in message:
            self._note(message)
        return message

    def _note(self, event: dict[str, Any]) -> None:
        self._events.append(event)
        told = event["params"]
        if event["method"] == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif event["method"] == "Log.entryAdded":
            self.complaints.append(told["entry"]["text"])
        elif event["method"] == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(told["exceptionDetails"]))
        elif event["method"] == "Runtime.consoleAPICalled":
            self.complaints.append(json.dumps(told["args"]))
