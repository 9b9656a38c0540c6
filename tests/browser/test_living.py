"""A day with elastictm where people work: JupyterLab, Notebook, the console, and a hub that takes kernels away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import nbformat
import nbformat.v4 as nb
import pytest
from jupyter_client.blocking import BlockingKernelClient

from .conftest import serving

pytestmark = pytest.mark.kernel


class Desk:
    """A server whose kernel "Python 3 (elastictm)" was installed by ``elastictm enable``."""

    def __init__(self, url, home, folder):
        self.url, self.home, self.folder = url, home, folder

    def notebook(self, name, *cells, view="lab/tree"):
        """Write a notebook for that kernel, and give its address."""
        document = nb.new_notebook(cells=[nb.new_code_cell(cell) for cell in cells])
        document.metadata["kernelspec"] = {
            "name": "elastictm", "display_name": "Python 3 (elastictm)", "language": "python"
        }  # fmt: skip
        nbformat.write(document, self.folder / name)
        return f"{self.url}/{view}/{name}{'?reset' * (view == 'lab/tree')}"

    def ask(self, method, what, **content):
        """Ask the server's own interface."""
        data = json.dumps(content).encode() if content else None
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/api/{what}", data, method=method)) as answer:
            return json.loads(answer.read() or "null")


def environment(home):
    """The environment of a user with this home."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("JUPYTER_", "IPYTHON", "XDG_"))}
    return own | {"HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def jupyter(home, *words, **options):
    """Run a command of Jupyter's or of this program's, and give what it prints."""
    line = [sys.executable, "-m", *words]
    options |= {"capture_output": True, "text": True, "timeout": 90, "env": environment(home)}
    return subprocess.run(line, check=True, **options).stdout


@contextmanager
def opened(home, folder, **settings):
    """A server with these settings, until the block ends."""
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    (home / ".jupyter").mkdir()
    (home / ".jupyter/jupyter_server_config.json").write_text(json.dumps(settings))
    jupyter(home, "elastictm_cli", "enable", "--kernelspec", "--user")
    with serving(home, folder) as url:
        yield Desk(url, home, folder)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A server as users have it."""
    with opened(tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("work")) as desk:
        yield desk


@pytest.fixture
def hub(tmp_path_factory):
    """A server that culls kernels which are idle for some seconds."""
    culling = {"cull_idle_timeout": 3, "cull_interval": 1}
    folders = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("work")
    with opened(*folders, MappingKernelManager=culling, ServerApp={"disable_check_xsrf": True}) as desk:
        yield desk


def choose(tab, menu, item):
    """Choose from a menu."""
    tab.get_by_role("menuitem", name=menu, exact=True).click()
    tab.get_by_role("menuitem", name=item, exact=True).click()


def shown(tab, cell, text):
    """Wait until the output of a cell has a text, and give all of it."""
    output = tab.locator(".jp-CodeCell").nth(cell).locator(".jp-OutputArea")
    output.get_by_text(text).first.wait_for()
    return output.inner_text()


def test_a_session_lives_in_jupyterlab(tab, desk):
    """Cells run and are undone, the session is saved, a restart is told of, and a new kernel restores it."""
    cells = ("x = [1, 2]", "x.append(3)", "%past undo", "print('undone:', x)", "%migrate save work.tm --force")
    tab.goto(desk.notebook("first.ipynb", *cells))
    tab.locator("#jp-main-statusbar", has_text="| Idle").wait_for()
    choose(tab, "Run", "Run All Cells")
    assert shown(tab, 3, "undone:").strip() == "undone: [1, 2]"
    shown(tab, 4, "Saved")
    assert tab.locator(".jp-CodeCell").first.locator(".jp-OutputArea-output").count() == 0
    choose(tab, "Kernel", "Restart Kernel and Run All Cells…")
    tab.get_by_role("button", name="Confirm Kernel Restart").click()
    told = shown(tab, 0, "%past recover")
    assert told.startswith("elastictm: the past of a session of first.ipynb that began on")
    shown(tab, 4, "Saved")
    choose(tab, "Kernel", "Shut Down Kernel")
    tab.goto(desk.notebook("second.ipynb", "%migrate restore work.tm", "print('back:', x)"))
    tab.locator("#jp-main-statusbar", has_text="| Idle").wait_for()
    choose(tab, "Run", "Run All Cells")
    assert shown(tab, 1, "back:").strip() == "back: [1, 2]"


def test_a_session_lives_in_notebook_7(tab, desk):
    """The same kernel records there, and its past is shown."""
    pytest.importorskip("notebook", reason="Notebook is not installed")
    tab.goto(desk.notebook("seven.ipynb", "y = 7", "y = 8", "%past undo", "print('undone:', y)", view="notebooks"))
    tab.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for()
    choose(tab, "Run", "Run All Cells")
    assert shown(tab, 3, "undone:").strip() == "undone: 7"
    tab.goto("about:blank")
    # Notebook's own, with every notebook.
    own = ("reading 'schema'", "filebrowser:open-path")
    tab.wrong[:] = [line for line in tab.wrong if not any(each in line for each in own)]


def test_what_a_hub_culls_is_kept(hub):
    """A kernel that the server took away had all on disk; the next one of the notebook says so, and has it back."""
    hub.notebook("culled.ipynb")
    about = {"path": "culled.ipynb", "name": "culled.ipynb", "type": "notebook", "kernel": {"name": "elastictm"}}
    gone = hub.ask("POST", "sessions", **about)["kernel"]["id"]
    assert cells(hub, gone, "x = list(range(200_000))", "import os") == ["", ""]
    deadline = time.monotonic() + 60
    while any(kernel["id"] == gone for kernel in hub.ask("GET", "kernels")):
        assert time.monotonic() < deadline, "the server did not cull the kernel"
        time.sleep(0.1)
    kernel = hub.ask("POST", "sessions", **about)["kernel"]["id"]
    told, report, back = cells(hub, kernel, "import sys", "%past recover", "print(len(x), os.sep)")
    assert told.startswith("elastictm: the past of a session of culled.ipynb that began on")
    assert "stored" in report
    assert back == "200000 /\n"


def cells(desk, kernel, *sources):
    """Run cells in a kernel of the server, one right after another, and give what each shows."""
    found = desk.home / f".local/share/jupyter/runtime/kernel-{kernel}.json"
    client = BlockingKernelClient(connection_file=str(found))
    client.load_connection_file()
    client.start_channels(hb=False)  # on a crowded machine the first beats are missed
    client.wait_for_ready(60)
    results = []
    for source in sources:
        texts = []

        def hook(message, texts=texts):
            content = message["content"]
            texts.append(
                content.get("text") or content.get("data", {}).get("text/plain") or content.get("evalue") or ""
            )

        client.execute_interactive(source, output_hook=hook, timeout=60)
        results.append("".join(texts))
    client.stop_channels()
    return results


def test_a_session_lives_in_the_console(desk, tmp_path):
    """jupyter console records with that kernel, and its past is shown."""
    pytest.importorskip("jupyter_console", reason="the console is not installed")
    words = ("jupyter_console", "--kernel", "elastictm", "--simple-prompt")
    told = jupyter(desk.home, *words, input="y = 41\ny = 42\n%past undo\nprint('undone:', y)\n", cwd=tmp_path)
    assert "undone: 41" in told
