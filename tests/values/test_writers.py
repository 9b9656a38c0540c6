"""Files open for writing: a look at one leaves it and its file alone, and sees what waits to be written."""

from __future__ import annotations

import pytest

from elastictm.values.freeze import Freezer, Surroundings

OPENED = {
    "text": (lambda path: path.open("w"), "a", "b"),
    "text with an encoding": (lambda path: path.open("a", encoding="utf-16"), "ä", "b"),
    "text with line ends": (lambda path: path.open("w", newline=""), "a\r\n", "b"),
    "bytes": (lambda path: path.open("wb"), b"a", b"b"),
    "bytes to be read too": (lambda path: path.open("w+b"), b"a", b"b"),
}


@pytest.mark.parametrize(("opened", "first", "second"), OPENED.values(), ids=OPENED)
def test_a_look_writes_nothing(tmp_path, opened, first, second):
    """What was written waits in memory after a look as before, each further write shows, and a save writes it all."""
    path = tmp_path / "written"
    with opened(path) as file:
        freezer = Freezer(Surroundings({}))

        def looked(*, keep=False):
            return freezer.group({"x": file}, keep=keep).parts["x"].digest

        seen = [looked()]
        size = path.stat().st_size
        for part in (first, second, second):
            file.write(part)
            seen.append(looked())
            assert looked() == seen[-1]
        assert len(set(seen)) == len(seen)
        assert path.stat().st_size == size
        assert looked(keep=True) == seen[-1] == looked()
        assert path.stat().st_size > size
