"""What is known of two values of one kind: lines that tell what differs, and parts that are to be compared in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Line:
    """One difference: where, counted from the value that is looked at, and what; ``more`` continues the line above."""

    text: str
    path: str = ""
    more: bool = False

    def below(self, step: str) -> Line:
        """The line as the holder of the value tells it, which a step leads from to the value."""
        return self if self.more else Line(self.text, step + self.path)

    def __str__(self) -> str:
        if self.more:
            return f"  {self.text}"
        return f"{self.path.removeprefix('.')}: {self.text}" if self.path else self.text


@dataclass(frozen=True, slots=True)
class Part:
    """Two inner values at the same place, and the step that leads there, such as ``[3]`` or ``.name``."""

    step: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Facts:
    """What two values differ in.

    ``lines`` are differences for certain.
    ``parts`` hold what remains to be compared; those that are surely the same may be left out.
    ``total`` is the number of all parts and ``what`` their name, where it helps to say how many of them differ.
    ``unknown`` names what cannot be compared.
    """

    lines: tuple[Line, ...] = ()
    parts: Iterable[Part] = ()
    total: int = 0
    what: str = ""
    unknown: str = ""


class Look(Protocol):
    """What a kind may ask for while it compares."""

    brief: bool
    """Whether it is only asked if there is any difference, so that one line is as good as all."""

    def out(self) -> bool:
        """Whether the time for comparing is over."""
        ...

    def leave(self, what: str) -> None:
        """Note that something was not compared for want of time."""
        ...

    def same(self, before: Any, after: Any) -> bool | None:
        """Whether two values are the same in all that can be seen; None where that is not known."""
        ...

    def quick(self, before: Any, after: Any) -> bool:
        """Whether two values are the same at first sight."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """How values of one kind are compared, and what one of them is called in a few words.

    With ``attributes`` what a subclass adds to its values is compared too.
    """

    facts: Callable[[Any, Any, Look], Facts]
    title: Callable[[Any], str] | None = None
    attributes: bool = False


def lines(*texts: str) -> tuple[Line, ...]:
    """Lines about the value itself; empty texts are left out."""
    return tuple(Line(text) for text in texts if text)
