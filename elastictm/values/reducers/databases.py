"""Connections to sqlite: a database in memory travels as bytes, one in a file is opened again."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from elastictm.values.reducers.files import Seal, seal, sealed

if TYPE_CHECKING:
    import sqlite3

    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "sqlite3"

_SETTINGS: Final = ("foreign_keys", "recursive_triggers", "query_only", "busy_timeout")
_ATTRIBUTES: Final = ("row_factory", "text_factory", "isolation_level")


def reducers(module: ModuleType) -> dict[type, Any]:
    """Reducers for connections and rows; cursors and blobs are refused."""
    found: dict[type, Any] = {
        module.Connection: reduce_connection,
        module.Row: reduce_row,
        module.Cursor: reduce_cursor,
    }
    if sys.version_info >= (3, 11):
        found[module.Blob] = refuse_blob
    return found


def reduce_cursor(value: sqlite3.Cursor, _view: FreezingPass) -> Any:
    """A cursor whose statement had no answer as a new one; any other is in the midst of an answer."""
    if value.description is not None:
        raise TypeError("cannot store a database cursor: it is in the midst of an answer")
    return cursor, (value.connection,), {"row_factory": value.row_factory}, None, None, set_connection


def cursor(connection: sqlite3.Connection) -> sqlite3.Cursor:
    """A new cursor."""
    return connection.cursor()


def refuse_blob(_value: Any, _view: FreezingPass) -> Any:
    """A blob that is open is a place in a database of this process."""
    raise TypeError("cannot store an open blob of a database")


def reduce_connection(value: sqlite3.Connection, _view: FreezingPass) -> Any:
    """A connection as the content of its database or its file, and its settings."""
    import sqlite3  # noqa: PLC0415 - only where the session has it

    try:
        path = _path_of(value)
    except sqlite3.ProgrammingError as error:
        raise TypeError(f"cannot store this database connection: {error}") from None
    if value.in_transaction:
        raise TypeError("cannot store a database connection in a transaction: commit or roll back first")
    _refuse_own_code(value)
    settings = {name: _asked(value, f"PRAGMA {name}")[0][0] for name in _SETTINGS}
    attributes = {name: getattr(value, name) for name in _ATTRIBUTES}
    if not path:
        return connection_in_memory, (_content(value), settings), attributes, None, None, set_connection
    if _asked(value, "PRAGMA journal_mode")[0][0] == "wal":
        raise TypeError(f"cannot store a connection to {path}: its latest changes are in a write-ahead log beside it")
    return connection_to_file, (seal(path), settings), attributes, None, None, set_connection


def _asked(connection: sqlite3.Connection, question: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(connection.cursor()) as asking:
        asking.row_factory = None
        return asking.execute(question).fetchall()


def _path_of(connection: sqlite3.Connection) -> str:
    """The file of the database; empty if it is in memory."""
    path = ""
    for _, name, file in _asked(connection, "PRAGMA database_list"):
        if name == "main":
            # One that came from bytes goes by a name that is no path.
            path = _text(file) if os.path.isabs(_text(file)) else ""  # noqa: PTH117 - a path that sqlite tells
        elif name == "temp":
            if _asked(connection, "SELECT name FROM sqlite_temp_master LIMIT 1"):
                raise TypeError("cannot store a database connection with temporary tables")
        else:
            raise TypeError(f"cannot store a database connection with another database attached: {_text(name)}")
    return path


def _text(given: Any) -> str:
    return given.decode() if isinstance(given, bytes) else str(given or "")


def _refuse_own_code(connection: sqlite3.Connection) -> None:
    own = _functions(connection) - _usual_functions()
    if own:
        names = ", ".join(sorted(name for name, _ in own))
        raise TypeError(f"cannot store a database connection with functions of its own: {names}")
    collations = {_text(name) for _, name in _asked(connection, "PRAGMA collation_list")}
    if collations - {"BINARY", "NOCASE", "RTRIM"}:
        raise TypeError("cannot store a database connection with collations of its own")


def _functions(connection: sqlite3.Connection) -> frozenset[tuple[str, int]]:
    import sqlite3  # noqa: PLC0415 - only where the session has it

    try:
        listed = _asked(connection, "SELECT name, narg FROM pragma_function_list")
    except sqlite3.OperationalError:
        raise TypeError("cannot store a database connection: this sqlite does not list its functions") from None
    return frozenset((_text(name), count) for name, count in listed)


@functools.cache
def _usual_functions() -> frozenset[tuple[str, int]]:
    import sqlite3  # noqa: PLC0415 - only where the session has it

    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        return _functions(connection)


def _content(connection: sqlite3.Connection) -> bytes | str:
    if not _asked(connection, "PRAGMA page_count")[0][0]:
        return b""
    serialize: Any = getattr(connection, "serialize", None)
    if serialize is not None:
        content: bytes = serialize()
        return content
    factories = connection.row_factory, connection.text_factory
    connection.row_factory, connection.text_factory = None, str
    try:
        return "\n".join(connection.iterdump())
    finally:
        connection.row_factory, connection.text_factory = factories


def connection_in_memory(content: bytes | str, settings: Mapping[str, Any]) -> sqlite3.Connection:
    """A database in memory."""
    import sqlite3  # noqa: PLC0415 - only where the session has it

    made = sqlite3.connect(":memory:")
    if isinstance(content, str):
        made.executescript(content)
    elif content and sys.version_info >= (3, 11):
        made.deserialize(content)
    elif content:
        raise TypeError("a database in memory that Python 3.11 or newer stored cannot be loaded by Python 3.10")
    return _with_settings(made, settings)


def connection_to_file(mark: Seal, settings: Mapping[str, Any]) -> sqlite3.Connection:
    """A database in a file, if the file is what it was."""
    import sqlite3  # noqa: PLC0415 - only where the session has it

    return _with_settings(sqlite3.connect(sealed(mark)), settings)


def _with_settings(made: sqlite3.Connection, settings: Mapping[str, Any]) -> sqlite3.Connection:
    for name, value in settings.items():
        made.execute(f"PRAGMA {name} = {int(value)}")
    return made


def set_connection(made: sqlite3.Connection, attributes: Mapping[str, Any]) -> None:
    """Give a connection its factories and its way with transactions."""
    for name, value in attributes.items():
        setattr(made, name, value)


def reduce_row(value: sqlite3.Row, _view: FreezingPass) -> Any:
    """A row as its names and values."""
    return row, (tuple(value.keys()), tuple(value))


def row(names: tuple[str, ...], values: tuple[Any, ...]) -> sqlite3.Row:
    """A row of an answer that had these columns."""
    import sqlite3  # noqa: PLC0415 - only where the session has it

    columns = ", ".join('NULL AS "{}"'.format(name.replace('"', '""')) for name in names)
    with (
        contextlib.closing(sqlite3.connect(":memory:")) as connection,
        contextlib.closing(connection.cursor()) as asking,
    ):
        asking.execute(f"SELECT {columns}")
        return sqlite3.Row(asking, values)
