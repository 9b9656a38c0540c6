"""What a session needs of the shell that it records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from elastictm.ids import Name, holder, output_name, output_number
from elastictm.session.cells import FinishedCell
from elastictm.session.circumstances.circumstance import Circumstance
from elastictm.session.holdings import Holding


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a re-run ended, what it would have shown, and its displayed result if it had one."""

    error: BaseException | None
    output: str
    result: tuple[Any, ...] = ()


class Listener(Protocol):
    """Who is told of cells."""

    def before(self, source: str) -> None:
        """A cell is about to run."""
        ...

    def after(self, cell: FinishedCell) -> None:
        """A cell has run."""
        ...

    def unrecorded(self, code: Callable[[], str]) -> None:
        """Code has run that is no cell run."""
        ...


class Host(Protocol):
    """A shell with a user's namespace."""

    @property
    def namespace(self) -> dict[str, Any]:
        """The user's namespace itself."""
        ...

    @property
    def outputs(self) -> dict[int, Any]:
        """The cache of displayed results, by execution count."""
        ...

    @property
    def execution_count(self) -> int:
        """The number that the next cell gets."""
        ...

    @property
    def singletons(self) -> Mapping[str, Any]:
        """Objects that every session has one of, by the names that stand for them in streams."""
        ...

    @property
    def fixtures(self) -> Mapping[str, Any]:
        """What every namespace has of the shell's, such as the cache of displayed results, by name."""
        ...

    @property
    def circumstances(self) -> Sequence[Circumstance]:
        """The shell's own settings."""
        ...

    @property
    def holdings(self) -> Sequence[Holding]:
        """What libraries hold of the session's objects."""
        ...

    @property
    def callbacks(self) -> Sequence[Any]:
        """What the shell calls around cells, whoever registered it."""
        ...

    def names(self) -> Iterable[str]:
        """The names in the namespace, in the order in which they came, without those that the shell numbers."""
        ...

    def is_own(self, name: str) -> bool:
        """Whether an entry of the namespace is the shell's and not the user's."""
        ...

    def transform(self, text: str) -> str:
        """Python for the text of a cell."""
        ...

    def run(self, source: str, count: int, outputs: Mapping[int, Any]) -> RunOutcome:
        """Run a cell again, unseen by recording, under the number that it had, with these displayed results."""
        ...

    def show(self, outputs: Mapping[int, Any]) -> None:
        """Have these displayed results, and no others."""
        ...

    def resume(self, sources: Mapping[int, tuple[str, str]], outputs: Mapping[int, Any], execution_count: int) -> None:
        """Continue the numbering, inputs (as typed, and as Python) and outputs of another session."""
        ...


def variables(host: Host) -> dict[Name, Any]:
    """All variables of the user's, displayed results under names such as ``Out[5]``, and what libraries hold."""
    found = {Name(name): host.namespace[name] for name in host.names() if not host.is_own(name)}
    for n, value in host.outputs.items():
        found[output_name(n)] = value
    for holding in host.holdings:
        found.update(holding.look())
    return found


def place(host: Host, name: Name, value: Any) -> None:
    """Have a value under a name that is no displayed result's."""
    library = holder(name)
    if library is None:
        host.namespace[name] = value
        return
    for holding in host.holdings:
        if holding.library == library:
            holding.place(name, value)


def remove(host: Host, name: Name) -> None:
    """Have nothing under a name that is no displayed result's."""
    library = holder(name)
    if library is None:
        del host.namespace[name]
        return
    for holding in host.holdings:
        if holding.library == library:
            holding.remove(name)


def clear(host: Host, but: Mapping[Name, Any] = MappingProxyType({})) -> None:
    """Take every variable of the user's away, and what libraries hold, but no displayed result.

    Names that stand for the very objects of ``but`` are never gone, not for a moment: a thread may be using them.
    """
    for name, value in variables(host).items():
        stays = name in but and but[name] is value and holder(name) is None
        if output_number(name) is None and not stays:
            remove(host, name)
