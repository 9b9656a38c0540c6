"""docs/cli.md says what the program does: every command, option, magic and setting, and nothing else."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest
import typer
from elastictm_cli.main import app

from elastictm import extension
from elastictm.magics import future, graph, migrate, overview, past

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
TEXT = PAGE.read_text(encoding="utf-8")
TABLE = typer.main.get_command(app)
GENERAL = {"--help", "-h"}
HELP = {
    "migrate": (migrate, migrate.MIGRATE),
    "graph": (graph, graph.GRAPH),
    "past": (past, past.PAST),
    "future": (future, future.FUTURE),
    "elastictm": (overview, overview.OVERVIEW),
}


def section(title, level="###"):
    """The page's text under a heading, to the next heading of that level or above."""
    marks = "|".join("#" * depth for depth in range(2, len(level) + 1))
    found = re.search(rf"^{level} {re.escape(title)}\n(.*?)(?=^(?:{marks}) |\Z)", TEXT, re.DOTALL | re.MULTILINE)
    assert found, f"docs/cli.md has no section {level} {title}"
    return found[1]


def documented(text):
    """The options in the first column of a section's tables."""
    cells = re.findall(r"^\| ((?:`-[^|]*`,? ?)+) *\|", text, re.MULTILINE)
    return {word for cell in cells for word in re.findall(r"`(--?[a-z_-]+)", cell)}


def options(command):
    """The live options of a command."""
    return {word for param in command.params for word in (*param.opts, *param.secondary_opts) if word.startswith("-")}


def magic_options(module):
    """The options that a magic's parsers know."""
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Call)]
    added = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument"]
    return {call.args[0].value for call in added if call.args[0].value.startswith("-")}


def test_the_page_has_a_section_for_each_command_and_no_other():
    """A new command without a section fails here, and so does a section of a command that is gone."""
    assert set(re.findall(r"^### elastictm (\w+)$", TEXT, re.MULTILINE)) == set(TABLE.commands)


@pytest.mark.parametrize("name", sorted(TABLE.commands))
def test_each_option_is_documented(name):
    """The table in a command's section lists its options, no more and no fewer."""
    assert documented(section(f"elastictm {name}")) == options(TABLE.commands[name]) - GENERAL


def test_the_general_options_are_documented():
    """So does the table of what works without a command."""
    general = section("The command line", "##").split("\n### ")[0]
    assert documented(general) == options(TABLE) | GENERAL


@pytest.mark.parametrize("name", sorted(TABLE.commands))
def test_each_command_and_option_has_help(name):
    """A command says what it does, and every argument and option too."""
    command = TABLE.commands[name]
    assert command.help
    assert [param.name for param in command.params if not param.help] == []


def test_the_arguments_are_in_the_usage():
    """The usage that a section begins with names the arguments as the program does."""
    for name, command in TABLE.commands.items():
        words = [param.metavar for param in command.params if not param.opts[0].startswith("-")]
        assert f"`elastictm {' '.join([name, *words])}`" in section(f"elastictm {name}")


def test_each_magic_has_a_section_and_no_other():
    """The magics that are registered are those on the page."""
    kinds = extension.magics_classes()
    live = {name for kind in kinds for names in kind.magics.values() for name in names}
    assert set(re.findall(r"^### %(\w+)$", TEXT, re.MULTILINE)) == live == set(HELP)


@pytest.mark.parametrize("name", HELP)
def test_each_option_of_a_magic_is_documented(name):
    """The page and the magic's own help list the options that the parsers know."""
    module, text = HELP[name]
    assert documented(section(f"%{name}")) == magic_options(module)
    assert set(re.findall(r"(--[a-z-]+)", text)) == magic_options(module)


@pytest.mark.parametrize("name", ["migrate", "past", "future"])
def test_each_action_of_a_magic_is_documented(name):
    """The page and the magic's own help list the same actions."""
    in_help = set(re.findall(rf"^%{name} (\w+)", HELP[name][1], re.MULTILINE))
    assert set(re.findall(rf"^\| `%{name} (\w+)", section(f"%{name}"), re.MULTILINE)) == in_help


def test_each_setting_is_documented():
    """The page lists the settings that %config shows."""
    live = set(extension.ElasticTM.class_traits(config=True)) - {"config", "parent", "log"}
    assert set(re.findall(r"^\| `(\w+)` \|", section("Settings", "##"), re.MULTILINE)) == live


def test_the_json_of_inspect_has_the_documented_keys(cli, archive):
    """The page's table of keys is what the command prints."""
    import json

    told = json.loads(cli("inspect", archive, "--json").stdout)
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section("elastictm inspect").split("these keys:")[1], re.MULTILINE)
    assert {key for row in rows for key in re.findall(r"`(\w+)`", row)} == set(told)
    cell = next(line for line in TEXT.splitlines() if line.startswith("| `cells` |"))
    assert set(told["cells"][0]) <= set(re.findall(r"`(\w+)`", cell))
