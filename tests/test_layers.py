"""The layers: which part may import which, read from the syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PURE = {"errors", "ids", "settings", "model"}
ALLOWED = {
    "errors": set(),
    "ids": set(),
    "settings": set(),
    "model": {"errors", "ids"},
    "planning": PURE,
    "values": PURE,
    "storage": {"errors", "ids"},
    "session": PURE | {"planning", "values", "storage"},
    "views": PURE,
    "magics": PURE | {"session", "storage", "views"},
    "extension": PURE | {"session", "magics"},
    "enabled": PURE | {"session", "extension"},
    "rehearsing": PURE | {"session", "extension"},
    "sandboxing": PURE | {"session", "extension"},
    "api": PURE | {"session", "extension", "magics"},
    "__init__": {"api", "extension"},
    "testing": PURE | {"planning", "storage", "extension", "__init__"},
    "cli": PURE | {"planning", "session", "storage", "views", "extension", "magics", "api", "__init__"},
}
NOT_IN_PURE = {"IPython", "pickle", "os", "pathlib", "time", "logging"}
IPYTHON_ALLOWED = ("elastictm/session/ipython/", "elastictm/extension.py")
HEAVY = {"numpy", "pandas", "torch", "matplotlib"}


def modules() -> Iterator[Path]:
    """All modules of both packages."""
    yield from sorted((ROOT / "elastictm").rglob("*.py"))
    yield from sorted((ROOT / "cli").rglob("*.py"))


def part_of(path: Path) -> str:
    """The part that a module belongs to."""
    relative = path.relative_to(ROOT).with_suffix("")
    return "cli" if relative.parts[0] == "cli" else relative.parts[1]


def imports(path: Path, *, top_level: bool = False) -> Iterator[str]:
    """The modules that a module imports, those for the type checker alone left out."""
    tree = ast.parse(path.read_text())
    skipped = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    if top_level:
        skipped |= {
            inner
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for inner in ast.walk(node)
        }
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: str(path.relative_to(ROOT)))
def test_arrows(path: Path) -> None:
    """A part imports only the parts below it."""
    part = part_of(path)
    for name in imports(path):
        words = name.split(".")
        if words[0] != "elastictm":
            continue
        target = words[1] if len(words) > 1 else "__init__"
        if target not in ALLOWED:
            target = "__init__"
        assert target == part or target in ALLOWED[part], f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: str(path.relative_to(ROOT)))
def test_banned_imports(path: Path) -> None:
    """The pure core knows no machine, storage never unpickles, and one module knows IPython."""
    part = part_of(path)
    relative = str(path.relative_to(ROOT))
    roots = {name.split(".")[0] for name in imports(path)}
    if part in {"model", "planning"}:
        assert not roots & NOT_IN_PURE
    if part == "storage":
        assert not roots & {"pickle", "cloudpickle", "marshal"}
    if part == "values":
        assert not {name.split(".")[0] for name in imports(path, top_level=True)} & HEAVY
    if part not in {"cli", "magics", "testing"} and not relative.startswith(IPYTHON_ALLOWED):
        assert "IPython" not in roots
    if part != "planning":
        assert not {name.split(".")[0] for name in imports(path, top_level=True)} & {*HEAVY, "scipy", "networkx"}


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: str(path.relative_to(ROOT)))
def test_only_surfaces_print(path: Path) -> None:
    """Nothing below the surfaces prints."""
    if part_of(path) in {"cli", "enabled", "magics"}:
        return
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    assert not [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests").rglob("test_*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_test_says_what_holds(path: Path) -> None:
    """Each test has a docstring of its own."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            assert ast.get_docstring(node), f"{path.relative_to(ROOT)}: {node.name} has no docstring"


def test_every_package_is_installed():
    """What a plain installation copies is all that there is."""
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "elastictm").rglob("__init__.py")}
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = text.partition("[tool.setuptools]\npackages = [")[2].partition("]")[0]
    assert {line.strip(' ",') for line in listed.strip().splitlines()} == found | {"elastictm_cli"}


def test_what_is_no_code_is_installed_too():
    """Every other file in the package is named by the package data, so that a wheel holds it."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    patterns = ast.literal_eval(text.partition("[tool.setuptools.package-data]\nelastictm = ")[2].partition("\n")[0])
    package = ROOT / "elastictm"
    named = {path for pattern in patterns for path in package.glob(pattern)}
    others = {path for path in package.rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}}
    assert others == named
