"""Draw docs/*.png, and the pictures of the help, from a demonstration of its own: `make screenshots`.

It tells one story each time, up to LAST_DAY; only what the wall clock says differs.
"""

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
# Served with the site, whose help shows them.
TASKS = ROOT / "bcp_board" / "static" / "bcp_board" / "tasks"
SHELL = Path("/usr/bin/chromium-headless-shell")
CHROMIUM = SHELL if SHELL.exists() else "/usr/bin/chromium"
LAST_DAY, HELD, MEETING = "2026-11-20", "2026-11-17", "2026-12-15"
PASSWORD = secrets.token_urlsafe(12)
TALLEST = 1400
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def manage(env, *arguments):
    command = [sys.executable, ROOT / "manage.py", *arguments]
    done = subprocess.run(command, env=env | {"DEBUG": "1"}, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\n{arguments[0]} failed; the lines above say why.")


def fill(env):
    manage(env, "migrate", "--verbosity", "0")
    manage(env, "demo", "--actions", "6", "--updates", "24", "--as-at", LAST_DAY)
    manage(env, "local_accounts", "--password", PASSWORD)
    manage(env, "collectstatic", "--no-input", "--verbosity", "0")


def wait_for(url):
    for _ in range(100):
        try:
            return urllib.request.urlopen(f"{url}/healthz", timeout=1)
        except OSError:
            time.sleep(0.1)
    sys.exit("The site did not start.")


class Camera:
    def __init__(self, browser, url):
        self.browser, self.url = browser, url

    def sign_in(self, username, viewport=DESK):
        """A page that belongs to ``username``."""
        page = self.browser.new_context(base_url=self.url, viewport=viewport).new_page()
        page.goto("/login/")
        page.get_by_label("Username").fill(username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        return page

    def take(self, page, address, name, tallest=TALLEST, *, folder=DOCS):
        """Draw the page at ``address``, from its top to ``tallest`` pixels, as ``name``.png of ``folder``."""
        if address:
            page.goto(address)
        page.locator("body").wait_for()  # which a click that led here has not
        size = page.viewport_size
        # The admin scrolls inside its page.
        bottoms = "all => all.map(element => element.getBoundingClientRect().bottom)"
        needed = max(page.locator("body, #content").evaluate_all(bottoms))
        height = min(int(needed), tallest)
        page.set_viewport_size({**size, "height": height})
        page.screenshot(path=folder / f"{name}.png")
        page.set_viewport_size(size)


def draw(browser, url, folder):
    camera = Camera(browser, url)
    member = camera.sign_in("member")
    camera.take(member, "/", "home")
    camera.take(member, "/trends/", "trends")
    camera.take(member, "/recommendations/6/", "recommendation")
    camera.take(member, "/actions/A05/", "action")
    camera.take(member, "/visits/", "visits")
    camera.take(member, f"/meetings/{MEETING}/", "meeting", 1200)
    camera.take(camera.sign_in("member", PHONE), "/", "phone", 844)

    officer = camera.sign_in("officer")
    camera.take(officer, "/admin/", "admin", 1000)
    officer.goto("/actions/A05/")
    officer.get_by_role("link", name="Record progress on A05").click()
    officer.set_viewport_size({**DESK, "height": 1250})
    camera.take(officer, None, "record-progress")

    camera.take(officer, "/mine/", "mine", 900, folder=TASKS)
    secretary = camera.sign_in("secretariat")
    camera.take(secretary, "/round/", "round", 900, folder=TASKS)
    camera.take(secretary, f"/meetings/{HELD}/decide/", "decide", 900, folder=TASKS)

    member.goto(f"/meetings/{MEETING}/paper/")
    paper = folder / "paper.pdf"
    member.pdf(path=paper, prefer_css_page_size=True, tagged=True)
    for old in DOCS.glob("paper-*.png"):
        old.unlink()
    command = ["pdftoppm", "-png", "-r", "80", "-gray", "-l", "3", paper, DOCS / "paper"]
    subprocess.run(command, check=True)
    for sheet in DOCS.glob("paper-0*.png"):  # the numbers are as wide as the last of them
        sheet.rename(DOCS / f"paper-{int(sheet.stem.partition('-')[2])}.png")


def main():
    from playwright.sync_api import sync_playwright

    for folder in (DOCS, TASKS):
        folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        env = os.environ | {
            "DATABASE_URL": f"sqlite:///{folder}/demonstration.sqlite3",
            "SECRET_KEY": secrets.token_urlsafe(60),
            "ALLOWED_HOSTS": "127.0.0.1",
            "HTTPS": "0",
            "DEBUG": "0",
        }
        fill(env)
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"]
        server = subprocess.Popen(command, cwd=ROOT, env=env)
        try:
            wait_for(f"http://127.0.0.1:{port}")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
                )
                draw(browser, f"http://127.0.0.1:{port}", folder)
                browser.close()
        finally:
            server.terminate()
            server.wait()
    for path in sorted([*DOCS.glob("*.png"), *TASKS.glob("*.png")]):
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
