"""What the words after a magic mean."""

from __future__ import annotations

import pytest

from elastictm.errors import UsageError
from elastictm.magics.words import words


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("undo", ["undo"]),
        ("undo   # before the last cell, don't ask", ["undo"]),
        ("# nothing but this", []),
        ("save work#2.tm", ["save", "work#2.tm"]),
        ("save 'my work.tm' --force", ["save", "my work.tm", "--force"]),
        ("tag '#1' 4", ["tag", "#1", "4"]),
        ("", []),
    ],
)
def test_a_comment_is_no_word(line, expected):
    """A line can be copied from a page with the comment behind it; names with a number sign stay whole."""
    assert words(line) == expected


def test_a_quotation_without_an_end_is_told():
    """What cannot be taken apart is an error for people."""
    with pytest.raises(UsageError, match="No closing quotation"):
        words("save 'work.tm")
