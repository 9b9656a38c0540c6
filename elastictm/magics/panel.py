"""One panel of the past: its connection to the script that shows it, and what may come over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final
from uuid import uuid4

from elastictm.views.states import ASSETS, stylesheet

_PROTOCOL: Final = "2.1.0"
"""The version of the messages between widgets and kernels that this speaks."""

_MOST_WORDS: Final = 3


@dataclass(frozen=True, slots=True)
class Click:
    """What somebody asks for by a button: the words that one would type after ``%past``, and a number to answer to."""

    id: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """A panel is in sight and wants to know the states, of which ``everything`` says whether all."""

    everything: bool


@dataclass(frozen=True, slots=True)
class TakeBack:
    """A click shall not be done, if it was not yet."""

    id: str


@dataclass(frozen=True, slots=True)
class Leave:
    """A panel is out of sight."""


Wish = Click | Look | TakeBack | Leave
"""What a script can ask for."""


def wish_of(content: Any) -> Wish | None:
    """What a message asks for; None where it is none that a panel sends."""
    if not isinstance(content, dict):
        return None
    if content.get("look"):
        return Look(bool(content.get("all")))
    if content.get("leave"):
        return Leave()
    if isinstance(content.get("cancel"), str):
        return TakeBack(content["cancel"])
    known, words = content.get("id"), content.get("words")
    if not isinstance(known, str) or not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return None
    return Click(known, tuple(words))


def is_on_a_button(words: tuple[str, ...]) -> bool:
    """Whether a panel has a button for these words: nothing else is done for it."""
    match words:
        case () | ("undo",) | ("redo",) | ("--all",):
            return True
        case (n,) | ("vars", n):
            return n.isdecimal()
        case ("diff", a, b):
            return a.isdecimal() and b.isdecimal()
        case ("tag", name, n):
            return n.isdecimal() and not name.startswith("-")
    return False


def anywidget_version() -> str | None:
    """The version of anywidget that scripts of panels ask for; None where it is not installed."""
    try:
        major, minor, *_ = version("anywidget").split(".")
    except (PackageNotFoundError, ValueError):
        return None
    return f"~{major}.{minor}.*"


class Panel:
    """A panel that a script shows, or may show.

    It speaks the messages of Jupyter's widgets itself: importing what makes widgets in Python would take longer than
    listing states does, and leave more in the kernel.
    """

    def __init__(self, widgets: str, heard: Callable[[Panel, Wish], None]) -> None:
        import comm  # noqa: PLC0415 - kernels bring it along

        self.id = uuid4().hex
        self.everything = False
        self.in_sight = False
        self.told = False
        self._heard = heard
        script = (ASSETS / "panel.js").read_text(encoding="utf-8")
        self._state = {
            "_model_module": "anywidget",
            "_model_module_version": widgets,
            "_model_name": "AnyModel",
            "_view_module": "anywidget",
            "_view_module_version": widgets,
            "_view_name": "AnyView",
            "_view_count": None,
            "_anywidget_id": "elastictm.past",
            "_esm": script,
            "panel": self.id,
            "style": stylesheet(),
        }
        data = {"state": self._state, "buffer_paths": []}
        metadata = {"version": _PROTOCOL}
        self._comm: Any = comm.create_comm(target_name="jupyter.widget", data=data, metadata=metadata)
        self._comm.on_msg(self._on_message)
        self._comm.on_close(self._on_close)

    def send(self, content: dict[str, object]) -> None:
        """Tell the script something."""
        self._comm.send({"method": "custom", "content": content})

    def close(self, why: str) -> None:
        """Say why it ends, and end."""
        self.in_sight = False
        self.send({"closed": why})
        self._comm.close()

    def _on_message(self, message: dict[str, Any]) -> None:
        data = message["content"]["data"]
        if data.get("method") == "request_state":
            self._comm.send({"method": "update", "state": self._state, "buffer_paths": []})
        elif data.get("method") == "custom":
            wish = wish_of(data.get("content"))
            if wish is not None:
                self._heard(self, wish)

    def _on_close(self, _message: dict[str, Any]) -> None:
        self.in_sight = False
