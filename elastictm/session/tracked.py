"""What the recorder remembers of each live variable between cells, without holding on to its value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from elastictm.ids import DefinitionKey, Fingerprint, Name
    from elastictm.model.records import Refusal, VersionRecord


@dataclass(frozen=True, slots=True)
class Mentions:
    """The names of the namespace that the code inside a value uses, and why that list may be too short.

    ``definitions`` are the functions and classes of the session that come with the value, inherited ones too.
    ``ordered`` are names whose order the code shows if they are sets.
    """

    names: frozenset[Name] = frozenset()
    opaque: tuple[str, ...] = ()
    unrepeatable: tuple[str, ...] = ()
    definitions: tuple[DefinitionKey, ...] = ()
    ordered: frozenset[str] = frozenset()


@dataclass(slots=True)
class Group:
    """Names whose values share mutable data, with the digest of each member in the order of freezing.

    ``definitions`` are those that a member's digest mentions by name only.
    ``seconds`` is what the last look at the whole group cost; ``digests`` lacks the members that were not looked at.
    ``within`` are the groups that it is really made of as far as somebody looked, where it is only assumed that these
    share data; their digests are those of passes of their own.
    ``foreign`` tells that libraries may use memory in it that they do not tell whose it is.
    """

    members: list[Name]
    digests: dict[Name, Fingerprint] = field(default_factory=dict)
    definitions: dict[Name, tuple[DefinitionKey, ...]] = field(default_factory=dict)
    refusals: dict[Name, Refusal] = field(default_factory=dict)
    seconds: float = 0.0
    within: list[Group] = field(default_factory=list)
    foreign: bool = True


@dataclass(slots=True)
class Tracked:
    """One live variable: where it was seen, what is known of its present version, and the group that it is in.

    ``identity`` is the address of the value; ``atomic`` says that the value cannot change in place.
    """

    identity: int
    atomic: bool
    record: VersionRecord
    group: Group
    mentions: Mentions = Mentions()


class Variables:
    """The live variables of a session.

    Responsibilities:
    - find a variable by name, by the definition it names, by the group it is in;
    - keep the groups a partition of the names;
    - remember what definitions mention that no variable names any more.
    """

    def __init__(self) -> None:
        self._by_name: dict[Name, Tracked] = {}
        self._naming: dict[DefinitionKey, dict[Name, None]] = {}
        self._definition_of: dict[Name, DefinitionKey] = {}
        self._nameless: dict[DefinitionKey, Mentions] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: Name) -> Tracked:
        return self._by_name[name]

    def __iter__(self) -> Iterator[Name]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def get(self, name: Name) -> Tracked | None:
        """The variable, or None."""
        return self._by_name.get(name)

    def holds(self, name: Name, value: object) -> bool:
        """Whether a name is known to stand for this very object."""
        tracked = self._by_name.get(name)
        return tracked is not None and tracked.identity == id(value)

    def put(self, name: Name, tracked: Tracked) -> None:
        """Remember a variable in place of what its name stood for."""
        known = self._by_name.get(name)
        if known is not None and known.group is not tracked.group:
            self._leave(name, known.group)
        self._by_name[name] = tracked

    def remove(self, name: Name) -> None:
        """Forget a variable."""
        tracked = self._by_name.pop(name)
        self._leave(name, tracked.group)
        self.name_definition(name, None)

    def clear(self) -> None:
        """Forget all variables."""
        for name in list(self._by_name):
            self.remove(name)

    def name_definition(self, name: Name, key: DefinitionKey | None) -> None:
        """Note that a name stands for a definition, given by its number, or no longer for any."""
        old = self._definition_of.pop(name, None)
        if old is not None:
            self._naming[old].pop(name, None)
        if key is not None:
            self._definition_of[name] = key
            self._naming.setdefault(key, {})[name] = None

    def definition_of(self, name: Name) -> DefinitionKey | None:
        """The definition that a name stands for, if any."""
        return self._definition_of.get(name)

    def naming(self, keys: Iterable[DefinitionKey]) -> Iterator[Name]:
        """The names that stand for these definitions."""
        for key in keys:
            yield from self._naming.get(key, ())

    def remember(self, key: DefinitionKey, mentions: Mentions) -> None:
        """Keep what a definition mentions that lives on in other values without a name."""
        self._nameless[key] = mentions

    def nameless(self, keys: Iterable[DefinitionKey]) -> Iterator[Mentions]:
        """What those of these definitions mention that once had a name."""
        for key in keys:
            mentions = self._nameless.get(key)
            if mentions is not None:
                yield mentions

    def groups_of(self, names: Iterable[Name]) -> list[Group]:
        """The groups of these names, each once, in the order of the names."""
        found: dict[int, Group] = {}
        for name in names:
            tracked = self._by_name.get(name)
            if tracked is not None:
                found.setdefault(id(tracked.group), tracked.group)
        return list(found.values())

    def part(self, group: Group) -> list[Group]:
        """Have the groups within a group in its place, of which it was only assumed that they share data."""
        for inner in group.within:
            for name in inner.members:
                self._by_name[name].group = inner
        return group.within

    @staticmethod
    def _leave(name: Name, group: Group) -> None:
        if name in group.members:
            group.members.remove(name)
        group.digests.pop(name, None)
        group.refusals.pop(name, None)
        for inner in group.within:
            Variables._leave(name, inner)
