"""How states are called, and what is told of the way from one to another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from elastictm.errors import UsageError
from elastictm.ids import RunNumber
from elastictm.model.tree import State, StateTree

WORDS: Final = frozenset(
    {"undo", "redo", "vars", "diff", "tag", "untag", "clear", "budget", "saving", "dontsave", "sessions", "recover"}
)
"""The words of ``%past`` that no tag can have."""

_TAKEN_BACK: Final = frozenset({"environment", "directory", "path"})
"""What cells do outside that going to another state undoes, as it is among the settings."""

_SHOWN: Final = 40
"""Characters of a cell's first line, where cells are named."""


def found(tree: StateTree, word: str) -> RunNumber:
    """The state that a word names: a number, a tag, ``undo`` or ``redo``.

    Raises:
        UsageError: there is no such state.
    """
    if word == "undo":
        return there(tree.undone(), "there is nothing to undo: this is the first state")
    if word == "redo":
        return there(tree.redone(), "there is nothing to redo: no later state was left from here")
    if word in tree.tags:
        return tree.tags[word]
    if word.isdecimal() and RunNumber(int(word)) in tree.forgotten:
        raise UsageError(f"state {word} was cleared")
    if word.isdecimal() and RunNumber(int(word)) in tree.lost:
        raise UsageError(f"state {word} cannot be read any more; %past says why")
    if word.isdecimal() and RunNumber(int(word)) in tree:
        return RunNumber(int(word))
    known = f"0 to {tree.latest or 0}"
    tags = f", tags are {', '.join(sorted(tree.tags))}" if tree.tags else ""
    raise UsageError(f"there is no state {word!r}: states have the numbers of cells, {known}{tags}; %past lists them")


def there(n: RunNumber | None, otherwise: str) -> RunNumber:
    """A state.

    Raises:
        UsageError: there is none, and it says ``otherwise``.
    """
    if n is None:
        raise UsageError(otherwise)
    return n


def tagged(tree: StateTree, name: str, n: RunNumber | None) -> tuple[RunNumber | None, str]:
    """Call a state by a name, with None the name goes; returns which state it is, and in words what was done.

    Raises:
        UsageError: the name cannot be told from other words, or is not there to go.
    """
    if n is None and name not in tree.tags:
        raise UsageError(f"no state is tagged {name!r}; tags are {', '.join(sorted(tree.tags)) or 'none'}")
    if not name or name.isdecimal() or name in WORDS or name.startswith("-") or name.split() != [name]:
        raise UsageError(f"{name!r} cannot be a tag: expected one word that is no number and no command of %past")
    before = tree.tags.get(name)
    if n is not None:
        n = tree.changed(n)  # which has a line of its own where states are listed
    tree.tag(name, n)
    if n is None:
        return None, f"state {before} is no longer called {name}"
    moved = "" if before in (None, n) else f"; before, that was state {before}"
    return n, f"state {n} is now called {name}{moved}"


def way(tree: StateTree, before: RunNumber, n: RunNumber) -> Iterator[str]:
    """The cells that are undone and redone on the way to a state; in the notebook they stay as they are."""
    undone, redone = ([state for state in states if state.is_new] for states in tree.between(before, n))
    if undone:
        yield f"undone: {', '.join(_shown(state) for state in undone)}"
    if redone:
        yield f"redone: {', '.join(_shown(state) for state in redone)}"
    for state in undone:
        for effect in (effect for effect in state.run.effects if effect.kind not in _TAKEN_BACK):
            yield f"cell {state.n} did something outside, which stays: {effect.kind} {effect.detail}"


def _shown(state: State) -> str:
    line = next((line.strip() for line in state.run.source.splitlines() if line.strip()), "")
    return f"{state.n} ({line if len(line) <= _SHOWN else line[:_SHOWN] + '…'})"
