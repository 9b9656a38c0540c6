"""The tab key in the lines of our magics, in a shell and in a kernel."""

from __future__ import annotations

import re
import time

import pytest
from IPython.core.completer import provisionalcompleter
from jupyter_client.manager import start_new_kernel

from elastictm.magics.candidates import OPTIONS, candidates
from elastictm.magics.migrate import MIGRATE
from elastictm.magics.past import PAST


@pytest.fixture
def work(notebook, tmp_path):
    """A session with some variables, states, a tag, and files around."""
    for name in ("work.tm", "with space.tm", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inner.tm").touch()
    notebook.run("alpha = [1]", "beta = 'text'", "alpha.append(2)", "%past tag clean 3")
    return notebook


def completed(notebook, line):
    """What the tab key offers at the end of a line, and how long it took in seconds."""
    started = time.perf_counter()
    with provisionalcompleter():
        found = list(notebook.shell.Completer.completions(line, len(line)))
    assert all(line[each.start : each.end] == line[len(line) - (each.end - each.start) :] for each in found)
    return [each.text for each in found], time.perf_counter() - started


CASES = [
    ("%migrate ", ["save", "plan", "restore", "verify"]),
    ("%migrate s", ["save"]),
    ("%migrate restore ", ["folder/", "'with space.tm'", "work.tm"]),
    ("%migrate restore w", ["'with space.tm'", "work.tm"]),
    ("%migrate restore folder/", ["folder/inner.tm"]),
    ("%migrate restore work.tm --t", ["--trust"]),
    ("%migrate save work.tm --pol", ["--policy"]),
    ("%migrate save --policy ", ["optimal", "store-all", "rerun-all"]),
    ("%migrate save work.tm --only al", ["alpha"]),
    ("%migrate plan --only alpha,b", ["beta"]),
    ("%migrate plan --exclude alpha,", ["beta"]),
    ("%migrate verify work.tm ", ["--rehearse", "--trust"]),
    ("%past un", ["undo", "untag"]),
    ("%past c", ["clear", "clean"]),
    ("%past diff ", ["clean", "4", "3", "2", "0"]),
    ("%past diff 2 c", ["clean"]),
    ("%past vars 2 ", ["alpha"]),
    ("%past vars clean ", ["alpha", "beta"]),
    ("%past untag ", ["clean"]),
    ("%past saving ", ["on", "off"]),
    ("%past budget 2GB --", ["--yes"]),
    ("%past dontsave be", ["beta"]),
    ("%past recover ", [""]),
    ("%past --al", ["--all", "--allow-effects"]),
    ("x = 1\n%graph al", ["alpha"]),
    ("%graph alpha ", ["beta"]),
]


def test_what_can_stand_there_is_offered_at_once(work):
    """Actions, options, their values, names, files, states and tags, and nothing else; none takes 50 ms."""
    slow = []
    for line, expected in CASES:
        texts, seconds = completed(work, line)
        assert (line, texts) == (line, expected)
        slow += [line] if seconds > 0.05 else []
    # A crowded machine may stop a process once or twice.
    assert len(slow) <= 2


def test_sessions_are_offered(work):
    """A session is named as %past sessions lists it."""
    assert work.session.past.name in completed(work, "%past --session ")[0]


def test_other_lines_are_left_alone(work):
    """Names elsewhere, other magics, and what only looks like ours are completed as before."""
    for line in ("alp", "%time alp", "text = '%past un", "%%timeit alp"):
        assert "undo" not in completed(work, line)[0]
    assert "alpha" in completed(work, "alp")[0]


def test_unloading_leaves_no_trace(unloaded):
    """What loading puts into the completer and the formatters, unloading takes out."""
    before = list(unloaded.shell.Completer.custom_matchers)
    printers = dict(unloaded.shell.display_formatter.formatters["text/plain"].type_printers)
    unloaded.load()
    assert len(unloaded.shell.Completer.custom_matchers) == len(before) + 1
    unloaded.shell.run_cell("%unload_ext elastictm")
    assert list(unloaded.shell.Completer.custom_matchers) == before
    assert unloaded.shell.display_formatter.formatters["text/plain"].type_printers == printers


def test_what_goes_wrong_is_not_told(work, monkeypatch):
    """Who types gets no candidates, and no error, where a session is in a state that nobody foresaw."""
    work.session.past.close()
    work.session.past = None
    assert "undo" not in completed(work, "%past un")[0]
    assert completed(work, "%migrate sa")[0] == ["save"]


def test_the_options_are_those_of_the_help():
    """What is offered after each action is what its help lists, no more and no fewer."""
    for magic, text in (("migrate", MIGRATE), ("past", PAST)):
        offered = {option for action, options in OPTIONS.items() if action.startswith(magic) for option in options}
        assert offered == set(re.findall(r"(--[a-z-]+)", text))


def test_no_line_raises(work):
    """Half of a line, and lines that make no sense, offer something or nothing."""
    from elastictm.magics.completing import _known

    known = _known(work.session)
    for line, _ in CASES:
        for end in range(len(line)):
            candidates(line[:end], known)
    for line in ("%past vars", "%past tag ", "%past clear ", "%migrate nothing ", "%migrate save --only", "%graph"):
        candidates(line, known)


@pytest.mark.kernel
def test_a_kernel_offers_the_same(home, tmp_path, monkeypatch):
    """A front end asks a kernel, and gets the candidates and where they go."""
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    manager, client = start_new_kernel(cwd=str(tmp_path))
    try:
        for cell in ("%load_ext elastictm", "alpha = [1]"):
            assert client.execute_interactive(cell, timeout=60, output_hook=lambda _: None)["content"]["status"] == "ok"
        for code, expected in (("%migrate sa", ["save"]), ("%graph al", ["alpha"]), ("y = 1\n%past und", ["undo"])):
            reply = client.complete(code, reply=True, timeout=60)["content"]
            assert reply["matches"] == expected
            assert code[: reply["cursor_start"]] + expected[0] == code[: code.rindex(" ") + 1] + expected[0]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
