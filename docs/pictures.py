"""Take the pictures of the graph that the pages show: ``make pictures``.

Runs notebooks/training.ipynb under recording, saves it, and has a Chromium look at what ``elastictm graph`` writes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "pictures"
NOTEBOOK = ROOT / "notebooks" / "training.ipynb"
PAPER = {"light": ("#ffffff", "#1d2330"), "dark": ("#12151b", "#e4e8ef")}
BANDWIDTH = "20MB/s"


def elastictm(*words: str, folder: Path) -> None:
    """Run a command of the program."""
    subprocess.run([sys.executable, "-m", "elastictm_cli", *words], check=True, cwd=folder, stdout=subprocess.DEVNULL)


def take(tab: Any, name: str, **options: Any) -> None:
    """Take one picture."""
    FOLDER.mkdir(exist_ok=True)
    tab.screenshot(path=FOLDER / f"{name}.png", **options)


def static(tab: Any, svg: str) -> None:
    """The picture as notebooks show it."""
    for theme, (paper, ink) in PAPER.items():
        tab.set_content(f'<body style="margin: 12px 20px; background: {paper}; color: {ink}">{svg}</body>')
        box = tab.locator("svg").bounding_box()
        clip = {"x": 0, "y": 0, "width": box["width"] + 40, "height": box["height"] + 24}
        take(tab, f"training-{theme}", clip=clip, full_page=True)


def page(tab: Any, file: Path) -> None:
    """The page, with one cell pinned and the pointer on another."""
    for theme in PAPER:
        tab.emulate_media(color_scheme=theme)
        tab.goto(file.as_uri())
        tab.locator(".etm-label", has_text="distances = cdist").locator("text").nth(1).click()
        tab.locator(".etm-label", has_text="search = GridSearchCV").locator("text").nth(1).hover()
        take(tab, f"page-{theme}")


def main() -> None:
    """Take all of them."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver:
        folder = Path(name)
        archive = str(Path(sys.argv[1]).resolve()) if len(sys.argv) > 1 else "training.tm"
        if len(sys.argv) == 1:
            shutil.copy(NOTEBOOK, folder)
            elastictm("run", NOTEBOOK.name, "--save", archive, folder=folder)
        elastictm("graph", archive, "--bandwidth", BANDWIDTH, "--html", "g.html", "--svg", "g.svg", folder=folder)
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": 1430, "height": 760})
        static(tab, (folder / "g.svg").read_text(encoding="utf-8"))
        page(tab, folder / "g.html")
        browser.close()


if __name__ == "__main__":
    main()
