"""Completion with the tab key in the lines of our magics, in terminals and in notebooks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher
from IPython.core.interactiveshell import InteractiveShell

from elastictm.ids import is_variable
from elastictm.magics.candidates import Known, candidates
from elastictm.session.host import variables
from elastictm.session.session import Session

_IDENTIFIER: Final = "elastictm"


def install(shell: InteractiveShell, session: Session) -> None:
    """Have a shell complete the lines of our magics."""
    known = _known(session)

    @context_matcher(identifier=_IDENTIFIER)  # type: ignore[untyped-decorator]
    def matcher(context: CompletionContext) -> SimpleMatcherResult:
        try:
            found = candidates(context.line_with_cursor[: context.cursor_position], known)
        except Exception:  # noqa: BLE001 - who types shall not be told of what went wrong with a guess
            found = None
        if found is not None and not found.texts and not found.fragment:
            # Nothing can stand here, and only an answer keeps out all names and files that there are.
            return SimpleMatcherResult(completions=[SimpleCompletion(text="")], suppress=True, matched_fragment="")
        if found is None or not found.texts:
            return SimpleMatcherResult(completions=[], suppress=False)
        completions = [SimpleCompletion(text=text, type=found.kind) for text in found.texts]
        return SimpleMatcherResult(
            completions=completions, suppress=True, ordered=True, matched_fragment=found.fragment
        )

    shell.Completer.custom_matchers.append(matcher)


def uninstall(shell: InteractiveShell) -> None:
    """Take out what ``install`` put in."""
    matchers: list[Any] = shell.Completer.custom_matchers
    matchers[:] = [each for each in matchers if getattr(each, "matcher_identifier", "") != _IDENTIFIER]


def _known(session: Session) -> Known:
    """What a session has to name; nothing of its past is read from a disk for it."""

    def states() -> Iterable[str]:
        tree = session.known_past().tree
        shown = [state.n for state in tree if state.is_new and state.n not in tree.forgotten]
        return map(str, reversed(shown))

    def names_at(word: str) -> Iterable[str]:
        past = session.known_past()
        return sorted(name for name in past.tree.history(past.find(word)).live if is_variable(name))

    return Known(
        names=lambda: sorted(name for name in variables(session.host) if is_variable(name)),
        names_at=names_at,
        states=states,
        tags=lambda: sorted(session.known_past().tree.tags),
        sessions=session.session_names,
        futures=lambda: session.futures.made() if session.has_futures else {},
    )
