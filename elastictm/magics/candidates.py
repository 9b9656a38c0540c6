"""What can stand where somebody types in the line of a magic: words, options, values of options, and names."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from elastictm.magics.future import FUTURE
from elastictm.magics.graph import GRAPH
from elastictm.magics.migrate import MIGRATE
from elastictm.magics.past import PAST

_LINE: Final = re.compile(r"\s*%(migrate|past|graph|future)\s(.*)", re.DOTALL)
_OPTION: Final = re.compile(r"--[a-z-]+")
_PLANNING: Final = ("--bandwidth", "--alpha", "--only", "--exclude", "--policy", "--allow-effects", "--ship-limit")

OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "migrate save": (*_PLANNING, "--force", "--verify", "--with-past", "--futures", "--rehearse"),
    "migrate plan": _PLANNING,
    "migrate restore": ("--trust", "--plan", "--allow-effects", "--any-version"),
    "migrate verify": ("--rehearse", "--trust"),
    "past": ("--all", "--session", "--allow-effects"),
    "past budget": ("--yes",),
    "past recover": (),
    "future out": ("--follow",),
    "future take": ("--as", "--force"),
    "future wait": ("--for",),
    "future": (),
    "graph": tuple(dict.fromkeys(_OPTION.findall(GRAPH))),
}
"""The options of each action."""

VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "--policy": ("optimal", "store-all", "rerun-all"),
    "--futures": ("wait", "rerun", "drop"),
    "--bandwidth": ("1MB/s", "10MB/s", "100MB/s", "1GB/s"),
    "--alpha": ("0.1", "0.5", "1", "2"),
    "--ship-limit": ("0", "10MB", "100MB", "1GB"),
}
"""What an option may be given; some take any number, and these are such."""

_BUDGETS: Final = ("1GB", "2GB", "5GB", "10GB")
_MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to name, each looked up when it is asked for.

    ``names`` are those of variables, ``names_at`` those of a state that a word names; ``states`` come the latest first.
    ``futures`` are those that there are, each with the variables that it made.
    """

    names: Callable[[], Iterable[str]]
    names_at: Callable[[str], Iterable[str]]
    states: Callable[[], Iterable[str]]
    tags: Callable[[], Iterable[str]]
    sessions: Callable[[], Iterable[str]]
    futures: Callable[[], Mapping[str, Iterable[str]]]


@dataclass(frozen=True, slots=True)
class Candidates:
    """What can stand in place of ``fragment``, the text just before the cursor; ``kind`` says what it is."""

    fragment: str
    texts: tuple[str, ...]
    kind: str = "magic"


def candidates(line: str, known: Known) -> Candidates | None:
    """What can stand at the end of a line up to the cursor; None where it is no line of these magics."""
    found = _LINE.match(line)
    if found is None:
        return None
    magic, rest = found[1], found[2]
    words = rest.split()
    current = "" if not rest or rest[-1].isspace() else words.pop()
    before = words[-1] if words else ""
    action = f"{magic} {words[0]}" if words else magic
    if before in {"--only", "--exclude"} or (current.startswith(("--only=", "--exclude="))):
        return _listed(current, known)
    if before in VALUES:
        return _starting(current, VALUES[before], "value")
    if before == "--session":
        return _starting(current, known.sessions(), "session")
    options = [option for option in OPTIONS.get(action, OPTIONS.get(magic, ())) if option not in words]
    if magic == "migrate":
        named = _migrate(words, current)
    elif magic == "future":
        named = _future(words, current, known)
    elif magic == "graph":
        named = _starting(current, (name for name in known.names() if name not in words), "variable")
    else:
        named = _past(words, current, known)
    if current.startswith("-") or named is None:
        return _starting(current, options, "option")
    return named


def _migrate(words: Sequence[str], current: str) -> Candidates | None:
    if not words:
        return _starting(current, _actions(MIGRATE), "action")
    if words[0] in {"save", "restore", "verify"} and not _plain(words[1:]):
        return Candidates(current, tuple(shlex.quote(path) for path in paths(current))[:_MOST], "path")
    return None


def _past(words: Sequence[str], current: str, known: Known) -> Candidates | None:
    if not words:
        return _starting(current, (*_actions(PAST), "undo", "redo", *known.tags(), *known.states()), "state")
    action, given = words[0], len(_plain(words[1:]))
    if action == "vars" and given:
        return _starting(current, (n for n in known.names_at(words[1]) if n not in words[2:]), "variable")
    places: dict[tuple[str, int], tuple[str, Callable[[], Iterable[str]]]] = {
        ("vars", 0): ("state", lambda: (*known.tags(), *known.states())),
        ("diff", 0): ("state", lambda: (*known.tags(), *known.states())),
        ("diff", 1): ("state", lambda: (*known.tags(), *known.states())),
        ("tag", 0): ("tag", known.tags),
        ("tag", 1): ("state", known.states),
        ("saving", 0): ("value", lambda: ("on", "off")),
        ("budget", 0): ("value", lambda: _BUDGETS),
    }
    anywhere: dict[str, tuple[str, Callable[[], Iterable[str]]]] = {
        "untag": ("tag", known.tags),
        "dontsave": ("variable", known.names),
    }
    found = places.get((action, given)) or anywhere.get(action)
    if found is None:
        return None
    kind, texts = found
    return _starting(current, (text for text in texts() if text not in words[1:]), kind)


def _future(words: Sequence[str], current: str, known: Known) -> Candidates | None:
    if not words:
        return _starting(current, _actions(FUTURE), "action")
    given = _plain(words[1:])
    if not given:
        return _starting(current, known.futures(), "future")
    if words[0] == "take":
        made = known.futures().get(given[0], ())
        return _starting(current, (name for name in made if name not in given[1:]), "variable")
    return None


def _listed(current: str, known: Known) -> Candidates:
    """A name in a list with commas."""
    *earlier, fragment = re.split(r"[=,]", current)
    return _starting(fragment, (name for name in known.names() if name not in earlier), "variable")


def paths(current: str, folder: str = "") -> Iterator[str]:
    """Archives and folders whose names begin so."""
    head, start = os.path.split(current)
    try:
        entries = sorted(os.scandir(os.path.expanduser(os.path.join(folder, head)) or "."), key=lambda e: e.name)  # noqa: PTH111, PTH118 - what is typed is text
    except OSError:
        return
    for entry in entries[: _MOST * 4]:
        if not entry.name.startswith(start) or (entry.name.startswith(".") and not start):
            continue
        text = os.path.join(head, entry.name)  # noqa: PTH118 - as it is typed
        if entry.is_dir():
            yield text + "/"
        elif entry.name.endswith(".tm"):
            yield text


def _actions(help_text: str) -> tuple[str, ...]:
    """The words that a magic's help begins its lines with."""
    return tuple(dict.fromkeys(re.findall(r"^%\w+ ([a-z]+)\b", help_text, re.MULTILINE)))


def _plain(words: Sequence[str]) -> list[str]:
    """The words that are neither options nor their values."""
    taking = {"--only", "--exclude", "--session", "--as", "--for", *VALUES}
    return [w for i, w in enumerate(words) if not w.startswith("--") and (not i or words[i - 1] not in taking)]


def _starting(fragment: str, texts: Iterable[str], kind: str) -> Candidates:
    chosen = (text for text in dict.fromkeys(texts) if text.startswith(fragment))
    return Candidates(fragment, tuple(text for text, _ in zip(chosen, range(_MOST), strict=False)), kind)
