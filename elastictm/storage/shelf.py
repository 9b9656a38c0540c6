"""The packs in a session's folder by their names, which tell their order and what a merged one replaces."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from elastictm.errors import ArchiveDamaged, ArchiveError, ArchiveMissing
from elastictm.storage.frame import check_pack, read_footer
from elastictm.storage.pack import SCHEMA, Pack, decode
from elastictm.storage.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

_TRIES = 20

_PUT_BACK = "Put it back from a backup, if there is one; what no damaged file holds can be had all the same."

Loaded = TypeVar("Loaded")

_NAME = re.compile(r"\A[0-9]{8,18}(-[0-9]{8,18}\.[0-9]{8,18})?\.tm\Z")
_TEMPORARY = re.compile(r"\A\..*\.partial\Z")


@dataclass(frozen=True, order=True, slots=True)
class PackName:
    """The name of a pack: the range of sequence numbers that it stands for, and its own, which no other pack ever has.

    A pack that was not merged stands for its own number alone.
    """

    first: int
    last: int
    number: int

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.first:08}-{self.last:08}.{self.number:08}.tm" if self.merged else f"{self.number:08}.tm"

    @property
    def merged(self) -> bool:
        """Whether it was merged from others."""
        return self.number > self.last

    def replaces(self, other: PackName) -> bool:
        """Whether this pack was merged from the other one."""
        return self.number > other.number and self.first <= other.first and other.last <= self.last

    @staticmethod
    def single(number: int) -> PackName:
        """The name of a pack that was not merged."""
        return PackName(number, number, number)

    @staticmethod
    def parse(file: str) -> PackName | None:
        """The name that a file's name stands for, None where it is not that of a pack."""
        if not _NAME.match(file):
            return None
        numbers = [int(digits) for digits in re.findall("[0-9]+", file)]
        name = PackName.single(*numbers) if len(numbers) == 1 else PackName(*numbers)
        return name if name.first <= name.last <= name.number and name.file == file else None


def outermost(names: Iterable[PackName]) -> list[PackName]:
    """Those that no other one replaces, in order."""
    found: list[PackName] = []
    # By their beginning, the longest first: what is replaced then comes after what replaces it.
    for name in sorted(names, key=lambda name: (name.first, -name.last, -name.number)):
        if not found or not found[-1].replaces(name):
            found.append(name)
    return found


class _Gone(Exception):
    """A pack was removed since it was listed."""


class Shelf:
    """A folder of packs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[PackName]:
        """The packs that are there now; ArchiveMissing where the folder is not."""
        return sorted(name for file in self._files() if (name := PackName.parse(file)) is not None)

    def leftovers(self) -> list[Path]:
        """Temporary files of writers that did not come to an end."""
        return [self.folder / file for file in self._files() if _TEMPORARY.match(file)]

    def path(self, name: PackName) -> Path:
        """The file of a pack."""
        return self.folder / name.file

    def size(self) -> int:
        """The bytes of all files."""
        total = 0
        for file in self._files():
            try:
                total += (self.folder / file).lstat().st_size
            except OSError:  # removed in the meantime
                continue
        return total

    def open(self, name: PackName) -> tuple[Source, Pack]:
        """The file of a pack, and what it says of itself; ArchiveError where it cannot be read or is no such thing."""
        source = Source(self.path(name))
        try:
            footer, area_end = read_footer(source, _PUT_BACK)
            check_pack(source.name, footer, SCHEMA)
            return source, decode(footer, area_end)
        except ValueError as error:
            source.close()
            raise ArchiveDamaged(f"{source.name} is damaged: {error}.") from error
        except BaseException:
            source.close()
            raise

    def load(self, name: PackName) -> Pack:
        """What a pack says of itself."""
        source, pack = self.open(name)
        source.close()
        return pack

    def readable(self, load: Callable[[PackName], Loaded], damaged: list[str]) -> list[tuple[PackName, Loaded]]:
        """The packs that count, in order, with what ``load`` gives; what it refuses is told in ``damaged``.

        Where packs are merged meanwhile, it is begun anew: all are there as they were at one time.
        """
        for _ in range(_TRIES):
            told: list[str] = []
            try:
                found = list(self._readable(self.names(), load, told))
            except _Gone:
                continue
            damaged += (each for each in told if each not in damaged)
            return found
        raise ArchiveError(f"The packs in {self.folder} are merged again and again while they are read. Try again.")

    def _readable(
        self, names: Collection[PackName], load: Callable[[PackName], Loaded], told: list[str]
    ) -> Iterator[tuple[PackName, Loaded]]:
        for name in outermost(names):
            try:
                loaded = load(name)
            except ArchiveError as error:
                if not self.path(name).exists():
                    raise _Gone from error
                told.append(str(error))
                # What it replaces may still be there, if its writer was killed right after naming it.
                yield from self._readable([other for other in names if name.replaces(other)], load, told)
            else:
                yield name, loaded

    def _files(self) -> list[str]:
        try:
            return [path.name for path in self.folder.iterdir()]
        except OSError as error:
            raise ArchiveMissing(f"The folder {self.folder} cannot be read: {error.strerror}.") from error
