"""``elastictm restore``: in a process, in kernels, at a prompt."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import nbformat
import pexpect
import pytest
from elastictm_cli.losses import check_losses
from jupyter_client import BlockingKernelClient, KernelManager

from elastictm.errors import RestoredWithLosses
from elastictm.session.trust import TrustBook
from elastictm.storage.reader import ArchiveReader
from elastictm.testing.places import Console


def test_code_runs_in_the_restored_session(run, saved):
    """Standard output holds what the code shows and no more; In, Out and the numbers go on."""
    done = run("restore", saved["whole"], "--trust", "-c", "x.append(10); print(total(), In[1], _3)\ntotal() + 1")
    assert done.stdout == "13 x = [1, 2] 3\nOut[4]: 14\n"
    assert done.stderr.startswith(f"Restored {saved['whole']}: 2 stored")


@pytest.mark.parametrize(
    ("code", "status", "shown"),
    [
        ("print('before'); 1 / 0", 1, ("before\n", "ZeroDivisionError: division by zero")),
        ("x = = 1", 1, ("", "SyntaxError")),
        ("import sys; sys.exit(7)", 7, ("", "")),
        ("import sys; sys.exit('told')", 1, ("", "told")),
    ],
)
def test_the_status_is_that_of_the_code(command, saved, code, status, shown):
    """What the code raises is shown on standard error and ends with status 1; sys.exit gives its own."""
    done = command("restore", saved["whole"], "--trust", "--quiet", "-c", code)
    assert (done.returncode, done.stdout) == (status, shown[0])
    assert shown[1] in done.stderr
    assert bool(done.stderr) is bool(shown[1])
    assert "\x1b" not in done.stderr


def test_settings_that_are_lost_show_in_the_status():
    """Settings and handlers of loggers count as variables do, and displayed results do not."""
    setting = {"library": "locale", "settings": {}, "lost": ["settings of locale: not here"]}
    outputs = [{"name": name, "kind": "list", "outcome": "lost", "reason": "why"} for name in ("Out[1]", "logging: a")]
    report = {"variables": [], "outputs": outputs, "settings": [setting], "notes": ["files that travel: a"]}
    with pytest.raises(RestoredWithLosses, match=r"losses: logging: a \(why\); settings of locale: not here\."):
        check_losses(report, allowed=False)
    check_losses(report, allowed=True)
    check_losses({**report, "settings": [], "outputs": outputs[:1]}, allowed=False)


def test_other_values_and_modules_show_in_the_status():
    """A value that a re-run made otherwise, and what was changed inside a module, are losses; what may differ is none."""
    other = {"name": "n", "kind": "int", "outcome": "rerun", "reason": "not repeatable: running cell 1 again gave"}
    same = {**other, "name": "m", "reason": "cannot be stored, so its new value could not be compared"}
    notes = ["LOST: what the session changed inside the module own (A): a restored session", "MAY DIFFER g: cell 2"]
    report = {"variables": [other, same], "outputs": [], "settings": [], "notes": notes}
    with pytest.raises(RestoredWithLosses, match=r"losses: n \(DIFFERENT\); what .* the module own \(A\)\. --allow"):
        check_losses(report, allowed=False, shown=True)
    check_losses(report, allowed=True)
    check_losses({**report, "variables": [same], "notes": notes[1:]}, allowed=False)


def test_losses_show_in_the_status(command, saved):
    """Code runs all the same; status 4 tells of losses, but a failure of the code comes first."""
    words = ("restore", saved["lossy"], "--trust", "-c")
    done = command(*words, "print(x)", "--quiet")
    assert (done.returncode, done.stdout) == (4, "[1, 2]\n")
    assert done.stderr.startswith("elastictm: restored with losses: g (")
    assert done.stderr.count("\n") == 1
    assert command(*words, "print(x)", "--allow-losses").returncode == 0
    assert command(*words, "1 / 0").returncode == 1


@pytest.mark.parametrize("mode", [[], ["-c", "print(1)"], ["--kernel"], ["--into", "conn.json"]], ids=str)
def test_a_strange_archive_does_not_run_unasked(command, saved, mode, tmp_path):
    """Without a terminal and without --trust no code runs, in no mode."""
    (tmp_path / "conn.json").write_text("{}")
    done = command("restore", saved["whole"], *mode, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert "--trust" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_archive_that_was_written_here_runs_unasked(run, saved):
    """What this user's book of archives knows needs no --trust."""
    with ArchiveReader(saved["whole"]) as reader:
        TrustBook().add(reader.manifest)
    assert run("restore", saved["whole"], "-c", "print(x)").stdout == "[1, 2]\n"


def test_json_is_the_report_and_opens_no_prompt(run, saved):
    """A program reads the outcome of each variable."""
    told = json.loads(run("restore", saved["whole"], "--trust", "--json").stdout)
    assert {v["name"]: v["outcome"] for v in told["variables"]} == {"x": "stored", "total": "stored"}


def test_the_plan_needs_no_trust_and_runs_nothing(run, saved):
    """What would be loaded and re-run is shown, as text and as JSON, for an archive from anywhere."""
    assert run("restore", saved["whole"], "--plan").stdout.startswith("Plan (optimal): 2 stored")
    told = json.loads(run("restore", saved["whole"], "--plan", "--json").stdout)
    assert [v["name"] for v in told["variables"]] == ["x", "total"]


@pytest.mark.parametrize("modes", [["-c", "1", "--kernel"], ["--plan", "--notebook", "n"], ["--into", "x", "--kernel"]])
def test_modes_exclude_each_other(cli, archive, modes):
    """Two ways to restore at once are wrong usage."""
    done = cli("restore", archive, *modes)
    assert done.exit_code == 2
    assert "exclude each other" in done.stderr


def test_lines_from_a_file_run_like_at_a_prompt(command, saved, tmp_path):
    """Without a terminal the prompt reads standard input, and ends where that does."""
    lines = tmp_path / "lines"
    lines.write_text("print('sum', total())\n")
    with lines.open() as file:
        done = command("restore", saved["whole"], "--trust", "--quiet", stdin=file)
    assert done.returncode == 0
    assert "In [4]: " in done.stdout
    assert "sum 3" in done.stdout


def on_a_terminal(*words):
    """The command with a terminal of its own."""
    line = shlex.join([sys.executable, "-m", "elastictm_cli", *map(str, words)])
    return pexpect.spawn("/bin/sh", ["-c", line], encoding="utf-8", timeout=60, dimensions=(40, 160))


def test_a_terminal_gets_a_prompt(saved):
    """The prompt goes on with the number of the next cell, records, and draws the history of both."""
    child = on_a_terminal("restore", saved["whole"], "--trust")
    child.expect(r"In \[.*4.*\]")
    child.sendline("y = total() * 100; y")
    child.expect("300")
    child.expect(r"In \[.*5.*\]")
    child.sendline("%graph y")
    child.expect(r"y = total\(\) \* 100; y")
    child.expect(r"In \[.*6.*\]")
    child.sendline("exit")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


@pytest.mark.parametrize(("answer", "status"), [("n", 3), ("y", 0)])
def test_a_terminal_is_asked_about_a_strange_archive(saved, answer, status):
    """The user's answer decides."""
    child = on_a_terminal("restore", saved["whole"], "-c", "print('ran', total())")
    child.expect(r"was not written here .*Go on\? \[y/N\]")
    child.sendline(answer)
    child.expect("ran 3" if answer == "y" else "elastictm: .*--trust")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == status


def test_a_notebook_restores_in_its_first_cell(cli, saved, tmp_path):
    """It holds the session's cells, needs no trust to be written, and does not replace what is there."""
    path = tmp_path / "again.ipynb"
    done = cli("restore", saved["broken"], "--notebook", path)
    assert (done.exit_code, done.stdout) == (0, "")
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].source == f"%load_ext elastictm\n%migrate restore {saved['broken']}"
    assert [(cell.source, cell.execution_count) for cell in cells[1:]] == [("x = [1, 2]", 1), ("y = x[7]", 2)]
    assert [cell.metadata.get("tags") for cell in cells[1:]] == [None, ["raises-exception"]]
    assert cli("restore", saved["broken"], "--notebook", path).exit_code == 2
    assert cli("restore", saved["broken"], "--notebook", path, "--force", "--quiet").output == ""


@pytest.mark.kernel
def test_the_notebook_really_restores(run, saved, tmp_path):
    """Running it in a fresh kernel, beside the archive, brings the variables back in the first cell."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / "my work.tm").write_bytes(saved["whole"].read_bytes())
    run("restore", "my work.tm", "--notebook", "again.ipynb", "--trust", cwd=folder)
    notebook = nbformat.read(folder / "again.ipynb", as_version=4)
    assert notebook.cells[0].source == "%load_ext elastictm\n%migrate restore 'my work.tm' --trust"
    notebook.cells[1:] = [nbformat.v4.new_code_cell("print(x, total())")]
    nbformat.write(notebook, folder / "again.ipynb")
    run("run", "again.ipynb", "--output", "done.ipynb", cwd=folder)
    done = nbformat.read(folder / "done.ipynb", as_version=4).cells[1]
    assert done.outputs[0].text == "[1, 2] 3\n"


@pytest.fixture
def client():
    """Connects to a kernel by its connection file."""
    clients = []

    def connect(file):
        made = BlockingKernelClient(connection_file=str(file))
        made.load_connection_file()
        made.start_channels()
        made.wait_for_ready(timeout=60)
        clients.append(made)
        return made

    yield connect
    for made in clients:
        made.stop_channels()


def printed(client, code):
    """What code prints in a kernel, and the number of its cell."""
    texts = []
    reply = client.execute_interactive(
        code, timeout=60, allow_stdin=False, output_hook=lambda m: texts.append(m["content"].get("text", ""))
    )
    return "".join(texts), reply["content"]["execution_count"]


@pytest.mark.kernel
def test_a_kernel_serves_the_session_until_it_is_stopped(saved, client, tmp_path):
    """Its connection file is all that standard output holds; SIGTERM ends process and kernel."""
    line = [sys.executable, "-m", "elastictm_cli", "restore", str(saved["lossy"]), "--trust", "--kernel"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as child:
        file = Path(child.stdout.readline().rstrip("\n"))
        assert file.stat().st_mode & 0o077 == 0
        assert printed(client(file), "import os; print(x, os.getcwd())") == (f"[1, 2] {tmp_path}\n", 3)
        kernel = printed(client(file), "print(os.getpid())")[0].strip()
        child.send_signal(signal.SIGTERM)
        out, err = child.communicate(timeout=60)
    assert out == ""
    assert child.returncode == 4
    assert err.splitlines()[-1].startswith("elastictm: restored with losses: g (")
    assert not file.exists()
    assert not Path(f"/proc/{kernel}/cmdline").exists()


@pytest.mark.kernel
def test_a_kernel_that_is_shut_down_ends_the_command(saved, client):
    """A front end that stops the kernel stops what kept it, too; JSON tells the connection file."""
    line = [sys.executable, "-m", "elastictm_cli", "restore", str(saved["whole"]), "--trust", "--kernel", "--json"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        text = ""
        while not text.endswith("\n}\n"):
            text += child.stdout.readline()
        client(json.loads(text)["connection_file"]).shutdown()
        out, err = child.communicate(timeout=60)
    assert (child.returncode, out, err) == (0, "", "")


@pytest.mark.kernel
def test_a_running_kernel_takes_the_session_in(command, saved, client, tmp_path):
    """By connection file or by id; it waits for the cell that runs, and the numbers go on."""
    manager = KernelManager(connection_file=str(tmp_path / "kernel-of-mine.json"))
    manager.start_kernel(cwd=tmp_path)
    try:
        user = client(manager.connection_file)
        assert printed(user, "mine = 5; print(mine)") == ("5\n", 1)
        user.execute("import time; time.sleep(1.5); print('slept')")
        started = time.monotonic()
        done = command("restore", saved["whole"], "--trust", "--into", "of-mine", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert time.monotonic() - started > 1
        assert done.stdout == ""
        assert "2 stored" in done.stderr
        assert printed(user, "print(total(), 'mine' in dir())") == ("3 False\n", 4)
        lossy = command("restore", saved["lossy"], "--trust", "--into", manager.connection_file, "--json")
        assert lossy.returncode == 4
        assert [v["outcome"] for v in json.loads(lossy.stdout)["variables"] if v["name"] == "g"] == ["lost"]
    finally:
        manager.shutdown_kernel(now=True)


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "no kernel is known"), ("{}", "no connection file"), ("no", "no connection file")],
)
def test_what_is_no_kernel_is_wrong_usage(cli, saved, tmp_path, content, words):
    """Unknown ids and files that name no kernel give one line and status 2."""
    file = tmp_path / "conn.json"
    if content is not None:
        file.write_text(content)
    done = cli("restore", saved["whole"], "--trust", "--into", file)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_hash_seed_and_allowed_effects(command, tmp_path, monkeypatch):
    """A session under a fixed hash seed goes on under it, and its cells act on the world again only where allowed."""
    log = tmp_path / "log"
    monkeypatch.setenv("PYTHONHASHSEED", "11")
    with closing(Console(tmp_path / "work", tmp_path / "home")) as place:
        place.run("first = list(set('abcdefgh')); rest = (i for i in set('abcdefgh'))")
        place.run(f"open({str(log)!r}, 'a').write('x'); some = (i for i in range(3))")
        place.save(tmp_path / "a.tm", allow_effects=True)
    monkeypatch.delenv("PYTHONHASHSEED")
    words = ("restore", tmp_path / "a.tm", "--trust", "--quiet", "-c", "print(list(rest) == first, 'some' in dir())")
    assert command(*words, "--allow-losses").stdout == "True False\n"
    assert log.read_text() == "x"
    assert command(*words, "--allow-effects").stdout == "True True\n"
    assert log.read_text() == "xx"
