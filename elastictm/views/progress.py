"""One line that tells how far work is that takes longer than half a second, in a terminal and in a notebook."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import Self

from elastictm.model.fitting import elided, plain, width_of
from elastictm.model.tables import amount, duration
from elastictm.views.console import console

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from elastictm.model.progress import Unit

_QUIET_SECONDS: Final = 0.5
_LINE_SECONDS: Final = 0.2
_KNOWN: Final = 0.05
"""The part that must be done before the speed so far says anything: what comes first is seldom the bytes."""
_NOTEBOOK: Final = 100
"""Characters of a line in a notebook."""
_BAR: Final = 24
_THREAD: Final = "elastictm-progress"


class ProgressBar:
    """What is being done, how much of it is done, speed and seconds left; shown only once it has taken half a second.

    Called with how much was just done, and the total where it is known; ``stage`` begins something else.
    A terminal gets a bar on standard error, a notebook one line of text, both written over themselves and gone at the
    end; anything else gets nothing.  The line goes on while the work says nothing, unless ``ticking`` is false.
    """

    def __init__(
        self,
        label: str,
        shown_on: Any = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        ticking: bool = True,
    ) -> None:
        self._label = label
        self._shown_on = shown_on
        self._clock = clock
        self._began = self._started = clock()
        self._what, self._unit = "", "bytes"
        self._done, self._total = 0.0, None
        self._ticking = ticking
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._line: _Line | None = None

    _total: float | None
    _unit: Unit

    def __enter__(self) -> Self:
        # Cells that run again have other standard streams for a while.
        self._line = _line(self._shown_on)
        if self._ticking and self._line is not None:
            self._thread = threading.Thread(target=self._tick, name=_THREAD, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        line, self._line = self._line, None
        self._over.set()
        try:
            if self._thread is not None:
                self._thread.join()
        finally:
            if line is not None:
                line.wipe()

    def stage(self, what: str, total: float | None = None, unit: Unit = "bytes") -> None:
        """Something begins, of which so much is expected."""
        self._what, self._total, self._unit, self._done = what, total, unit, 0.0
        self._started = self._clock()
        self._show()

    def __call__(self, done: float, total: float | None = None) -> None:
        """Show that more is done."""
        self._done += done
        self._total = self._total if total is None else total
        self._show()

    def _tick(self) -> None:
        while not self._over.wait(_LINE_SECONDS):
            self._show()

    def _show(self) -> None:
        now, line = self._clock(), self._line
        # Before anything is told somebody may be asked a question.
        if line is not None and (self._what or self._done) and now - self._began > _QUIET_SECONDS:
            line.show(*self._told(now - self._started), now)

    def _told(self, seconds: float) -> tuple[str, str, float | None]:
        """What is done in words, how far it is, and the part that is done where that is known."""
        what = f"{self._label}: {plain(self._what)}" if self._what else self._label
        done, total = self._done, self._total
        if self._unit == "seconds":
            far = duration(seconds) if seconds >= 1 else ""
            if total:
                over = seconds > total
                far = (
                    f"{duration(seconds)}, {duration(total)} expected" if over else f"{duration(total - seconds)} left"
                )
            return what, far, min(seconds / total, 1.0) if total else None
        if not self._unit:
            return what, duration(seconds) if seconds >= 1 else "", None
        # Where it is more than was foretold, nobody knows how much is left.
        total = None if total is not None and done > total else total
        if not done and total is None:
            return what, duration(seconds) if seconds >= 1 else "", None
        far = f"{amount(done)} of {amount(total)}" if total else amount(done)
        return what, ", ".join(filter(None, (far, _speed(done, total, seconds)))), done / total if total else None


class _Line:
    """One line that is written over itself."""

    def __init__(self, file: Any, width: int, marks: str) -> None:
        self._file = file
        self._width = width
        self._marks = marks
        self._written = float("-inf")
        self._last = 0
        self._lock = threading.Lock()

    def show(self, what: str, far: str, part: float | None, now: float) -> None:
        """Write the line, if it was not written a moment ago."""
        # Who finds it taken has nothing newer to say.
        if now - self._written < _LINE_SECONDS or not self._lock.acquire(blocking=False):
            return
        try:
            self._written = now
            bar = self._bar(part)
            ending = f"{bar} {far}" if bar and far else bar or far
            if self._marks:
                text = elided(what, max(10, self._width - width_of(ending) - 3))
                text = elided(f"{text}  {ending}" if ending else text, self._width)
            else:
                text = elided(f"{what} {ending}" if ending else what, self._width)
            used = width_of(text)
            self._write("\r" + text + " " * max(0, self._last - used))
            self._last = max(self._last, used)
        finally:
            self._lock.release()

    def wipe(self) -> None:
        """Leave nothing behind."""
        if self._last:
            self._write("\r" + " " * self._last + "\r")

    def _bar(self, part: float | None) -> str:
        if part is None or not self._marks:
            return ""
        full = round(_BAR * part)
        return self._marks[0] * full + self._marks[1] * (_BAR - full)

    def _write(self, text: str) -> None:
        try:
            self._file.write(text)
            self._file.flush()
        except (OSError, ValueError):
            # Who looked has gone away; the work is not theirs to stop.
            self._last = 0


def _line(shown_on: Any) -> _Line | None:
    """Where the line goes; None where nobody would see it."""
    if shown_on is None and "IPython" not in sys.modules and not sys.stderr.isatty():
        return None
    if shown_on is None:
        shown_on = console()
        shown_on = shown_on if shown_on.is_jupyter else console(stderr=True)
    if shown_on.is_jupyter:
        return _Line(shown_on.file, _NOTEBOOK, "")
    if not shown_on.is_terminal:
        return None
    marks = "━─" if str(shown_on.encoding).lower().startswith("utf") else "#-"
    return _Line(shown_on.file, max(20, shown_on.width - 1), marks)


def _speed(done: float, total: float | None, seconds: float) -> str:
    """Bytes a second and the time left, as far as they are known; a total may never be."""
    if not done or done <= _KNOWN * (total or 0) or not seconds:
        return ""
    speed = done / seconds
    text = f"{amount(speed)}/s"
    return f"{text}, {duration((total - done) / speed)} left" if total and total > done else text
