"""The pictures of README.md, made from a real run: `python tools/pictures.py [--users N]`.

Writes docs/images/run.gif (the console while the run goes on), run.png (its end) and page.png (the
web page's answer about a customer). Wants `[docs]` and `[test]` of setup.py, and a Chromium.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
REBUY = Path(sys.executable).with_name("rebuy")
SIZE = {"width": 1200, "height": 600}
SHOWN_WIDTH = 900  # pixels of the moving picture; the others stay as they are
SECONDS_BETWEEN = 0.5
FRAME_MILLISECONDS, LAST_MILLISECONDS = 600, 4000
COLOURS = 64  # a page has few: half the bytes of 256


class Demo:
    """A `rebuy demo` at work, and what it has said so far."""

    def __init__(self, home: Path, users: int) -> None:
        command = [str(REBUY), "demo", "--users", str(users), "--no-open", "--home", str(home)]
        self._home = home
        self._said: dict[str, str] = {}
        self._watch = threading.Event()
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            print(line, end="")
            if found := re.search(r"(watch it at|web page) +(http\S+)", line):
                self._said[found[1]] = found[2]
            if "watch it at" in self._said:
                self._watch.set()
        self._watch.set()

    def run_url(self) -> str:
        """Where the run can be watched, as soon as there is one."""
        self._watch.wait()
        return self._said["watch it at"]

    def page_url(self) -> str:
        """The web page, once the run has ended."""
        self._reader.join()
        return self._said["web page"]

    def stop(self) -> None:
        self.process.wait()
        subprocess.run([REBUY, "local", "down", "--home", self._home], check=True)


def frames(page: Page, demo: Demo) -> list[bytes]:
    """The console's page of the run, whenever something but a time has changed on it."""
    page.goto(demo.run_url())
    taken, shown = [], ""
    while demo.process.poll() is None:
        page.wait_for_timeout(SECONDS_BETWEEN * 1000)
        words = re.sub(r"[\d.]+( min| s)?", "", page.locator("main").inner_text())
        if words != shown:
            taken.append(page.screenshot())
            shown = words
    page.wait_for_timeout(2000)  # what the last event changes has been drawn
    return [*taken, page.screenshot()]


def moving_picture(shots: list[bytes]) -> None:
    """The frames, smaller, as one GIF."""
    images = [Image.open(io.BytesIO(shot)).convert("RGB") for shot in shots]
    size = (SHOWN_WIDTH, SHOWN_WIDTH * SIZE["height"] // SIZE["width"])
    palette = images[-1].resize(size).quantize(COLOURS)
    small = [
        image.resize(size).quantize(palette=palette, dither=Image.Dither.NONE) for image in images
    ]
    small[0].save(
        IMAGES / "run.gif",
        save_all=True,
        append_images=small[1:],
        duration=[FRAME_MILLISECONDS] * (len(small) - 1) + [LAST_MILLISECONDS],
        loop=0,
        optimize=True,
    )


def of_a_customer(page: Page, url: str) -> None:
    """The page's answer about its first example."""
    page.set_viewport_size({"width": SIZE["width"], "height": 760})
    page.goto(url)
    page.locator("#status:not([data-state=waiting])").wait_for()
    page.locator("#customer-examples button").first.click()
    page.locator("#basket-products > li").first.wait_for()
    page.screenshot(path=IMAGES / "page.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--users", type=int, default=2000)
    users = parser.parse_args().users
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport=SIZE)
        demo = Demo(Path(folder) / "home", users)
        try:
            shots = frames(page, demo)
            (IMAGES / "run.png").write_bytes(shots[-1])
            moving_picture(shots)
            of_a_customer(page, demo.page_url())
        finally:
            demo.stop()
            browser.close()


if __name__ == "__main__":
    main()
