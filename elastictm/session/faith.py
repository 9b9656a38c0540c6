"""Whether objects come back as what they were: what was written of doubtful classes is loaded in another process.

Only classes with a say of their own in how their objects are stored are in doubt; one object of each is looked at, and
a class that proved faithful is not asked again.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from elastictm.ids import Fingerprint, Name
from elastictm.model.names import names_of_code
from elastictm.model.records import Refusal
from elastictm.session import thawing
from elastictm.session.child import Ended, run_module
from elastictm.session.packing import Packer
from elastictm.session.stock import Stock
from elastictm.storage import manifest as m
from elastictm.storage.writer import ArchiveWriter
from elastictm.values.definitions import named_definitions
from elastictm.values.freeze import Freezer, FrozenGroup
from elastictm.values.likeness import Look, Unlike, looks, unlike
from elastictm.values.protocols import Faith
from elastictm.values.survey import Surveyor

_TRIED_AT_MOST: Final = 200_000_000
"""Bytes of a group that is written for the sake of a look."""
_CONTEXT_AT_MOST: Final = 50_000_000
"""Bytes of a value that is brought along because code uses its name."""
_NOT_THERE: Final = ("NameError", "ImportError", "ModuleNotFoundError", "MemoryError")
"""Failures that may come of looking at a part of the session alone."""


@dataclass(frozen=True, slots=True)
class _Finding:
    """What became of one variable: it does not come back, or not quite; neither where it does."""

    refusal: Refusal | None = None
    flaw: Refusal | None = None


@dataclass(frozen=True, slots=True)
class _Scene:
    """The live values that a stock was taken of, and what froze them."""

    values: Mapping[Name, Any]
    freezer: Freezer
    named: frozenset[int]


@dataclass(slots=True)
class _Verdicts:
    """What was found so far in one check, the groups that nothing was found of, and the classes that failed."""

    findings: dict[Name, _Finding] = field(default_factory=dict)
    unchecked: list[FrozenGroup] = field(default_factory=list)
    failed: set[type] = field(default_factory=set)


class FaithCheck:
    """Checks stocks of one session.

    Responsibilities:
    - remember which classes are faithful, and what was found of the values of others;
    - have units of doubtful classes loaded in a process of their own, within a budget of time;
    - take out of the stock what does not come back, and mark what comes back with less than it had.
    """

    def __init__(self, clock: Callable[[], float], faith: Faith) -> None:
        self._clock = clock
        self._faith = faith
        self._known: dict[tuple[Name, Fingerprint], _Finding] = {}

    def checked(self, stock: Stock, values: Mapping[Name, Any], freezer: Freezer, seconds: float) -> Stock:
        """The stock without what would not come back."""
        if not any(self._doubtful(group) for group in stock.groups):
            return stock
        scene = _Scene(values, freezer, named_definitions(values.values()))
        deadline = self._clock() + seconds
        verdicts = _Verdicts()
        looked: set[tuple[Name, ...]] = set()
        while True:
            looked |= self._recall(stock, verdicts)
            stock = _without(stock, verdicts.findings, scene)
            chosen = self._chosen(stock, verdicts, looked)
            if not chosen:
                break
            left = deadline - self._clock()
            small = [group for group in chosen if _size(group) <= _TRIED_AT_MOST]
            done = self._look(small, stock, scene, left, verdicts) if small and left > 0 else []
            if not done:
                verdicts.unchecked += chosen
                done = chosen
            looked.update(tuple(group.parts) for group in done)
        flaws = {name: found.flaw for name, found in verdicts.findings.items() if found.flaw is not None}
        doubted = {kind.__qualname__ for group in verdicts.unchecked for kind in self._doubtful(group)}
        return replace(stock, flaws={**stock.flaws, **flaws}, unchecked=tuple(sorted(doubted)))

    def _doubtful(self, group: FrozenGroup) -> list[type]:
        """The classes in doubt; that one object came back proves nothing for another which leaves something out."""
        return [kind for kind in group.kinds if kind in group.partial or self._faith.doubts(kind)]

    def _recall(self, stock: Stock, verdicts: _Verdicts) -> set[tuple[Name, ...]]:
        """Bring in what earlier checks found of values that are as they were; returns the groups concerned."""
        found: set[tuple[Name, ...]] = set()
        for group in stock.groups:
            known = [(name, self._known.get((name, part.mark))) for name, part in group.parts.items()]
            if known and self._doubtful(group) and all(finding is not None for _, finding in known):
                verdicts.findings.update((name, finding) for name, finding in known if finding is not None)
                found.add(tuple(group.parts))
        return found

    def _chosen(self, stock: Stock, verdicts: _Verdicts, looked: Collection[tuple[Name, ...]]) -> list[FrozenGroup]:
        """The smallest groups that hold each doubtful class, those aside that were looked at.

        Where objects leave something out, each group is looked at by itself.
        """
        covered: set[type] = set()
        chosen: list[FrozenGroup] = []
        for group in sorted(stock.groups, key=_size):
            doubted = set(self._doubtful(group))
            known = doubted - group.partial <= covered - verdicts.failed and doubted.isdisjoint(group.partial)
            if group.unit is None or tuple(group.parts) in looked or known:
                continue
            covered |= doubted
            chosen.append(group)
        return chosen

    def _look(
        self, chosen: list[FrozenGroup], stock: Stock, scene: _Scene, seconds: float, verdicts: _Verdicts
    ) -> list[FrozenGroup]:
        """Have groups loaded elsewhere, and compare what comes of them; returns those that need no other look."""
        with tempfile.TemporaryDirectory(prefix="elastictm-") as text:
            folder = Path(text)
            try:
                context = _pack(folder, chosen, stock, scene)
                ended = run_module(thawing.__name__, folder, text, seconds)
            except (OSError, ValueError):
                return []
            answers = {index - context: answer for index, answer in _answers(folder)}
        done: list[FrozenGroup] = []
        for index, group in enumerate(chosen):
            if answers.get(index) is not None or (index in answers and ended.status is not None):
                self._judge(group, answers[index], ended, scene, verdicts)
                done.append(group)
            elif ended.status is None:
                verdicts.unchecked.append(group)
                done.append(group)
        return done

    def _judge(
        self,
        group: FrozenGroup,
        answer: Mapping[str, Any] | None,
        ended: Ended,
        scene: _Scene,
        verdicts: _Verdicts,
    ) -> None:
        singletons = tuple(scene.freezer.around.singletons)
        doubtful = self._doubtful(group)
        there = {name: looks(scene.values[name], name, singletons, doubtful.__contains__) for name in group.parts}
        found: dict[Name, _Finding] = {}
        if answer is None:
            reason = f"loading it ends the process (status {ended.status})"
            found = {name: _Finding(_refusal(there[name], name, reason)) for name in group.parts}
        elif "refused" in answer:
            if answer["reason"].startswith(_NOT_THERE):
                verdicts.unchecked.append(group)
                return
            names = [name for name in group.parts if name in answer["refused"].split(", ")] or list(group.parts)
            found = {
                name: _Finding(_refusal(there[name], name, f"does not load: {answer['reason']}")) for name in names
            }
        else:
            for name, seen in answer["looks"].items():
                back = {path: Look(*look) for path, look in seen.items()}
                found[Name(name)] = _finding(unlike(there[Name(name)], back))
        verdicts.findings.update(found)
        self._known.update({(name, group.parts[name].mark): finding for name, finding in found.items()})
        if all(finding == _Finding() for finding in found.values()):
            for kind in doubtful:
                if kind not in group.partial:
                    self._faith.trust(kind)
        else:
            verdicts.failed.update(doubtful)


def without(stock: Stock, refused: Mapping[Name, Refusal], values: Mapping[Name, Any], freezer: Freezer) -> Stock:
    """A stock in which variables are refused that it held."""
    findings = {name: _Finding(refusal) for name, refusal in refused.items()}
    return _without(stock, findings, _Scene(values, freezer, named_definitions(values.values())))


def _size(group: FrozenGroup) -> int:
    return sum(part.size for part in group.parts.values())


def _finding(difference: Unlike | None) -> _Finding:
    if difference is None:
        return _Finding()
    told = Refusal(difference.path, difference.reason)
    return _Finding(flaw=told) if difference.slight else _Finding(told)


def _refusal(there: Mapping[str, Look], name: Name, reason: str) -> Refusal:
    """A refusal that names the first object in doubt inside a variable."""
    return Refusal(next((look.owner for look in there.values() if look.owner is not None), name), reason)


def _without(stock: Stock, findings: Mapping[Name, _Finding], scene: _Scene) -> Stock:
    """The stock after variables were refused that it held."""
    groups: list[FrozenGroup] = []
    for group in stock.groups:
        refused = {name: found.refusal for name in group.parts if (found := findings.get(name)) and found.refusal}
        if not refused:
            groups.append(group)
            continue
        groups.append(FrozenGroup({}, {name: refusal for name, refusal in refused.items() if refusal is not None}))
        rest = {name: scene.values[name] for name in group.parts if name not in refused}
        if rest or group.refusals:
            left = scene.freezer.group(rest, scene.named, keep=True)
            groups.append(replace(left, refusals={**group.refusals, **left.refusals}))
    return replace(stock, groups=tuple(groups))


def _pack(folder: Path, chosen: list[FrozenGroup], stock: Stock, scene: _Scene) -> int:
    """Write groups into an archive, after those that their code uses; returns how many those are."""
    context = _context(chosen, stock, scene)
    suspects = [group.unit for group in chosen if group.unit is not None]
    with ArchiveWriter(folder / thawing.ARCHIVE) as writer:
        packer = Packer(writer.put, stock.definitions, scene.freezer.around.sources)
        for group in context:
            if group.unit is not None:
                packer.add(group.unit)
        count = len(packer.units)
        for unit in suspects:
            packer.add(unit)
        manifest = m.Manifest(
            saved_at=0.0,
            environment=m.Environment("", "", "", "", {}, ""),
            history=m.NOTHING,
            execution_count=0,
            entries=(),
            units=packer.units,
            definitions=packer.definitions(),
            sources=packer.sources(),
        )
        writer.commit(manifest)
    order = {"context": list(range(count)), "suspects": list(range(count, len(packer.units)))}
    (folder / thawing.ORDER).write_text(json.dumps(order), encoding="utf-8")
    return count


def _context(chosen: list[FrozenGroup], stock: Stock, scene: _Scene) -> list[FrozenGroup]:
    """The groups that the code inside others uses by name, which may run when they are loaded."""
    group_of = {name: group for group in stock.groups for name in group.parts}
    surveyor = Surveyor(scene.freezer.around)
    met: dict[Name, None] = {name: None for group in chosen for name in group.parts}
    waiting = list(met)
    found: dict[int, FrozenGroup] = {}
    while waiting:
        code = surveyor.survey([scene.values[name] for name in waiting]).code
        mentioned = {Name(name) for body in code for name in names_of_code(body).loads}
        waiting = [name for name in mentioned if name in group_of and name not in met]
        met.update(dict.fromkeys(waiting))
        for name in waiting:
            group = group_of[name]
            if group not in chosen and _size(group) <= _CONTEXT_AT_MOST:
                found[id(group)] = group
    return list(found.values())


def _answers(folder: Path) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    """What the process told of each unit that it began to load, None where it did not come to an end."""
    file = folder / thawing.ANSWERS
    begun: int | None = None
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        try:
            answer = json.loads(line)
        except ValueError:
            break
        if len(answer) > 1:
            begun = None
            yield answer["unit"], answer
        else:
            begun = answer["unit"]
    if begun is not None:
        yield begun, None
