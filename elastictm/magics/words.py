"""What the words after a magic mean, and how errors are shown."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from IPython.core.error import StdinNotImplementedError
from IPython.core.error import UsageError as ShownError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics

from elastictm.errors import ElasticTMError, UsageError
from elastictm.ids import Name
from elastictm.session.session import Session
from elastictm.storage.manifest import Manifest


def words(line: str) -> list[str]:
    """The words of a magic's line, as a shell would take it apart; a comment at its end is none of them.

    Raises:
        UsageError: a quotation has no end.
    """
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split = True
    # A number sign begins a comment only where a word could begin, and unquoted: names of files may have one.
    lexer.commenters = ""
    found: list[str] = []
    try:
        while (word := lexer.get_token()) is not None and not (word.startswith("#") and f" {word}" in f" {line}"):
            found.append(word)
    except ValueError as error:
        raise UsageError(f"{line.strip()!r} cannot be taken apart: {error}") from None
    return found


def phrases(line: str) -> list[str]:
    """The words of a line in which there are expressions: what is in brackets or quotes is one word, with its quotes.

    Where a whole word is quoted, its quotes are no part of it; a comment at the end is no word.

    Raises:
        UsageError: a bracket or a quotation has no end.
    """
    found: list[str] = []
    word, depth, quote = "", 0, ""
    for sign in f"{line} ":
        if quote:
            quote = "" if sign == quote and not word.endswith("\\") else quote
        elif sign in "'\"":
            quote = sign
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth = max(0, depth - 1)
        elif sign.isspace() and depth == 0:
            found += [_unquoted(word)] if word else []
            word = ""
            continue
        elif sign == "#" and not word and depth == 0:
            return found
        word += sign
    if word.strip():
        raise UsageError(f"{line.strip()!r} cannot be taken apart: a bracket or a quotation in it has no end")
    return found


def _unquoted(word: str) -> str:
    quote = word[0]
    whole = len(word) > 1 and quote in "'\"" and word.find(quote, 1) == len(word) - 1
    return word[1:-1] if whole else word


class Parser(argparse.ArgumentParser):
    """Takes words apart; what it cannot is a ``UsageError``."""

    def error(self, message: str) -> NoReturn:
        """Say what does not fit."""
        raise UsageError(f"{self.prog}: {message}. {self.prog}? shows how to use it")


def ask(manifest: Manifest) -> bool:
    """Whether the user says that an archive from elsewhere may run its code."""
    made = f"{manifest.environment.platform}, Python {manifest.environment.python}"
    try:
        answer = input(f"This archive was not written here ({made}); restoring it runs code from it. Go on? [y/N] ")
    except (EOFError, StdinNotImplementedError):
        return False
    return answer.strip().lower() in {"y", "yes"}


def names(text: str) -> frozenset[Name]:
    """The names in a list with commas."""
    return frozenset(Name(part.strip()) for part in text.split(",") if part.strip())


def tell(line: str) -> None:
    """Tell the user something that no cell asked for."""
    print(f"elastictm: {line}")  # noqa: T201 - a surface


class SessionMagics(Magics):  # type: ignore[misc]
    """Magics of one session."""

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        super().__init__(shell)
        self._session = session

    def announce(self) -> None:
        """Say in a line what the user should know when recording begins; most have nothing to say."""

    def close(self) -> None:
        """Recording ends: let go of what is open; most have nothing."""


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show an error of ours as one line; the cell fails all the same."""
    try:
        yield
    except ElasticTMError as error:
        raise ShownError(error.told()) from None
    except KeyboardInterrupt:
        raise ShownError("interrupted: the session is as it was before") from None
