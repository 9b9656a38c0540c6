"""What a library has to say about its settings, so that they are recorded and brought back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Circumstance(Protocol):
    """The settings of one library, or of one part of the process.

    An object of one's own takes part through the entry point group ``elastictm.settings``: a callable without
    arguments that returns it.
    """

    @property
    def name(self) -> str:
        """What users know it by, such as ``pandas``."""
        ...

    @property
    def module(self) -> str:
        """The module that has to be loaded before there are settings; empty where there always are."""
        ...

    def look(self) -> Mapping[str, Any]:
        """The settings that are not what they are in a fresh process, by key; copies that nothing changes later."""
        ...

    def apply(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Let these settings, and no others, be unlike those of a fresh process; tells what could not be done."""
        ...

    def show(self, key: str, value: Any) -> str:
        """One setting for people, in a few words, or none; nothing that is a secret."""
        ...


def shown(value: Any, most: int = 60) -> str:
    """A setting's value in a few characters, whatever its own text does."""
    try:
        text = " ".join(repr(value).split())
    except Exception as error:  # noqa: BLE001 - a user's object may raise anything; its type is what can be told
        text = f"{type(value).__name__} ({type(error).__name__})"
    return text if len(text) <= most else text[: most - 1] + "…"


def copied(value: Any) -> Any:
    """A setting that stays as it is when the library changes its own lists and dicts in place."""
    if type(value) is list:
        return [copied(item) for item in value]
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    return value
