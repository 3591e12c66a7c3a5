"""A real browser, driven by the DevTools protocol over a pipe: https://chromedevtools.github.io/devtools-protocol/."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = ("--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--remote-debugging-pipe")
READY = "document.documentElement.dataset.ready === 'true'"


class Browser:
    """A browser with one page.

    Attributes:
        problems: What the page wrote to the console as errors, exceptions that nothing caught, and blocked requests.
        requests: The URLs that the page asked for.
        blocked: How many of them its policy forbade.
        pid: The process ID of the browser.
    """

    def __init__(self, process: subprocess.Popen[bytes], read_fd: int, write_fd: int) -> None:
        self._answers, self._commands = os.fdopen(read_fd, "rb"), os.fdopen(write_fd, "wb")
        self._buffer, self._number, self._session = b"", 0, ""
        self.pid = process.pid
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.blocked = 0
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Performance"):
            self.send(f"{domain}.enable")

    def close(self) -> None:
        """End the browser, and close the pipes."""
        self._session = ""
        self.send("Browser.close")
        self._commands.close()
        self._answers.close()

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while (answer := self._next()).get("id") != self._number:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            piece = os.read(self._answers.fileno(), 1 << 20)
            if not piece:
                raise RuntimeError("the browser has ended")
            self._buffer += piece
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, event: str, params: dict[str, Any]) -> None:
        if event == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description") or details["text"])
        elif event == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert", "warning"):
            self.problems.append(str(params["args"]))
        elif event == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.problems.append(params["entry"]["text"])
        elif event == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif event == "Network.loadingFailed" and params.get("blockedReason") == "csp":
            self.blocked += 1

    def open(self, file: Path, *, script: bool = True) -> None:
        """Open a file, and wait until its program says that it is ready.

        Args:
            file: The file.
            script: Whether to run its program.
        """
        self.problems.clear()
        self.requests.clear()
        self.blocked = 0
        self.send("Emulation.setScriptExecutionDisabled", value=not script)
        self.send("Page.navigate", url=file.resolve().as_uri())
        self.wait_for_load(script=script)

    def wait_for_load(self, *, script: bool = True) -> None:
        """Wait until a page is loaded, and until its program says that it is ready.

        Args:
            script: Whether it runs its program.
        """
        while self._next().get("method") != "Page.loadEventFired":
            pass
        if script:
            self.wait_for(READY)

    def wait_for(self, condition: str) -> None:
        """Wait until a condition of the page is true."""
        poll = (
            f"new Promise(done => {{ const look = () => ({condition}) ? done(true) : setTimeout(look, 5); look(); }})"
        )
        self.evaluate(poll)

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        answer = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def type(self, text: str) -> None:
        """Type text into the element that has the focus."""
        self.send("Input.insertText", text=text)

    def press(self, key: str, code: int) -> None:
        """Press a key and let it go.

        Args:
            key: Its name, such as ``Tab``.
            code: Its virtual key code.
        """
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            given = text if kind == "keyDown" else {}
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **given)

    def click(self, x: float, y: float) -> None:
        """Press and release the mouse at a place of the window."""
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def look(self, width: int, height: int, scheme: str = "light", media: str = "screen") -> None:
        """Set the size of the window, the colour scheme that the user prefers, and the medium."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", media=media, features=features)

    def picture(self, height: int | None = None, top: float = 0) -> bytes:
        """Return a PNG of the page.

        Args:
            height: Its height; None for the whole page.
            top: Where it begins.
        """
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": top, "width": size["width"], "height": height or size["height"], "scale": 1}
        return base64.b64decode(self.send("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)["data"])


@contextmanager
def browser(program: Path) -> Iterator[Browser]:
    """Start a browser, which ends with the block.

    Args:
        program: Chromium, or its headless shell.
    """
    (their_in, our_out), (our_in, their_out) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "HOME": folder, "IN": str(their_in), "OUT": str(their_out)}
        command = ["bash", "-c", 'exec "$0" "$@" 3<&$IN 4>&$OUT', str(program), *FLAGS, f"--user-data-dir={folder}"]
        process = subprocess.Popen(
            command, env=environment, pass_fds=(their_in, their_out), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(their_in)
        os.close(their_out)
        one = None
        try:
            one = Browser(process, our_in, our_out)
            yield one
        finally:
            if one is not None:
                one.close()
            else:
                process.kill()
            process.wait()
