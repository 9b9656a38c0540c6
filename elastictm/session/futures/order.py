"""What a worker is told, and what it tells: plain records, so that no process believes what another one pickled."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

INPUTS: Final = "inputs"
"""The crate, in a future's folder, with what its cell reads."""

ORDER: Final = "order"
ANSWER: Final = "answer"
"""Files in which a process of its own finds an order, and leaves its answer."""

RESULTS: Final = "results"
"""The crate, in a run's folder, with what its cell made."""


class Made(Struct, frozen=True):
    """Where it lies what a future made.

    ``results`` are the crates of its runs, empty for those that made none; ``inputs`` is the crate with what it read.
    ``cases`` tell many runs apart, each by what it is called and which items of some variables it had.
    """

    results: tuple[str, ...]
    inputs: str
    cases: tuple[tuple[str, dict[str, int]], ...] = ()


class Attribute(Struct, frozen=True):
    """What a cell changed inside a module: this attribute has the value under ``key``, or is not ``there`` any more."""

    module: str
    name: str
    there: bool
    key: str


class Order(Struct, frozen=True):
    """A cell to be run on copies.

    ``folder`` is that of the run, ``inputs`` the crate with what it reads, ``after`` is what it was to wait for.
    ``count`` is the number that its results and its lines have.
    ``chosen`` says for some variables which item of theirs it is that the run has, by place.
    ``seed``, in hexadecimal digits, fixes the global random generators.
    ``attributes`` are what modules are to have that an import does not give them.
    """

    folder: str
    inputs: str
    source: str
    count: int
    seed: str
    directory: str
    import_path: tuple[str, ...]
    after: tuple[Made, ...] = ()
    chosen: dict[str, int] = field(default_factory=dict)
    attributes: tuple[Attribute, ...] = ()

    def crates(self) -> tuple[str, ...]:
        """All crates that it is to read, each once."""
        later = (crate for made in self.after for crate in (*made.results, made.inputs) if crate)
        return tuple(dict.fromkeys((self.inputs, *later)))

    def moved(self, to: Mapping[str, str]) -> Order:
        """The same where the crates lie elsewhere."""
        after = tuple(
            replace(made, results=tuple(to.get(crate, "") for crate in made.results), inputs=to[made.inputs])
            for made in self.after
        )
        return replace(self, inputs=to[self.inputs], after=after)


class Answer(Struct, frozen=True):
    """How a run ended: ``error`` as one line, empty where there was none.

    ``seconds`` is what the cell took, ``peak`` the most memory that the process had meanwhile, in bytes.
    ``made`` are variables whose values are in the crate with the results, ``shown`` tells whether one was displayed.
    ``refused`` tells of others why they are not there.
    """

    status: Literal["finished", "failed"]
    seconds: float
    peak: int
    error: str = ""
    made: tuple[str, ...] = ()
    shown: bool = False
    refused: dict[str, str] = field(default_factory=dict)


def packed(record: Order | Answer) -> bytes:
    """A record as bytes."""
    return msgspec.msgpack.encode(record)


def order_of(data: bytes) -> Order:
    """The order in such bytes."""
    return msgspec.msgpack.decode(data, type=Order)


def answer_of(data: bytes) -> Answer:
    """The answer in such bytes."""
    return msgspec.msgpack.decode(data, type=Answer)


def derived(seed: str, of: str) -> int:
    """A seed of its own for a part of what a seed, in hexadecimal digits, fixes; 128 bits.

    Alike algorithms with one seed would draw the same.
    """
    return int.from_bytes(blake2b(f"{seed}:{of}".encode(), digest_size=16).digest(), "little")
