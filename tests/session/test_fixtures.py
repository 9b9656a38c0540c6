"""Variables that stand for objects of the shell's own stand for those of the shell that they are restored in."""

from __future__ import annotations

from contextlib import closing

import pytest

from elastictm.testing.places import Console, Kernel

NAMES = {
    "a": "Out",
    "b": "In",
    "c": "_dh",
    "d": "get_ipython()",
    "e": "get_ipython",
    "f": "exit",
    "g": "display",
    "h": "open",
}


@pytest.mark.kernel
def test_names_of_what_the_shell_has_are_names_of_it_again(tmp_path):
    """Results, inputs, folders and functions of the shell are no copies, and need no trust in what changed them."""
    with closing(Kernel(tmp_path / "there", tmp_path / "home")) as there:
        assert there.run("\n".join(f"{name} = {of}" for name, of in NAMES.items()) + "\n55").error is None
        assert there.run("a.get(1)").error is None
        saved = there.save(tmp_path / "a.tm")
        assert saved["notes"] == []
        rehearsed = there.save(tmp_path / "b.tm", rehearse=True)["rehearsal"]
    assert rehearsed["restores"]
    with closing(Console(tmp_path / "here", tmp_path / "home")) as here:
        here.restore(tmp_path / "a.tm")
        assert {name: here.ask(f"{name} is {of}") for name, of in NAMES.items()} == dict.fromkeys(NAMES, True)
        assert here.ask("(a[1], a[2], b[2])") == [55, 55, "a.get(1)"]


def test_a_user_s_own_object_under_such_a_name_is_stored(tmp_path):
    """What a session bound to a name of the shell's is the session's own, as any value."""
    with closing(Console(tmp_path / "there", tmp_path / "home")) as there:
        assert there.run("def open(x): return x\nmine = open").error is None
        there.save(tmp_path / "a.tm")
    with closing(Console(tmp_path / "here", tmp_path / "home")) as here:
        here.restore(tmp_path / "a.tm")
        assert here.ask("(mine(3), mine is open)") == [3, True]
