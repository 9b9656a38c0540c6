"""``%past``."""

from __future__ import annotations

from collections.abc import Callable

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import line_magic, magics_class
from IPython.display import display

from elastictm.errors import UsageError
from elastictm.ids import RunNumber
from elastictm.magics.panels import Panels, moment
from elastictm.magics.words import Parser, SessionMagics, errors_shown, tell, words
from elastictm.magics.working import session_left, working
from elastictm.model.quantities import parse_size
from elastictm.model.tables import amount
from elastictm.model.timeline import Timeline
from elastictm.session.session import Session
from elastictm.views.states import StatesPage

PAST = """\
%past                       the states of this session, as a tree; --all shows every one
%past N                     go to the state after cell N
%past TAG                   go to the state with this tag
%past undo                  go back to before the last cell that changed something
%past redo                  go forward again
%past vars N [NAME...]      show variables of state N without going there
%past diff A B              what differs between two states
%past tag NAME [N]          call state N, or the one here, by a name
%past untag NAME...         take names away
%past clear [A-B]           forget states; what other states need stays
%past budget [2GB]          how many bytes the past of all sessions may take on disk; holds at once
%past saving [on|off]       pause, and go on; alone, which it is
%past dontsave [NAME...]    keep no bytes of these variables from now on; alone, which they are
%past sessions              earlier sessions, those of killed kernels too
%past recover [N]           the latest session of this notebook or folder that ended: go on from its last state, or N
%past --session ID [N]      the same for any session

Options of going to a state:
  --allow-effects           cells that write files, use the network or start processes may run again
Of a budget:
  --yes                     the pasts of sessions that ended go, the oldest first, where there is no room for them

For example:
  %past tag clean             then work on, and
  %past clean                 is back there; %past redo goes forward again
How it works: docs/past.md
"""


@magics_class
class PastMagics(SessionMagics):
    """``%past``, for one session."""

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        super().__init__(shell, session)
        self._panels = Panels(shell, self._do, self._states)

    def close(self) -> None:
        """Close the panels that are open."""
        self._panels.close()

    def announce(self) -> None:
        """Say in a line what an earlier session of this notebook or folder left, if one did."""
        found = self._session.left_behind()
        if found is not None:
            tell(found.told())

    @line_magic  # type: ignore[untyped-decorator]
    def past(self, line: str) -> None:
        """List states, go to one, look into one; see ``PAST``."""
        with errors_shown():
            given = words(line)
        self._do(given)

    past.__doc__ = PAST

    def _do(self, words: list[str]) -> None:
        with errors_shown():
            actions: dict[str, Callable[[list[str]], None]] = {
                "vars": self._vars,
                "diff": self._diff,
                "tag": self._tag,
                "untag": self._untag,
                "clear": self._clear,
                "budget": self._budget,
                "saving": self._saving,
                "dontsave": self._dontsave,
                "sessions": self._sessions,
                "recover": self._recover,
            }
            if words and words[0] in actions:
                actions[words[0]](words[1:])
            else:
                self._go(words)

    def _go(self, words: list[str]) -> None:
        parser = Parser("%past", add_help=False)
        parser.add_argument("state", nargs="?")
        parser.add_argument("--all", action="store_true")
        parser.add_argument("--allow-effects", action="store_true")
        parser.add_argument("--session")
        given = parser.parse_args(words)
        if given.session is not None:
            self._bring(given.session, given.state, allow_effects=given.allow_effects)
        elif given.state is None:
            self._list(everything=given.all)
        else:
            left = session_left(self._session, f"by then the session was at state {given.state}")
            with working(self._session, "going there", left):
                report = self._session.go(given.state, allow_effects=given.allow_effects)
            display(report)

    def _bring(self, session: str | None, state: str | None, *, allow_effects: bool = False) -> None:
        left = session_left(self._session, "by then the session had become the other one")
        with working(self._session, "recovering", left):
            report = self._session.recover(session, state, allow_effects=allow_effects)
        display(report)

    def _list(self, *, everything: bool) -> None:
        shown = self._session.timeline(everything=everything)
        display(StatesPage(shown, moment(), self._panels.open(everything=everything)))

    def _states(self, everything: bool, wait: bool) -> tuple[Timeline, bool]:  # noqa: FBT001 - as panels ask for it
        whole = wait or self._session.known_past().is_written
        return self._session.timeline(everything=everything, in_passing=not wait), whole

    def _vars(self, words: list[str]) -> None:
        if not words:
            raise UsageError("%past vars takes the number of a state, and names: %past vars 12 df model")
        past = self._session.known_past()
        found = past.room().variables(past.find(words[0]))
        for name in words[1:]:
            if name not in found:
                raise UsageError(f"state {words[0]} has no variable {name!r}; it has {', '.join(found) or 'none'}")
        if not words[1:]:
            display(past.room().contents(past.find(words[0])))
        for name in words[1:]:
            display(found[name])

    def _diff(self, words: list[str]) -> None:
        if len(words) != 2:  # noqa: PLR2004 - A and B
            raise UsageError(f"%past diff takes two states, such as %past diff 12 20, not {len(words)}")
        past = self._session.known_past()
        first, second = past.find(words[0]), past.find(words[1])
        display(past.room().difference(first, second, self._session.clock.elapsed))

    def _tag(self, words: list[str]) -> None:
        past = self._session.known_past()
        if not 1 <= len(words) <= 2:  # noqa: PLR2004 - NAME and N
            raise UsageError("%past tag takes a name, and the number of a state: %past tag clean 12")
        print(past.tag(words[0], past.find(words[1]) if words[1:] else past.here()))  # noqa: T201

    def _untag(self, words: list[str]) -> None:
        if not words:
            raise UsageError("%past untag takes the tags that go: %past untag clean")
        for name in words:
            print(self._session.known_past().tag(name, None))  # noqa: T201 - a magic is a surface

    def _clear(self, words: list[str]) -> None:
        if not words:
            print(self._session.clear(None))  # noqa: T201 - a magic is a surface
            return
        first, dash, last = words[0].partition("-")
        if len(words) > 1 or not first.isdecimal() or (dash and not last.isdecimal()):
            raise UsageError(f"%past clear takes nothing, or a range such as 3-9, not {' '.join(words)!r}")
        if int(last or first) < int(first):
            raise UsageError(
                f"%past clear takes a range from its first state to its last: {last}-{first}, not {words[0]}"
            )
        print(self._session.clear((RunNumber(int(first)), RunNumber(int(last or first)))))  # noqa: T201

    def _budget(self, words: list[str]) -> None:
        past = self._session.known_past()
        parser = Parser("%past budget", add_help=False)
        parser.add_argument("size", nargs="?")
        parser.add_argument("--yes", action="store_true")
        given = parser.parse_args(words)
        lines: list[str] = []
        if given.size is not None:
            budget = parse_size(given.size)
            others = past.too_much(budget)
            if others and not given.yes:
                named = ", ".join(f"{found.about.id} ({amount(found.size)})" for found in others)
                raise UsageError(
                    f"{given.size} has no room for the pasts of these sessions, which would be removed: {named}. "
                    f"%past budget {given.size} --yes removes them; nothing was changed"
                )
            lines += self._session.spend(budget)
        print("\n".join([*lines, past.spent()]))  # noqa: T201 - a magic is a surface

    def _saving(self, words: list[str]) -> None:
        if words not in ([], ["on"], ["off"]):
            raise UsageError(f"%past saving takes on, off or nothing, not {' '.join(words)!r}")
        if words:
            self._session.saving(words == ["on"])
        print(self._session.known_past().switched())  # noqa: T201 - a magic is a surface

    def _dontsave(self, words: list[str]) -> None:
        print("\n".join(self._session.dontsave(words)))  # noqa: T201 - a magic is a surface

    def _sessions(self, words: list[str]) -> None:
        if words:
            raise UsageError(f"%past sessions takes nothing more, not {' '.join(words)!r}")
        display(self._session.sessions())

    def _recover(self, words: list[str]) -> None:
        if len(words) > 1:
            raise UsageError(f"%past recover takes at most the number of a state, not {' '.join(words)!r}")
        self._bring(None, words[0] if words else None)
