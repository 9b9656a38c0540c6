"""A real headless Chromium, and real Jupyter servers for it to look at."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import nbformat
import nbformat.v4 as nb
import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 60_000
"""Milliseconds: a crowded machine must not fail a test."""


@pytest.fixture(scope="module")
def chromium():
    """The browser, for one module: its driver's event loop would be in the way of others.

    Without one the tests are skipped, unless ELASTICTM_BROWSER says that it is required.
    """
    if CHROMIUM is None:
        if os.environ.get("ELASTICTM_BROWSER") == "required":
            pytest.fail("no Chromium is installed, and ELASTICTM_BROWSER says that it is required")
        pytest.skip("no Chromium is installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium):
    """A page of its own, cut off from all networks but this machine; what goes wrong in its console fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    wrong, asked = [], []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    page.wrong, page.asked = wrong, asked
    yield page
    context.close()
    assert not wrong
    elsewhere = [url for url in asked if not url.startswith(("file:", "data:", "blob:", "about:"))]
    assert not [url for url in elsewhere if "//127.0.0.1" not in url and "//localhost" not in url]


@dataclass
class Server:
    """A Jupyter server in a folder of its own."""

    url: str
    folder: Path

    def notebook(self, name, *cells):
        """Write a notebook with these code cells, and give its address in JupyterLab."""
        document = nb.new_notebook(cells=[nb.new_code_cell(cell) for cell in cells])
        document.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(document, self.folder / name)
        return f"{self.url}/lab/tree/{name}?reset"


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """JupyterLab with a home of its own."""
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("work")
    with serving(home, folder) as url:
        yield Server(url, folder)


@contextlib.contextmanager
def serving(home, folder):
    """A server of JupyterLab and Notebook that runs until the block ends; gives its address."""
    port = _free_port()
    own = {key: value for key, value in os.environ.items() if not key.startswith(("JUPYTER_", "IPYTHON", "XDG_"))}
    environment = own | {"HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.password="]
    command += [f"--ServerApp.root_dir={folder}", "--ServerApp.terminals_enabled=False"]
    command += ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    log = (home / "server.log").open("w+")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/api", process, log)
        yield url
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def _free_port():
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _wait_for(url, process, log):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(url):
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    log.seek(0)
    pytest.fail(f"the Jupyter server did not start:\n{log.read()[-3000:]}")
