"""``%migrate``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from IPython.core.magic import line_magic, magics_class
from IPython.display import display

from elastictm.errors import UsageError
from elastictm.magics.words import Parser, SessionMagics, ask, errors_shown, names, words
from elastictm.magics.working import file_left, session_left, working
from elastictm.model.quantities import parse_bandwidth, parse_size

MIGRATE = """\
%migrate save PATH      write the session as one archive
%migrate plan           what a save would store and what re-run, and why
%migrate restore PATH   bring an archive's state into this session
%migrate verify PATH    check an archive without running its code

Options of save and plan:
  --bandwidth 100MB/s   speed of the way to the target; measured if not given
  --alpha X             weight of saving against restoring; below 1 favours a fast restore
  --only a,b            these variables and no others
  --exclude c           all but these
  --policy P            optimal, store-all or rerun-all
  --allow-effects       cells that write files, use the network or start processes may run again
  --ship-limit SIZE     files that cells read again travel up to this size; 100MB if not given, 0 for none
Of save alone:
  --force               replace an existing file
  --verify              read the archive back and check every byte
  --with-past           the states that %past lists travel along
  --futures HOW         what runs aside: wait until it has ended, rerun it there, or drop it (told as lost)
Of save and verify:
  --rehearse            restore in a fresh process and compare every variable; a save plans with what it learns
Of restore, and of verify with --rehearse:
  --trust               the archive comes from elsewhere, and may run its code
Of restore:
  --plan                only show what would be loaded and re-run here
  --allow-effects       cells that write files, use the network or start processes may run again, once
  --any-version         load what another major version of a library has saved

For example:
  %migrate save work.tm --only df,model --rehearse
  %migrate restore work.tm --plan
What comes back and what does not: docs/fidelity.md
"""


@magics_class
class MigrateMagics(SessionMagics):
    """``%migrate``, for one session."""

    @line_magic  # type: ignore[untyped-decorator]
    def migrate(self, line: str) -> None:
        """Save, plan, restore, verify; see ``MIGRATE``."""
        with errors_shown():
            given = words(line)
            actions: dict[str, Callable[[list[str]], None]] = {
                "save": self._save,
                "plan": self._plan,
                "restore": self._restore,
                "verify": self._verify,
            }
            if not given or given[0] not in actions:
                raise UsageError(f"%migrate takes {', '.join(actions)}, not {given[0] if given else 'nothing'!r}")
            actions[given[0]](given[1:])

    migrate.__doc__ = MIGRATE

    def _save(self, words: list[str]) -> None:
        parser = _planning_parser("%migrate save")
        parser.add_argument("path")
        parser.add_argument("--force", action="store_true")
        parser.add_argument("--verify", action="store_true")
        parser.add_argument("--rehearse", action="store_true")
        parser.add_argument("--with-past", action="store_true")
        parser.add_argument("--futures", choices=("wait", "rerun", "drop"), default="drop")
        given = parser.parse_args(words)
        options = replace(self._options(given), with_past=given.with_past, futures=given.futures)
        with working(self._session, "saving", file_left(given.path)):
            report = self._session.save(Path(given.path), options, force=given.force, rehearse=given.rehearse)
        display(report)
        if given.verify:
            self._verify([given.path])

    def _plan(self, words: list[str]) -> None:
        given = _planning_parser("%migrate plan").parse_args(words)
        with working(self._session, "planning", lambda: "nothing was written; the session is as it was"):
            report = self._session.plan(self._options(given))
        display(report)

    def _restore(self, words: list[str]) -> None:
        parser = Parser("%migrate restore", add_help=False)
        parser.add_argument("path")
        parser.add_argument("--trust", action="store_true")
        parser.add_argument("--plan", action="store_true")
        parser.add_argument("--allow-effects", action="store_true")
        parser.add_argument("--any-version", action="store_true")
        given = parser.parse_args(words)
        allowed = {"allow_effects": given.allow_effects, "any_version": given.any_version}
        if given.plan:
            display(self._session.plan_restore(Path(given.path), **allowed))
            return
        trust = True if given.trust else ask
        left = session_left(self._session, f"by then the session had become that of {given.path}")
        with working(self._session, "restoring", left):
            report = self._session.restore(Path(given.path), trust=trust, tell=_tell_differences, **allowed)
        # They were shown before.
        display(replace(report, differences=()))

    def _verify(self, words: list[str]) -> None:
        from elastictm.storage.reader import ArchiveReader  # noqa: PLC0415 - only a check needs it

        parser = Parser("%migrate verify", add_help=False)
        parser.add_argument("path")
        parser.add_argument("--rehearse", action="store_true")
        parser.add_argument("--trust", action="store_true")
        given = parser.parse_args(words)
        with ArchiveReader(given.path) as reader:
            left = f"not every byte of {given.path} was checked; it and the session are as they were"
            with working(self._session, "verifying", lambda: left) as bar:
                bar.stage("reading", reader.size)
                reader.verify(bar)
            print(f"{given.path}: every byte is as it was written")  # noqa: T201 - a magic is a surface
        if given.rehearse:
            left = f"the restore was not rehearsed to its end; {given.path} and the session are as they were"
            with working(self._session, "rehearsing", lambda: left):
                report = self._session.rehearse(Path(given.path), trust=True if given.trust else ask)
            display(report)

    def _options(self, given: argparse.Namespace) -> Any:
        from elastictm.session.options import SaveOptions  # noqa: PLC0415 - recording does without
        from elastictm.session.shipping import SHIP_AT_MOST  # noqa: PLC0415 - likewise

        return SaveOptions(
            bandwidth=parse_bandwidth(given.bandwidth) if given.bandwidth else None,
            alpha=self._session.settings().alpha if given.alpha is None else given.alpha,
            only=names(given.only) if given.only is not None else None,
            exclude=names(given.exclude),
            policy=given.policy,
            allow_effects=given.allow_effects,
            ship_limit=SHIP_AT_MOST if given.ship_limit is None else parse_size(given.ship_limit),
        )


def _planning_parser(program: str) -> Parser:
    parser = Parser(program, add_help=False)
    parser.add_argument("--bandwidth")
    parser.add_argument("--alpha", type=float)
    parser.add_argument("--only")
    parser.add_argument("--exclude", default="")
    parser.add_argument("--policy", choices=("optimal", "store-all", "rerun-all"), default="optimal")
    parser.add_argument("--allow-effects", action="store_true")
    parser.add_argument("--ship-limit")
    return parser


def _tell_differences(differences: tuple[str, ...]) -> None:
    for difference in differences:
        print(f"differs: {difference}", flush=True)  # noqa: T201 - a magic is a surface
