"""Pages of the documentation that the program names are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NAMED = re.compile(r"docs/[\w-]+\.md(?:#[\w-]+)?")


def anchors(page):
    """The names under which a page's headings are linked to."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def named():
    """What modules name, and where."""
    for part in ("elastictm", "cli"):
        for path in sorted((ROOT / part).rglob("*.py")):
            for place in NAMED.findall(path.read_text("utf-8")):
                yield pytest.param(place, id=f"{path.relative_to(ROOT)}: {place}")


@pytest.mark.parametrize("place", list(named()))
def test_a_page_that_the_program_names_is_there(place):
    """Whoever follows an error's or a docstring's pointer finds the page, and the heading on it."""
    page, _, anchor = place.partition("#")
    assert (ROOT / page).is_file()
    assert not anchor or anchor in anchors(ROOT / page)
