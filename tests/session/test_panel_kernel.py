"""The panel of the past in a real kernel, whose messages wait for each other."""

from __future__ import annotations

import time

import pytest
from jupyter_client.manager import start_new_kernel

pytest.importorskip("anywidget", reason="anywidget is not installed")

pytestmark = pytest.mark.kernel

PATIENCE = 60


class Kernel:
    """A kernel, and a front end that shows one panel."""

    def __init__(self, manager, client):
        self.manager, self.client = manager, client
        self.panel = None

    def run(self, code):
        """Run a cell; returns what it printed."""
        printed = []

        def hear(message):
            if message["msg_type"] == "comm_open":
                self.panel = message["content"]["comm_id"]
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        reply = self.client.execute_interactive(code, output_hook=hear, timeout=PATIENCE)
        assert reply["content"]["status"] == "ok"
        return "".join(printed).strip()

    def say(self, **content):
        """Send what a panel's script sends."""
        data = {"comm_id": self.panel, "data": {"method": "custom", "content": content}}
        self.client.shell_channel.send(self.client.session.msg("comm_msg", data))

    def hear(self, wanted):
        """Wait for something that the script is told."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            told = message["content"].get("data", {}).get("content", {}) if message["msg_type"] == "comm_msg" else {}
            if wanted in told:
                return told
        raise AssertionError(wanted)


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """A kernel in a folder and a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    manager, client = start_new_kernel(cwd=str(tmp_path), kernel_name="python3")
    yield Kernel(manager, client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_clicks_are_done_between_cells(kernel):
    """A click goes where the magic would go, also while a cell is awaited; an interrupt leaves all as it was."""
    kernel.run("%load_ext elastictm")
    kernel.run("x = 1")
    kernel.run("import time; time.sleep(1.5); slow = (i for i in range(3))")
    kernel.run("del slow; x = 2")
    kernel.run("%past")
    kernel.say(look=True)
    assert "re-runs cells: 1.5 s" in kernel.hear("html")["html"]

    kernel.say(id="1", words=["undo"])
    assert kernel.hear("begun") == {"begun": "1"}
    time.sleep(0.5)
    kernel.manager.interrupt_kernel()
    assert "interrupted" in kernel.hear("answer")["error"]
    assert kernel.run("print(x, 'slow' in dir())") == "2 False"

    kernel.say(id="2", words=["2"])
    assert "Restored state 2" in kernel.hear("answer")["report"]
    assert kernel.run("print(x, In[-1])") == "1 print(x, In[-1])"

    kernel.client.execute("import asyncio; await asyncio.sleep(0.5); y = 3")
    kernel.say(id="3", words=["2"])
    assert "Restored state 2" in kernel.hear("answer")["report"]
    assert kernel.run("print(x, 'y' in dir())") == "1 False"
    assert kernel.run("%unload_ext elastictm\nimport comm; print(len(comm.get_comm_manager().comms))") == "0"
