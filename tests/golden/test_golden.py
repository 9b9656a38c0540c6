"""Archives of every released format restore, with all that they hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
CHILD = """
import json, sys
sys.path.insert(0, {folder!r})
from session import CHECKS
from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import InteractiveShell
HistoryManager.enabled = False
shell = InteractiveShell.instance()
shell.run_cell("%load_ext elastictm", store_history=False)
import elastictm
report = elastictm.restore({path!r}, trust=True).to_json()
failed = []
for check in CHECKS:
    result = shell.run_cell("assert " + check, store_history=False, silent=True)
    if not result.success:
        failed.append([check, repr(result.error_in_exec)])
lost = [v for v in report["variables"] if v["outcome"] == "lost"]
print(json.dumps([failed, lost]))
"""


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.tm")), ids=lambda path: path.name)
def test_golden_archive_restores(path, tmp_path):
    """Nothing of a golden archive is lost, and all that was true of its session is true again."""
    pytest.importorskip("numpy")
    code = CHILD.format(folder=str(FOLDER), path=str(path))
    environment = {**os.environ, "HOME": str(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    failed, lost = json.loads(done.stdout.splitlines()[-1])
    assert failed == []
    assert lost == []


def test_there_is_an_archive_of_the_present_format():
    """The format that is written now has its golden archive."""
    from elastictm.storage.layout import VERSION

    assert (FOLDER / f"format-{VERSION}.tm").is_file()
