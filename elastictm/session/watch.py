"""Who looks on while a session is put in order: what an interrupt has to wait for, and who is told what is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from elastictm.model.progress import Progress
from elastictm.model.records import Aside
from elastictm.session.shield import Shield

if TYPE_CHECKING:
    from elastictm.session.recorder import Recorder


Again: TypeAlias = Callable[[Sequence[Aside]], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Watch:
    """Interrupts wait for the ``shield`` while things are put in order, ``progress`` is told of all.

    ``again`` has cells run aside once more, for one that runs again inside.
    """

    shield: Shield
    progress: Progress
    again: Again

    @contextmanager
    def last_looks(self) -> Iterator[None]:
        """All is in its place; who interrupts what follows has it done before the next cell."""
        self.progress.stage("looking at what has come", None, "")
        with self.shield.open():
            yield


@contextmanager
def put_in_order(recorder: Recorder, progress: Progress, again: Again) -> Iterator[Watch]:
    """Nothing is recorded inside, and an interrupt waits but where the session can be put back as it was."""
    with Shield() as shield:
        recorder.suspended = True
        try:
            yield Watch(shield, progress, again)
        finally:
            recorder.suspended = False
