"""Takes docs/report.png, the README's picture of a page of captions, with an installed Chromium.

molcaption caption examples/drugs.sdf -o drugs.parquet --html drugs.html
python docs/make_screenshot.py drugs.html docs/report.png
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image  # comes with RDKit

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1000, 760
COLOURS = 64
"""Enough for text and drawings, and a third of the size."""


def main(page: Path, picture: Path) -> None:
    """Write what the browser shows of the molecules of ``page``."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        sys.exit(f"none of {', '.join(BROWSERS)} is installed")
    with tempfile.TemporaryDirectory() as folder:
        taken = Path(folder) / "taken.png"
        subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={taken}",
             f"{page.resolve().as_uri()}#molecules"],
            check=True, capture_output=True, timeout=300,
        )  # fmt: skip
        with Image.open(taken) as image:
            image.convert("RGB").quantize(COLOURS).save(picture, optimize=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: make_screenshot.py PAGE.html PICTURE.png")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
