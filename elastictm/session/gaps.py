"""What of a session's past is not there, in words: what cannot be read, and what was never kept."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Final

from elastictm.errors import ArchiveDamaged
from elastictm.ids import RunNumber, is_variable
from elastictm.model.texts import counted
from elastictm.session.states import NOT_WANTED

if TYPE_CHECKING:
    from elastictm.model.tree import State, StateTree
    from elastictm.session.states import Shelves
    from elastictm.storage import pack as p
    from elastictm.storage.store_reader import StoreReader


_MOST_NAMED: Final = 6
"""Variables that a line names."""

_DIGEST: Final = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{56}\b")


def left_out(shelves: Shelves, known: Collection[str]) -> tuple[str, ...]:
    """A line on what the session was not to keep bytes of, and is not known here; nobody else knows it any more."""
    every = (record.refusals.items() for _, record in shelves.records.values())
    names = sorted({name for refusals in every for name, (_, reason) in refusals if reason == NOT_WANTED} - {*known})
    if not names:
        return ()
    return (f"%past dontsave {' '.join(names)} held for the session that ended, and has to be said once more",)


def states_of(shelves: Shelves, reader: StoreReader, name: str) -> StateTree:
    """The states of a session that can be read; ArchiveDamaged where there were some, and none can be."""
    tree = shelves.tree(reader)
    if not len(tree) and (tree.lost or reader.is_damaged):
        raise ArchiveDamaged(f"no state of {name} can be read: {_damaged(reader)}")
    return tree


def gaps(shelves: Shelves, tree: StateTree, reader: StoreReader) -> tuple[str, ...]:
    """A line for what is lost of a store whose states are in the tree, and one for what was not kept.

    Lines on what is lost begin as losses do.
    """
    found = list(_lost(shelves, tree, reader))
    if shelves.pause is not None:
        found.append(paused(shelves.pause))
    return tuple(found)


def unknown(shelves: Shelves, tree: StateTree, n: RunNumber, reader: StoreReader) -> tuple[str, ...]:
    """A line where a state comes from others that this session still knows, and whose records cannot be read."""
    if not reader.is_damaged:
        return ()
    missing = [state.n for state in tree.line(n) if state.n in shelves.named and state.n not in shelves.records]
    if not missing:
        return ()
    what = "random generators, functions, classes and modules"
    return (
        f"MAY DIFFER {what} that cells {ranges(missing)} changed: what was kept cannot be read: {_damaged(reader)}",
    )


def paused(pause: p.Pause) -> str:
    """Since when no states were kept, and why."""
    return f"cells after {pause.n - 1} were not kept: {pause.why or 'saving was off'}"


def assumed(states: Iterable[State]) -> tuple[str, ...]:
    """A line where there was no time to see what cells wrote: some of that may be as it was."""
    found = {s.n: [r.name for r in s.run.writes if r.assumed and r.refusal is None] for s in states}
    unseen = sorted({name for names in found.values() for name in names if is_variable(name)})
    if not unseen:
        return ()
    more = f" and {len(unseen) - _MOST_NAMED} more" if len(unseen) > _MOST_NAMED else ""
    cells = ranges(n for n, names in found.items() if names)
    named = f"{', '.join(unseen[:_MOST_NAMED])}{more}"
    return (f"no time to look, so taken for written: {named} (by cells {cells})",)


def ranges(numbers: Iterable[int]) -> str:
    """Numbers in words, such as ``2 to 6, 9``."""
    runs = [[n for _, n in run] for _, run in groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0])]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def _lost(shelves: Shelves, tree: StateTree, reader: StoreReader) -> Iterator[str]:
    lost = tree.lost - tree.forgotten
    damaged = _damaged(reader)
    at_end = reader.latest not in shelves.read
    last = max(tree, key=lambda state: state.n).n if len(tree) else RunNumber(0)
    if lost:
        count = counted(len(lost), "state")
        after = " and perhaps later ones," * at_end
        yield f"LOST {count} of the past, {ranges(lost)},{after} which cannot be read: {damaged}"
    elif reader.is_damaged:
        what = f"states after {last}, if there were any," if at_end else "some of what was kept,"
        yield f"LOST {what} which cannot be read: {damaged}"


def _damaged(reader: StoreReader) -> str:
    """What is damaged, in words without what is long and means nothing to people."""
    lines = (_DIGEST.sub(r"\1…", line.replace(f"{reader.folder}{os.sep}", "")) for line in reader.damaged)
    return " ".join(lines) or "a file that held them, or what they come from, is missing."
