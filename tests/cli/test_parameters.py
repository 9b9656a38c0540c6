"""``elastictm run`` as users of papermill know it: parameters, pipes, progress, output as it comes."""

from __future__ import annotations

import io
import json
import math
import os
import sys

import nbformat
import nbformat.v4 as nb
import pytest
from elastictm_cli import parameters

from elastictm.errors import UsageError

WORDS = [
    ("3", 3), ("-7", -7), ("0.5", 0.5), ("1e3", 1000.0), ("True", True), ("False", False), ("None", None),
    ("true", "true"), ("it's \"so\"\n", "it's \"so\"\n"), ("", ""), ("[1, 2]", "[1, 2]"), ("a=b", "a=b"),
]  # fmt: skip


def made(*cells):
    """A notebook of code cells; a cell given as a pair has a tag."""
    pairs = [cell if isinstance(cell, tuple) else (cell, None) for cell in cells]
    return nb.new_notebook(
        cells=[nb.new_code_cell(text, metadata={"tags": [tag]} if tag else {}) for text, tag in pairs]
    )


def ran(notebook):
    """The variables after all cells of a notebook."""
    namespace = {}
    for cell in notebook.cells:
        exec(cell.source, namespace)
    return namespace


@pytest.mark.parametrize(("word", "value"), WORDS)
def test_a_word_is_what_it_looks_like(word, value):
    """Numbers, truth values and None are such, all else and what is raw is text; the cell gives that very value."""
    notebook = made("x = y = 0")
    assert not parameters.inject(notebook, parameters.given([], [f"x={word}"], [f"y={word}"]))
    notebook.cells.append(notebook.cells.pop(0))
    assert (ran(notebook)["x"], ran(notebook)["y"]) == (value, word)
    assert type(ran(notebook)["x"]) is type(value)


def test_files_hold_any_values(tmp_path):
    """JSON and YAML give lists, dicts and numbers that have no literal; words win over files."""
    (tmp_path / "a.json").write_text('{"a": [1, {"b": null}], "c": NaN, "d": 1}')
    (tmp_path / "b.yaml").write_text("e: {f: -.inf}\nday: 2020-01-02\nd: 2\n")
    pytest.importorskip("yaml")
    files = [str(tmp_path / "a.json"), str(tmp_path / "b.yaml")]
    notebook = made()
    parameters.inject(notebook, parameters.given(files, ["d=3"], []))
    found = ran(notebook)
    assert (found["a"], found["e"], found["day"], found["d"]) == ([1, {"b": None}], {"f": -math.inf}, "2020-01-02", 3)
    assert math.isnan(found["c"])


@pytest.mark.parametrize(
    ("cells", "sources"),
    [
        (["a", "b"], ["# Parameters\nx = 1", "a", "b"]),
        (["a", ("b", "parameters"), "c"], ["a", "b", "# Parameters\nx = 1", "c"]),
        ([("a", "parameters"), "b", ("old", "injected-parameters")], ["a", "b", "# Parameters\nx = 1"]),
    ],
)
def test_the_cell_stands_where_papermill_puts_it(cells, sources):
    """First, below the cell tagged parameters, or in place of the one of an earlier run."""
    notebook = made(*cells)
    assert parameters.inject(notebook, {"x": 1}) == (len(cells) == 3)
    assert [cell.source for cell in notebook.cells] == sources
    assert "injected-parameters" in next(cell for cell in notebook.cells if "x" in cell.source).metadata.tags


def test_an_old_notebook_stays_valid():
    """The cell has an id only where cells have ids."""
    notebook = made("a")
    notebook.nbformat_minor = 4
    del notebook.cells[0]["id"]
    parameters.inject(notebook, {"x": 1})
    nbformat.validate(notebook)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-p", "x"], "has no value"),
        (["-p", "1x", "2"], "'1x' is no name"),
        (["-f", "none.json"], "none.json cannot be read"),
        (["other.ipynb", "--output", "x.ipynb"], "not both"),
        (["-", "--json"], "exclude each other"),
        (["--cwd", "nowhere"], "nowhere to run in"),
        (["--kernel", "nobody"], "no Python kernel is called 'nobody'"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_runs(cli, notebook, tmp_path, monkeypatch, words, said):
    """One line, status 2, and no cell has run."""
    monkeypatch.chdir(tmp_path)
    done = cli("run", notebook("open('ran', 'w').close()"), *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert not (tmp_path / "ran").exists()


def test_a_file_that_holds_none_is_said(tmp_path):
    """A list is no parameters, and neither is what is neither JSON nor YAML."""
    for text in ("[1]", "{a: ]"):
        (tmp_path / "f").write_text(text)
        with pytest.raises(UsageError, match=r"holds no parameters|neither JSON nor YAML|PyYAML"):
            parameters.given([str(tmp_path / "f")], [], [])


@pytest.mark.kernel
def test_a_run_in_a_pipe(command, tmp_path):
    """A notebook goes in and comes out with parameters and outputs, which are shown on the way; it runs where asked."""
    text = nbformat.writes(made(("alpha = 1", "parameters"), "import os; print(alpha, name)", "os.getcwd()"))
    read, write = os.pipe()
    os.write(write, text.encode())
    os.close(write)
    words = ["-p", "alpha", "-2.5", "-p", "name=up", "--cwd", tmp_path, "--log-output", "--progress-bar"]
    done = command("run", "-", "-", *words, stdin=read)
    os.close(read)
    assert done.returncode == 0, done.stderr
    cells = nbformat.reads(done.stdout, as_version=4).cells
    assert cells[1].source == "# Parameters\nalpha = -2.5\nname = 'up'"
    assert cells[2].outputs[0].text == "-2.5 up\n"
    assert done.stderr.splitlines() == [
        "cell 1: alpha = 1 (1 of 4)", "cell 2: # Parameters (2 of 4)",
        "cell 3: import os; print(alpha, name) (3 of 4)", "-2.5 up",
        "cell 4: os.getcwd() (4 of 4)", repr(str(tmp_path)),
    ]  # fmt: skip


@pytest.mark.kernel
def test_a_failed_run_with_parameters_goes_on(command, notebook, tmp_path):
    """At the failed cell, with the parameters that it had and no word of them; with others it is refused."""
    failing = notebook("slow = [n]", "1 / 0", name="a.ipynb")
    done = command("run", failing, tmp_path / "a.out.ipynb", "-p", "n", "7", "--save", tmp_path / "a.tm")
    assert done.returncode == 1
    last = nbformat.read(tmp_path / "a.out.ipynb", as_version=4).cells[-1]
    assert [output.ename for output in last.outputs] == ["ZeroDivisionError"]
    mended = notebook("slow = [n]", "print(slow, n)", name="b.ipynb")
    other = command("run", mended, "--from", tmp_path / "a.tm", "-p", "n", "8")
    assert other.returncode == 2
    assert "n = 8" in other.stderr
    told = command("run", mended, tmp_path / "b.out.ipynb", "--from", tmp_path / "a.tm", "--json")
    assert json.loads(told.stdout)["cells_run"] == 1
    cells = nbformat.read(tmp_path / "b.out.ipynb", as_version=4).cells
    assert [cell.source for cell in cells] == ["# Parameters\nn = 7", "slow = [n]", "print(slow, n)"]
    assert cells[-1].outputs[0].text == "[7] 7\n"


@pytest.mark.kernel
def test_an_installed_kernel_runs(cli, run, notebook, tmp_path):
    """The named kernel is the one that runs the cells."""
    assert cli("enable", "--kernelspec", "--user").exit_code == 0
    run(
        "run",
        notebook("import sys; any('exec_lines' in word for word in sys.argv)"),
        tmp_path / "o.ipynb",
        "-k",
        "elastictm",
    )
    assert nbformat.read(tmp_path / "o.ipynb", as_version=4).cells[0].outputs[0].data["text/plain"] == "True"


def test_standard_input_is_read_once(monkeypatch):
    """What is no notebook there is named by its dash."""
    from elastictm_cli.notebooks import read_notebook

    monkeypatch.setattr(sys, "stdin", io.StringIO("no"))
    with pytest.raises(UsageError, match=r"^- is no notebook"):
        read_notebook("-")
