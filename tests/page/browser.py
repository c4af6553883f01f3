# SPDX-License-Identifier: GPL-3.0-or-later
"""
Drives Chromium over a pipe, by the DevTools protocol: messages in JSON that end with NUL.
"""
import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile

# Resolves when the condition holds. It is looked at whenever the document changes.
UNTIL = """new Promise(done => {
	const look = () => { if (%s) { observer.disconnect(); done(true); } };
	const observer = new MutationObserver(look);
	observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
	look();
})"""


class CannotStart(Exception):
    pass


class Browser:
    """One Chromium, without a window."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="drover-page.")
        self.number = 0
        self.events = []
        self.buffer = b""
        command_read, self.commands = os.pipe()
        self.answers, answer_write = os.pipe()
        # Chromium reads commands from descriptor 3 and writes answers to 4.
        script = 'exec 8<&"$0" 9>&"$1" && shift && exec "$@" 3<&8 4>&9 8<&- 9>&-'
        arguments = ["chromium", "--headless", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe",
                     "--disable-background-networking", "--disable-dev-shm-usage", "--hide-scrollbars",
                     "--user-data-dir=" + self.folder, "about:blank"]
        if os.geteuid() == 0:
            arguments.insert(1, "--no-sandbox")
        self.process = subprocess.Popen(
            ["bash", "-c", script, str(command_read), str(answer_write), *arguments],
            pass_fds=(command_read, answer_write), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(command_read)
        os.close(answer_write)
        try:
            self.call("Browser.getVersion")
        except OSError as error:
            self.close()
            raise CannotStart from error

    def receive(self):
        while b"\0" not in self.buffer:
            piece = os.read(self.answers, 1 << 20)
            if not piece:
                raise OSError("the browser has ended")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def send(self, method, session=None, **params):
        self.number += 1
        request = {"id": self.number, "method": method, "params": params}
        if session:
            request["sessionId"] = session
        data = json.dumps(request).encode() + b"\0"
        while data:
            data = data[os.write(self.commands, data):]

    def call(self, method, session=None, **params):
        self.send(method, session, **params)
        while True:
            message = self.receive()
            if message.get("id") == self.number:
                if "error" in message:
                    raise AssertionError(f"{method}: {message['error']}")
                return message["result"]
            if "method" in message:
                self.events.append(message)

    def close(self):
        """Also while the browser answers nothing."""
        try:
            self.send("Browser.close")
            self.process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self.commands)
        os.close(self.answers)
        shutil.rmtree(self.folder, ignore_errors=True)


class Tab:
    """One page in a browser."""

    def __init__(self, browser, width=1280, height=900, dark=False, phone=False, scripts=True, before=None):
        self.browser = browser
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in "Page", "Runtime", "Log":
            self.call(domain + ".enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=2 if phone else 1, mobile=phone)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        if not scripts:
            self.call("Emulation.setScriptExecutionDisabled", value=True)
        if before:
            self.call("Page.addScriptToEvaluateOnNewDocument", source=before)

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def open(self, url):
        """Returns when the page is loaded. A page without scripts loads itself again some seconds later."""
        seen = len(self.browser.events)
        self.call("Page.navigate", url=url)
        while not any(e["method"] == "Page.loadEventFired" and e.get("sessionId") == self.session
                      for e in self.browser.events[seen:]):
            message = self.browser.receive()
            if "method" in message:
                self.browser.events.append(message)

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def until(self, condition):
        self.value(UNTIL % condition)

    def text(self, selector):
        return self.value(f"document.querySelector({json.dumps(selector)}).innerText").replace("\xa0", " ")

    def wait_for_loads(self, n):
        """Until the page was loaded so many times."""
        while sum(event["method"] == "Page.loadEventFired" and event.get("sessionId") == self.session
                  for event in self.browser.events) < n:
            message = self.browser.receive()
            if "method" in message:
                self.browser.events.append(message)

    def html(self):
        """The document as the parser has made it; also without scripts."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        return self.call("DOM.getOuterHTML", nodeId=root)["outerHTML"]

    def complaints(self):
        """What the console has of errors, above all violations of the policy."""
        self.value("1")
        found = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            if event["method"] == "Log.entryAdded" and event["params"]["entry"]["source"] != "network":
                found.append(event["params"]["entry"]["text"])
            elif event["method"] == "Runtime.exceptionThrown":
                found.append(json.dumps(event["params"]["exceptionDetails"]))
        return found

    def picture(self):
        """All of the page as PNG."""
        result = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(result["data"])

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)
