"""What a user can do about a loss: a sentence for each reason that the program gives.

A reason is matched by its words, because words are what archives hold and what Python and libraries raise.
A test walks the messages of the reducers, so that none is without a remedy.
"""

# ruff: noqa: SIM905 - a list of words reads better without quotes

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

Moment = Literal["save", "restore"]
"""Whether the session is there still, or what is left of it is being brought back."""

CANNOT_RERUN: Final = "; cannot be re-run: "
"""Stands between why a value cannot be stored and why no cell may make it again."""

ANOTHER_VALUE: Final = "not repeatable: "
"""Begins the reason of a variable that a re-run made, with another value than the one that was saved."""

URGENT: Final = ("LOST", "MAY DIFFER")
"""How notes begin that stand beside the losses."""

_DISTRIBUTIONS: Final = {
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "PIL": "pillow",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}
"""What to install for modules of another name."""


_SINCE: Final = ("tomllib", "annotationlib", "compression")
"""Modules of Python's own that came after 3.10."""

_UNTIL: Final = tuple(
    """
    aifc asynchat asyncore audioop cgi cgitb chunk crypt distutils imghdr imp lib2to3 mailcap msilib nis nntplib
    ossaudiodev pipes smtpd sndhdr spwd sunau telnetlib uu xdrlib
    """.split()
)
"""Modules that Python had, and has no more."""


@dataclass(frozen=True, slots=True)
class _Remedy:
    """Advice for the reasons that a pattern is found in; ``{}`` in it stands for the pattern's groups."""

    pattern: re.Pattern[str]
    advice: str

    def of(self, reason: str) -> str:
        """The advice, empty where the pattern is not found."""
        found = self.pattern.search(reason)
        if found is None:
            return ""
        return self.advice.format(*(_DISTRIBUTIONS.get(group, group) for group in found.groups()))


def _table(*rows: tuple[str, str]) -> tuple[_Remedy, ...]:
    return tuple(_Remedy(re.compile(pattern), advice) for pattern, advice in rows)


_ANYWHERE: Final = _table(
    (r"needs (\S+) ([^\s,+]+)\S*, which is not installed here", "pip install {}=={}, and restore again"),
    (r"(?:needs|imports) (\S+), which is not installed here", "pip install {}, and restore again"),
    (
        r"was saved with (\S+) ([^\s,+]+)\S*, and here is",
        "pip install {}=={}, and restore again; or load it all the same with --any-version (any_version=True)",
    ),
    (
        rf"No module named '({'|'.join(_SINCE)})\b",
        "restore it under a Python that has {}: it came with Python 3.11 or later",
    ),
    (
        rf"No module named '({'|'.join(_UNTIL)})\b",
        "restore it under a Python that has {}: later ones, from 3.12 on, do not",
    ),
    (rf"No module named '({'|'.join(_DISTRIBUTIONS)})\b", "pip install {}, and restore again"),
    (
        r"No module named '(\w+)",
        "bring the module {} here, a file of your own or a package to install, and restore again",
    ),
)
"""What helps whenever it is done."""

_VALUES: Final = _table(
    (r"an? (?:asynchronous )?generator: it is paused|'(?:async_)?generator'", "keep its items in a list: list(...)"),
    (r"a coroutine: it is paused|'coroutine'", "await it, and keep its result"),
    (
        r"lock that another thread holds|'_thread\.R?[Ll]ock'",
        "release the lock, or let its class leave it out in __getstate__",
    ),
    (r"condition that threads wait on", "let the threads that wait on it end before saving"),
    (r"timer that has ended|thread .*that has ended|running thread", "keep what the thread made, and del the thread"),
    (r"queue\.SimpleQueue|'_queue\.SimpleQueue'", "use queue.Queue, whose items can be seen"),
    (r"thread-local", "keep its content in a dict"),
    (r"tensor with the graph|leaf Variable|requires_grad", "keep tensor.detach(), without the graph of its gradient"),
    (r"tensor whose dimensions have names", "take the names off: tensor.rename(None)"),
    (r"generator of the device", "make it anew in a cell, and seed it there"),
    (r"progress bar", "close the bar and del it: it has done its work"),
    (r"a widget", "del it, and run the cell again that shows it"),
    (r"model of bokeh", "keep the data that it draws, and draw it anew"),
    (r"over the memory of a bytearray", "make it of an array of numpy, or of bytes(...)"),
    (r"cannot store a match", "keep what it found: match.groupdict(), match.group()"),
    (r"comment or instruction of lxml", "keep the tree that it is in, or its text: etree.tostring(...)"),
    (r"element of lxml with attributes of its own", "keep these attributes in a dict beside it"),
    (r"tree of lxml", "keep its text: etree.tostring(...)"),
    (r"drawing whose image has other memory", "make it anew: ImageDraw.Draw(image)"),
    (r"open file that has no path|store the temporary", "use a file or folder with a name, which stays"),
    (r"no longer at its path|is open and no regular file|being written, or is closed", "close it before saving"),
    (r"gone through line by line", "read on with readline(), or keep the lines in a list"),
    (
        r"was truncated|has changed since it was saved|has grown since|is gone: it was moved",
        "bring the file as it was then",
    ),
    (r"database cursor|'sqlite3\.Cursor'", "keep its rows: cursor.fetchall()"),
    (r"open blob of a database", "keep its bytes: blob.read()"),
    (r"connection in a transaction", "commit() or rollback() before saving"),
    (r"write-ahead log", "run PRAGMA wal_checkpoint(TRUNCATE) on it before saving"),
    (r"temporary tables", "make them tables that stay, or drop them"),
    (r"another database attached", "detach it before saving"),
    (r"functions of its own|collations of its own|does not list its functions", "close it, and connect anew in a cell"),
    (r"stored cannot be loaded by Python 3\.10", "restore it under Python 3.11 or newer"),
    (r"(?:a|this) database connection|[Cc]onnection'", "close it, and connect anew in a cell after the restore"),
    (r"'socket'|SSLContext|SSLSocket", "close it, and open it anew in a cell after the restore"),
    (r"running child process|'Popen'", "keep its output, let it end, or start it anew after the restore"),
    (r"event loop|asyncio", "await what it does, and keep the result"),
    (r"future whose work is not done", "wait for its result() before saving"),
    (r"pool that is at work", "wait for its work to end before saving"),
    (r"cannot store a frame|'frame'", "keep the values that you need of it"),
    (r"weak proxy", "del it: its object is gone"),
    (r"weak reference with a callback|finalizer", "make it anew in a cell after the restore"),
    (r"token of a context variable", "del it: it is of use in this process only"),
    (r"view of one field|view of memory", "keep a copy: array.copy(), bytes(view)"),
    (r"mapped memory|private copy of the mapped file", "keep its content: bytes(mapped), array.copy()"),
    (r"the session's namespace", "keep the variables that you need, not globals()"),
    (r"nested too deeply", "nest its functions less deeply"),
    (
        r"[Cc]an't (?:get|pickle) local|local object|attribute lookup|not found as|it's not the same object",
        "define it at the top of a cell",
    ),
    (
        r"comes back (?:without|with|as) |does not load|loading it ends",
        "mend how its class is stored (__reduce__, __getstate__, __setstate__), or keep plain data of it",
    ),
    (r"", "keep the data in it as plain values, or give its class __getstate__ and __setstate__"),
)
"""What helps in the session that was, where a value cannot be stored; the last row is for all else."""

_CELLS: Final = _table(
    (
        r"cell (\d+) (?:wrote|removed|renamed|used the network|started a process)",
        "let cell {} run again where it is restored: --allow-effects, or `# tm: repeatable` in the cell",
    ),
    (r"cell (\d+) is marked # tm: not-repeatable", "take `# tm: not-repeatable` out of cell {}, and run it once more"),
    (r"cell (\d+) was interrupted", "run cell {} to its end"),
    (r"cell (\d+) is not valid code", "mend cell {} and run it"),
    (r"it was there before recording began", "make it in a cell after %load_ext elastictm"),
    (r"no recorded cell makes", "make it in a cell"),
    (r"(\S+) is gone, or not what it was when", "run the cell again that reads {}, as the file is now"),
    (r"without a seed", "give the generator a seed"),
    (r"changed outside of recorded cells", "make the change in a cell"),
)
"""What helps in the session that was, where no cell may make it again."""

_CELLS_THERE: Final = _table(
    (
        r"cell (\d+) (?:wrote|removed|renamed|used the network|started a process)",
        "restore with --allow-effects, which runs cell {} again",
    ),
    (
        r"(\S+) is gone, or not what it was when",
        "bring {} here as it was then, and restore again (a save takes files of its folder along, up to --ship-limit)",
    ),
    (r"cell (\d+): running it again raised", "see why cell {} fails here"),
    (r"another value .*set order", "look at it before you go on; there, put the set in order: sorted(...)"),
    (r"another value .*without a seed", "look at it before you go on; there, give the generator a seed"),
    (r"another value", "look at it before you go on"),
)
"""What helps where a session is brought back."""


def remedy(reason: str, moment: Moment) -> str:
    """What a user can do about a loss, in few words.

    Args:
        reason: Why a value cannot be stored, why no cell may make it again, or both around ``CANNOT_RERUN``.
        moment: When the user reads it.
    """
    everywhere = _first(_ANYWHERE, reason)
    if everywhere:
        return everywhere
    if moment == "restore":
        return _first(_CELLS_THERE, reason) or "make it anew in a cell"
    refused, divider, stuck = reason.partition(CANNOT_RERUN)
    if not divider:
        # A value that has bytes is lost for its cells, and one without a word is no value's fault.
        return _first(_CELLS, reason) or _first(_VALUES[:-1], reason)
    return "; or ".join(filter(None, (_first(_VALUES, refused), _first(_CELLS, stuck))))


def is_known(refusal: str) -> bool:
    """Whether a reason why a value cannot be stored has a remedy of its own."""
    return bool(_first(_ANYWHERE, refusal) or _first(_VALUES[:-1], refusal))


def _first(table: tuple[_Remedy, ...], reason: str) -> str:
    return next((advice for row in table if (advice := row.of(reason))), "")
