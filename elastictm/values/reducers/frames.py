"""pandas' frames that were copied lazily: they share memory until one of them is written to, and part then.

Whoever uses the memory of a block is noted beside it.  Without that note, frames that share memory after a restore
would see what is written to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "pandas"


def reducers(pandas: ModuleType) -> dict[type, Any]:
    """Reducers for blocks, indexes, and the notes on who uses their memory; none for a pandas without such notes."""
    notes = getattr(pandas._libs.internals, "BlockValuesRefs", None)  # noqa: SLF001 - public nowhere
    if notes is None:
        return {}
    managers = pandas.core.internals.managers
    table: dict[type, Any] = {notes: reduce_users, managers.SingleBlockManager: reduce_column}
    table |= dict.fromkeys(_family(pandas.core.internals.blocks.Block), reduce_block)
    table |= dict.fromkeys(_family(pandas.Index), reduce_index)
    return table


def reduce_users(_value: Any, _view: FreezingPass) -> Any:
    """The note on who uses some memory, empty: each user enters itself."""
    return users, ()


def reduce_block(value: Any, _view: FreezingPass) -> Any:
    """A block of a frame with the note on its memory."""
    maker, arguments = value.__reduce__()[:2]
    return block, (maker, arguments, value.refs)


def reduce_column(value: Any, _view: FreezingPass) -> Any:
    """The data of a series as its block, which its own way of pickling takes apart."""
    return type(value), (value.blocks[0], value.axes[0])


def reduce_index(value: Any, _view: FreezingPass) -> Any:
    """An index, with the note on its memory where that belongs to a block."""
    parts = value.__reduce__()
    # A range has no memory of its own.
    refs = vars(value).get("_references")
    if refs is None:
        return parts
    return index, (*parts[:2], refs)


def _family(kind: type) -> Iterator[type]:
    yield kind
    children: list[type] = kind.__subclasses__()
    for child in children:
        yield from _family(child)


def users() -> Any:
    """An empty note on who uses some memory."""
    from pandas._libs.internals import BlockValuesRefs  # noqa: PLC0415 - an archive with frames is what brings pandas in

    return BlockValuesRefs()


def block(maker: Callable[..., Any], arguments: tuple[Any, ...], refs: Any) -> Any:
    """A block, entered in the note on its memory."""
    made = maker(*arguments)
    made.refs = refs
    refs.add_reference(made)
    return made


def index(maker: Callable[..., Any], arguments: tuple[Any, ...], refs: Any) -> Any:
    """An index, entered in the note on its memory."""
    made = maker(*arguments)
    made._references = refs  # noqa: SLF001 - public nowhere
    refs.add_index_reference(made)
    return made
