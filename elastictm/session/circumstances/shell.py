"""Settings of the shell that runs the session, whatever shell it is that has IPython's attributes."""

from __future__ import annotations

import copy
import operator
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any, Final

from traitlets.config import Config

_OWN_EXTENSION: Final = "elastictm"
_OWN_SECTION: Final = "ElasticTM"
"""How this program is set is no state of the user's: it stays as it is, wherever a session goes."""
_INTERACTIVITY: Final = "InteractiveShell.ast_node_interactivity"
_DEFAULT: Final = object()


class ShellSettings:
    """Extensions that the session loaded, what it set with ``%config`` and ``%autoreload``, and where figures go."""

    name = "IPython"
    module = ""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._loaded = frozenset(shell.extension_manager.loaded)
        self._first = _configured(shell)
        self._configs: list[Any] = []
        self._changed: dict[str, Any] = {}

    def look(self) -> Mapping[str, Any]:
        """What was set, by the magic that sets it."""
        extensions = sorted(self._shell.extension_manager.loaded - self._loaded - {_OWN_EXTENSION})
        found = {f"%config {key}": value for key, value in self._configured().items()}
        # Many set this on the class instead, which makes no difference to what they see.
        if self._shell.ast_node_interactivity != "last_expr":
            found[f"%config {_INTERACTIVITY}"] = self._shell.ast_node_interactivity
        if extensions:
            found["%load_ext"] = extensions
        if (mode := self._reloading()) != "off":
            found["%autoreload"] = mode
        if (backend := _backend()) not in {"", "agg", _plain_backend(os.environ.get("MPLBACKEND", ""))}:
            found["%matplotlib"] = backend
        return found

    def apply(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Load, set and choose again; what was set besides gets its default."""
        now, notes = self.look(), list[str]()
        wanted = set(settings.get("%load_ext", ()))
        for extension in set(now.get("%load_ext", ())) - wanted:
            self._shell.extension_manager.unload_extension(extension)
        for extension in sorted(wanted - self._shell.extension_manager.loaded):
            try:
                self._shell.extension_manager.load_extension(extension)
            except Exception as error:  # noqa: BLE001 - an extension may raise anything; it is told, and the rest goes on
                notes.append(f"the extension {extension} does not load: {type(error).__name__}: {error}")
        if settings.get("%autoreload", "off") != self._reloading():
            self._magic("autoreload", settings.get("%autoreload", "off"), notes)
        if (backend := settings.get("%matplotlib", "")) and backend != _backend():
            self._magic("matplotlib", backend, notes)
        for key in {key for key in now.keys() | settings.keys() if key.startswith("%config ")}:
            section, _, trait = key.removeprefix("%config ").partition(".")
            if section == _OWN_SECTION:
                continue
            self._configure(section, trait, settings.get(key, _DEFAULT))
        return notes

    def show(self, key: str, value: Any) -> str:  # noqa: ARG002 - the key tells nothing about the form
        """The value."""
        return ", ".join(value) if isinstance(value, list) else str(value)

    def _configured(self) -> dict[str, Any]:
        configs = [c.config for c in self._shell.configurables]
        if len(configs) != len(self._configs) or any(map(operator.is_not, configs, self._configs)):
            now = _configured(self._shell)
            self._changed = {key: value for key, value in now.items() if value != self._first.get(key, _DEFAULT)}
            self._configs = configs
        return self._changed

    def _configure(self, section: str, trait: str, value: Any) -> None:
        for configurable in self._shell.configurables:
            if section in {kind.__name__ for kind in type(configurable).mro()} and configurable.has_trait(trait):
                usual = self._first.get(f"{section}.{trait}", configurable.trait_defaults(trait))
                configurable.update_config(Config({section: {trait: usual if value is _DEFAULT else value}}))

    def _reloading(self) -> str:
        reloader = getattr(self._shell.magics_manager.registry.get("AutoreloadMagics"), "_reloader", None)
        if reloader is None or not reloader.enabled:
            return "off"
        if not reloader.check_all:
            return "explicit"
        return "complete" if getattr(reloader, "autoload_obj", False) else "all"

    def _magic(self, name: str, line: str, notes: list[str]) -> None:
        try:
            with redirect_stdout(StringIO()):
                self._shell.run_line_magic(name, line)
        except Exception as error:  # noqa: BLE001 - a magic may raise anything; it is told, and the rest goes on
            notes.append(f"%{name} {line}: {type(error).__name__}: {error}")


def _configured(shell: Any) -> dict[str, Any]:
    """All that is configured of the shell and its parts, as ``Class.trait``, where it is not the default."""
    found: dict[str, Any] = {}
    for configurable in shell.configurables:
        for kind in type(configurable).mro():
            if kind.__name__ == _OWN_SECTION:
                break
            section = configurable.config.get(kind.__name__, {})
            for trait, value in section.items():
                if f"{kind.__name__}.{trait}" != _INTERACTIVITY and configurable.has_trait(trait):
                    usual = configurable.trait_defaults(trait)
                    if value != usual and type(value) in {bool, int, float, str, list, dict, set, tuple}:
                        found[f"{kind.__name__}.{trait}"] = copy.deepcopy(value)
    return found


def _backend() -> str:
    """The backend that matplotlib uses, as ``%matplotlib`` calls it; empty where none is chosen."""
    matplotlib = sys.modules.get("matplotlib")
    backend = (
        dict.get(matplotlib.rcParams, "backend") if matplotlib is not None and hasattr(matplotlib, "rcParams") else None
    )
    return _plain_backend(backend) if isinstance(backend, str) else ""


def _plain_backend(backend: str) -> str:
    names = {"module://matplotlib_inline.backend_inline": "inline", "module://ipympl.backend_nbagg": "widget"}
    return names.get(backend, backend.lower())
