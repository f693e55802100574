"""Prints a page on A4 in each engine that the board's members print from."""

import base64
import json
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

CHROMIUM = "chromium-headless-shell"
WAIT = 60
WEBKIT = Path(__file__).with_name("print_in_webkit.py")


def in_chromium(page, pdf):
    options = ["--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", f"--print-to-pdf={pdf}"]
    run([CHROMIUM, *options, page.as_uri()])


def in_webkit(page, pdf):
    run(["xvfb-run", "-a", "/usr/bin/python3", str(WEBKIT), page.as_uri(), str(pdf)])


def in_firefox(page, pdf):
    with firefox(pdf.with_suffix(".profile")) as ask:
        ask("WebDriver:Navigate", url=page.as_uri())
        printed = ask("WebDriver:Print", page={"width": 21.0, "height": 29.7}, shrinkToFit=True)
    pdf.write_bytes(base64.b64decode(printed["value"]))


# {engine: (what it needs, how it prints)}
ENGINES = {
    "chromium": (CHROMIUM, in_chromium),
    "firefox": ("firefox-esr", in_firefox),
    "webkit": ("xvfb-run", in_webkit),
}


def run(command):
    subprocess.run(command, check=True, capture_output=True, timeout=WAIT)


@contextmanager
def firefox(profile):
    """A function that asks a Firefox of its own for something, by the protocol that its driver speaks."""
    profile.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (profile / "user.js").write_text(f'user_pref("marionette.port", {port});\n')
    options = ["--headless", "--marionette", "--no-remote", "--profile", str(profile)]
    process = subprocess.Popen(
        [shutil.which("firefox-esr"), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        with connected(port) as stream:
            answer(stream)  # it says who it is

            def ask(name, **parameters):
                told = json.dumps([0, 1, name, parameters]).encode()
                stream.write(b"%d:%s" % (len(told), told))
                stream.flush()
                _, _, error, result = answer(stream)
                assert error is None, error
                return result

            ask("WebDriver:NewSession")
            yield ask
    finally:
        process.terminate()
        process.wait(WAIT)


def connected(port):
    end = time.monotonic() + WAIT
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", port), WAIT)
        except ConnectionRefusedError:
            assert time.monotonic() < end, "Firefox does not answer"
            time.sleep(0.1)
        else:
            with connection:
                return connection.makefile("rwb")


def answer(stream):
    size = b""
    while (digit := stream.read(1)) != b":":
        size += digit
    return json.loads(stream.read(int(size)))
