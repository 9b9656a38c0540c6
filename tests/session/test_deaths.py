"""A session that dies at any operation on its store leaves every state whose cell had finished, and nothing wrong."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import dataclass, field

import numpy as np
import pytest

from elastictm.errors import StateNotKept
from elastictm.session.lookback import StateVariables
from elastictm.session.states import Shelves, StateReader
from elastictm.storage.files import LocalFiles
from elastictm.storage.pack import Pack
from elastictm.storage.shelf import PackName, outermost
from elastictm.storage.store import Store
from elastictm.testing.deaths import RecordedFiles

POINTS = 220
"""At how many operations the session dies, spread evenly."""

CUTS = 30
"""At how many of them the power is cut."""

SOME = 20
"""Every so many of them, its last state is brought back, cells and all."""

SMALL = [
    "import numpy as np\nsmall = [0]; names = {'small': small}",
    "class P:\n    n = 0\n    def up(self): self.n += 1\np = P()",
    "p.up(); small.append(1)",
    "big = np.zeros(300_000)",
    "big[7] = 1",
    "text = 'long ' * 40_000; p.up()",
    "def f(x): return small[-1] + x\nsmall.append(2)",
    "1 / 0",
]
BRANCH = ["names['other'] = [small]", "big = big[:200_000] * 2", "del text; small.append(3)"]


def picture(values):
    """The values of a state in words, with who is who."""
    found = {}
    for name in sorted(values):
        value = values[name]
        if isinstance(value, np.ndarray):
            found[name] = (value.shape, float(value.sum()), float(value[7]))
        elif type(value).__name__ == "P":
            found[name] = ("P", value.n, type(value) is values["P"])
        elif type(value).__name__ == "function":
            found[name] = value(1)
        elif type(value).__name__ not in {"module", "type"}:
            found[name] = repr(value)
    if "names" in values:
        found["tied"] = values["names"]["small"] is values["small"]
    return found


def variables_of(notebook):
    """The user's variables."""
    own = notebook.session.host.is_own
    return {n: v for n, v in notebook.ns.items() if not n.startswith("_") and not own(n)}


@dataclass
class Told:
    """What was true after a number of steps: the states that were there with their values, tags, and the place."""

    steps: int
    states: dict[int, dict]
    at: int
    tags: dict[str, int] = field(default_factory=dict)
    cleared: frozenset[int] = frozenset()
    settled: bool = True


@pytest.fixture
def story(notebook, tmp_path):
    """A session in which much happens to its store, and what was true at each time."""
    past = notebook.session.past
    files = RecordedFiles()
    folder = past._store.folder
    begin = tmp_path / "begin"
    past.keeper.flush()
    shutil.copytree(folder, begin)
    past._store._files = files
    states = {past.tree.at: {}}
    told = [Told(0, dict(states), past.tree.standing())]

    def tell():
        settled = not past.keeper._background._open
        told.append(
            Told(
                len(files.steps), dict(states), past.tree.standing(), dict(past.tree.tags), past.tree.forgotten, settled
            )
        )
        if not settled:
            past.keeper.flush()
            tell()

    def run(cells):
        for cell in cells:
            notebook.run(cell)
            n = past.tree.at
            if past.tree[n].is_new:
                states[n] = picture(variables_of(notebook))
            tell()

    def act(action, *arguments):
        action(*arguments)
        tell()

    run(SMALL)
    act(past.tag, "half", past.tree.at)
    act(notebook.session.go, "7")
    run(BRANCH)
    act(merge, past._store, slice(1, 9))
    run(["small.append(4)"])
    act(past.clear, (4, 6))
    run(["small.append(5); big[0] = 5"])
    act(notebook.session.go, "undo")
    act(past.tag, "half", None)
    past._store._files = LocalFiles()
    return files, begin, folder, told


def merge(store, which):
    """Put neighbouring packs together."""
    store.merge([number for number, _ in store.packs()][which], lambda kept: True)


def look(store, host, *, deep=True):
    """The states of a store with the values that can be had, those that cannot left out, and what the store says."""
    found = {}
    with store.reader() as reader:
        shelves = Shelves()
        shelves.refresh(reader)
        tree = shelves.tree(reader)
        for state in tree:
            if state.n in tree.forgotten or not state.is_new:
                continue
            variables = StateVariables(StateReader(reader, shelves, tree, state.n, "it"), host, store.reader)
            values, missing = {}, set()
            for name in variables if deep else ():
                try:
                    values[name] = variables[name]
                except StateNotKept:
                    missing.add(name)
            found[state.n] = (values, missing)
    return tree, found


def test_dying_at_any_operation(story, notebook, tmp_path):
    """Every state that was there is there, as it was; what the next step was about is there as a whole or not at all."""
    files, begin, folder, told = story
    chosen = sorted({round(i * len(files.steps) / POINTS) for i in range(POINTS + 1)})
    assert len(chosen) > 200
    host, states = notebook.session.host, told[-1].states
    place, packs = tmp_path / "dead", set()
    for steps in files.left(begin, folder, tmp_path / "left"):
        if steps not in chosen:
            continue
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(tmp_path / "left", place)
        # Between two operations that give or take a name, the packs hold the very same bytes.
        packs, known = {path.name for path in place.glob("[!.]*")}, packs
        before = [t for t in told if t.steps <= steps][-1]
        after = next((t for t in told if t.steps >= steps), before)
        with Store.take_over(place) as store:
            tree, found = look(store, host, deep=packs != known)
            assert store.damaged == []
            assert not list(place.glob(".*"))
            assert before.states.keys() - after.cleared <= found.keys() <= after.states.keys()
            for n, (values, missing) in found.items() if packs != known else ():
                # Large values of the last cell may still be on their way; clearing drops what is quick to make again.
                on_its_way = {"big"} if n not in before.states or (n == before.at and not before.settled) else set()
                assert after.cleared or missing <= on_its_way, (steps, n)
                assert picture(values).items() <= states[n].items(), (steps, n)
                assert missing or picture(values) == states[n], (steps, n)
            assert tree.standing() in {before.at, after.at}
            assert dict(tree.tags) in (before.tags, after.tags)
            assert tree.forgotten in (before.cleared, after.cleared)
            with store.writer() as writer:
                writer.commit(Pack(marks={"more": tree.at}))
        if steps in chosen[::SOME]:
            shutil.copytree(tmp_path / "left", folder.with_name(f"dead {steps}"))
            named = folder.with_name(f"dead {steps}") / "session.json"
            named.write_text(json.dumps({**json.loads(named.read_bytes()), "id": f"dead {steps}"}))
            report = notebook.session.recover(f"dead {steps}", None)
            assert list(report.lost) == []
            assert picture(variables_of(notebook)) == states[tree.standing()], steps


def test_power_cuts(story, notebook, tmp_path):
    """Packs that were not synced may be cut off: that is told, what others hold is right, and the store goes on."""
    files, begin, folder, told = story
    states, chance = told[-1].states, random.Random(7)
    chosen = {round(i * len(files.steps) / CUTS) for i in range(1, CUTS + 1)}
    place, torn = tmp_path / "dead", 0
    for steps in files.left(begin, folder, tmp_path / "left"):
        if steps not in chosen:
            continue
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(tmp_path / "left", place)
        counting = {name.file for name in outermost(filter(None, (PackName.parse(f.name) for f in place.iterdir())))}
        names = sorted(files.unsynced(steps, folder) & counting)
        cut = set(chance.sample(names, len(names) // 3))
        for name in cut:
            content = (place / name).read_bytes()
            (place / name).write_bytes(content[: chance.randrange(len(content))])
        with Store.take_over(place) as store:
            _, found = look(store, notebook.session.host)
            assert len(store.damaged) == len(cut), steps
            for n, (values, _) in found.items():
                assert picture(values).items() <= states[n].items(), (steps, n)
            with store.writer() as writer:
                writer.commit(Pack(marks={"more": 0}))
        torn += len(cut)
    assert torn > CUTS
