"""What a store was told of the user's own modules: their source, and what the session changed inside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from elastictm.ids import Name
from elastictm.storage import manifest as m
from elastictm.values.modules import origin

if TYPE_CHECKING:
    from elastictm.model.tree import State
    from elastictm.session.packing import Put
    from elastictm.session.recorder import Recorder
    from elastictm.session.states import StateReader

_CHANGED_UNSEEN: Final = "changed what no variable holds: "
"""Begins the note on a cell run that changed a module which no variable stands for."""


class ModulesKept:
    """What the last states said of own modules, so that the next ones say what differs."""

    def __init__(self) -> None:
        self._sources: dict[str, bytes | None] | None = {}
        self._altered: tuple[m.AlteredModule, ...] | None = ()

    def forget(self) -> None:
        """The next state says everything: it may have a parent of which another one was told."""
        self._sources = self._altered = None

    def sources(self, recorder: Recorder, put: Put) -> tuple[m.OwnModule, ...]:
        """The modules, where they are others than before; nothing where they are not."""
        sources = {name: recorder.modules.source(name) for name in recorder.modules.names()}
        if sources == self._sources or not (sources or self._sources):
            return ()
        from elastictm.session.baggage import pack  # noqa: PLC0415 - few sessions have modules of their own
        from elastictm.session.editions import Editions  # noqa: PLC0415 - likewise

        self._sources = sources
        runs = recorder.history.runs
        return pack(sources, (run.code or run.source for run in runs), Editions.of(runs, recorder.modules).texts).put(
            put
        )

    def altered(
        self, states: Sequence[State], recorder: Recorder, values: Mapping[Name, Any]
    ) -> tuple[m.AlteredModule, ...] | None:
        """All that the session changed inside modules, where that is not what it was; None where it is.

        Which modules there are is known since somebody asked for their ``sources``.
        """
        own = (*(self._sources or ()), *recorder.modules.patches.altered(()))
        if self._altered is not None and not any(_touches(state, own, values) for state in states):
            return None
        from elastictm.session.alterations import alterations  # noqa: PLC0415 - few sessions have modules of their own

        found = tuple(each.to_manifest() for each in alterations(recorder.history, values, recorder.modules, {}))
        if found == self._altered:
            return None
        self._altered = found
        return found


def _touches(state: State, own: Sequence[str], values: Mapping[Name, Any]) -> bool:
    """Whether a cell run changed own modules, or what comes from them."""
    if not own:
        return False
    written = (values[record.name] for record in state.run.writes if record.name in values)
    return any(origin(value) in own for value in written) or any(
        note.startswith(_CHANGED_UNSEEN) for note in state.run.notes
    )


def stale(there: StateReader, recorder: Recorder, values: Mapping[Name, Any]) -> Iterator[str]:
    """What of own modules stays as it is here when the session goes to another state, a line for each."""
    own = recorder.modules.names()
    if not own:
        return
    from elastictm.session.alterations import alterations  # noqa: PLC0415 - few sessions have modules of their own

    texts = {file.path: file.blob for module in there.manifest.modules for file in module.files}
    for name in own:
        source, path = recorder.modules.source(name), name.replace(".", "/")
        blob = texts.get(f"{path}.py") or texts.get(f"{path}/__init__.py")
        if source is not None and blob is not None and bytes(there.read(blob)) != source:
            yield f"MAY DIFFER: the own module {name} stays as it was imported last; in {there.name} it was another"
    now = {each.module: each.to_manifest() for each in alterations(recorder.history, values, recorder.modules, {})}
    then = {each.name: each for each in there.manifest.altered}
    for name in own:
        one, other = now.get(name), then.get(name)
        if one != other:
            names = ", ".join(sorted({key for each in (one, other) if each is not None for key in each.changed}))
            yield (
                f"MAY DIFFER: what cells changed inside the own module {name} ({names or 'names not known'}) "
                f"stays as it is now, and not as it was in {there.name}"
            )
