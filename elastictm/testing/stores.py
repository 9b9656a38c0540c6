"""Stores to test with: states whose units hold given contents, and reading all of them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from elastictm.storage.manifest import Unit
from elastictm.storage.pack import Kept, Pack, StateRecord
from elastictm.storage.store import About, Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from elastictm.storage.files import Files
    from elastictm.storage.manifest import Blob
    from elastictm.storage.pack_writer import Written

ABOUT = About("s1", 1.5e9, "3.12.1", "/home/ada", "work.ipynb", 7, "host")


def create(folder: Path, files: Files | None = None) -> Store:
    """A new store."""
    return Store.create(folder, ABOUT, files=files)


def kept_of(n: int, blob: Blob, name: str) -> Kept:
    """A unit of one name."""
    return Kept(n, Unit(blob, names=(name,)), (n,), (blob.size,), (0.5,), (None,))


def add_state(
    store: Store, n: int, contents: Mapping[str, object], *, flowing: bool = False, sync: bool = False, **fields: Any
) -> Written:
    """Write the state after cell run ``n``, with a unit for each of the contents by name."""
    with store.writer(sync=sync) as writer:
        kept = tuple(kept_of(n, writer.put(content, flowing=flowing), name) for name, content in contents.items())
        run = writer.put(b'{"n": %d}' % n)
        states = (StateRecord(n, n - 1 if n else None, run),)
        return writer.commit(Pack(states=states, kept=kept, **fields))


def read_states(store: Store) -> dict[int, dict[str, bytes]]:
    """The contents of all states by number and name, with the record of each one's cell run as ``run``."""
    found: dict[int, dict[str, bytes]] = {}
    with store.reader() as reader:
        for number, pack in reader.packs():
            for state in pack.states:
                found[state.n] = {"run": bytes(reader.read(number, state.run))}
            for kept in pack.kept:
                found[kept.at][kept.unit.names[0]] = bytes(reader.read(number, kept.unit.stream))
    return found


def read_folder(folder: Path) -> dict[int, dict[str, bytes]]:
    """The contents of a store that is opened anew, none of whose packs is damaged."""
    store = Store.open(folder)
    found = read_states(store)
    if store.damaged:
        raise ValueError(f"damaged: {store.damaged}")
    return found


def pack_files(folder: Path) -> list[str]:
    """The names of the packs in a folder, in order."""
    return sorted(path.name for path in folder.iterdir() if path.suffix == ".tm")
