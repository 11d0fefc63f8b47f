"""Takes docs/report.png, the README's picture of a page of captions.

molcaption caption examples/drugs.sdf -o drugs.parquet --html drugs.html
pip install playwright
python docs/make_screenshot.py drugs.html docs/report.png
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image  # comes with RDKit
from playwright.sync_api import sync_playwright

SIZE = {"width": 1000, "height": 760}
COLOURS = 64
"""Enough for text and drawings, and a third of the size."""


def main(page: Path, picture: Path) -> None:
    """Write what a Chromium, the system's or playwright's own, shows of ``page``'s molecules."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        tab = browser.new_page(viewport=SIZE, color_scheme="light")
        tab.goto(f"{page.resolve().as_uri()}#molecules")
        taken = tab.screenshot()
        browser.close()
    with Image.open(io.BytesIO(taken)) as image:
        image.convert("RGB").quantize(COLOURS).save(picture, optimize=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: make_screenshot.py PAGE.html PICTURE.png")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
