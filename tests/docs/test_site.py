"""The pages fit together: the reference is what the program says, links lead somewhere, commands exist."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from elastictm_cli.main import app

from elastictm import extension

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMED = re.compile(r"docs/[\w-]+\.md(?:#[\w-]+)?")
COMMANDS = typer.main.get_command(app).commands


def prose(page):
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


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


def test_the_reference_is_what_the_program_says():
    """``make docs`` would write the page that is there."""
    script = ROOT / "docs" / "make_reference.py"
    spec = importlib.util.spec_from_file_location("make_reference", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text(encoding="utf-8").split() == module.reference().split(), "run: make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    """Each link to a file leads to one, and each anchor to a heading."""
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", prose(page)):
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(there), f"{page.name}: {target}#{anchor}"
    for target in re.findall(r'<(?:img|source)\b[^>]*\ssrc(?:set)?="(?!https?:)([^"]*)"', prose(page)):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("place", list(named()))
def test_a_page_that_the_program_names_is_there(place):
    """Whoever follows an error's or a docstring's pointer finds the page, and the heading on it."""
    page, _, anchor = place.partition("#")
    assert (ROOT / page).is_file()
    assert not anchor or anchor in anchors(ROOT / page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_pages_name_exist(page):
    """Each command, option and magic that a page shows is one of the program's."""
    text = page.read_text(encoding="utf-8")
    for line in re.findall(r"(?:^\$ |`)(elastictm [^`\n]*)", text, re.MULTILINE):
        words = shlex.split(line.replace("…", ""), comments=True)[1:]
        if words and re.fullmatch(r"[a-z]+", words[0]):
            assert words[0] in COMMANDS, line
            known = {word for param in COMMANDS[words[0]].params for word in (*param.opts, *param.secondary_opts)}
            given = {word.partition("=")[0] for word in words[1:] if re.match(r"--?[a-z]", word)}
            assert given <= known | {"--help"}, line
    magics = {name for kind in extension.magics_classes() for names in kind.magics.values() for name in names}
    ours = set(re.findall(r"`%(migrate|past|graph|elastictm)\b", text))
    assert ours <= magics


def test_the_site_builds(tmp_path):
    """MkDocs finds nothing to complain about."""
    pytest.importorskip("mkdocs", reason="mkdocs is not installed")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "site" / "tutorial" / "migrate.html").exists()
    for page in (tmp_path / "site").rglob("*.html"):
        elsewhere = (
            r"<(?:script|img|iframe|source)\b[^>]*\ssrc(?:set)?=.?https?:[^>]*|<link\b[^>]*\shref=.?https?:[^>]*"
        )
        assert re.findall(elsewhere, page.read_text(encoding="utf-8")) == [], page
