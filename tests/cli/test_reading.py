"""Commands that read archives without running anything of them: inspect, graph, verify."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import msgspec
import pytest

from elastictm.storage.layout import HEADER, MAGIC, TRAILER, VERSION, pack_trailer
from elastictm.storage.manifest import Past, encode
from elastictm.storage.reader import ArchiveReader

READING = [
    ["inspect"],
    ["inspect", "--json"],
    ["graph"],
    ["graph", "--dot", "-"],
    ["graph", "--json", "-"],
    ["graph", "--html", "-"],
    ["verify"],
]


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_nothing_is_unpickled(archive, words, reads_only):
    """Reading an archive loads no module that could unpickle its values, nor IPython."""
    reads_only(words[0], archive, *words[1:])


def test_inspect_as_json_has_the_documented_keys(cli, archive):
    """Variables are those of reports, displayed results stand apart, and the rest is there for programs."""
    told = json.loads(cli("inspect", archive, "--json").stdout)
    assert [variable["name"] for variable in told["variables"]] == ["lock", "total", "data"]
    assert told["variables"][0] == {
        "name": "lock", "outcome": "lost", "kind": "lock", "path": "lock._inner", "bytes": 0, "seconds": 0.0,
        "reason": "a lock is held by threads of this process", "remedy": "make it anew in a cell",
    }  # fmt: skip
    assert [(output["name"], output["outcome"]) for output in told["outputs"]] == [("Out[2]", "stored")]
    assert [(cell["n"], cell["source"], cell["status"]) for cell in told["cells"]] == [
        (1, "data = [1, 2]", "ok"), (2, "total = sum(data)\ntotal", "ok"), (3, "1 / 0", "error"),
    ]  # fmt: skip
    assert told["cells"][1]["reads"] == [["data", 1]]
    assert told["cells_rerun"] == [2]
    assert told["environment"]["packages"] == {"numpy": "2.0"}
    assert told["format"]["version"] == VERSION
    assert told["bytes"] == archive.stat().st_size


def test_inspect_tells_of_states_that_travel(cli, archive):
    """Whether earlier states are in an archive is told, and how many; where none are, nothing is."""
    assert "past" not in cli("inspect", archive).stdout
    assert json.loads(cli("inspect", archive, "--json").stdout)["past"] is None
    with ArchiveReader(archive) as reader:
        manifest = reader.manifest
    data = archive.read_bytes()
    offset = int.from_bytes(data[-TRAILER.size : -TRAILER.size + 8], "little")
    footer = encode(msgspec.structs.replace(manifest, past=Past((), 3, 1500)), offset)
    archive.write_bytes(data[:offset] + footer + pack_trailer(footer, offset))
    assert "with 3 states of its past, 1.5 kB" in cli("inspect", archive).stdout
    assert json.loads(cli("inspect", archive, "--json").stdout)["past"] == {"states": 3, "bytes": 1500}


def test_inspect_shows_losses_first(cli, archive):
    """What is lost comes before all else, with the inner object and the reason."""
    text = cli("inspect", archive).stdout
    rows = [line.split()[0] for line in text.splitlines() if line.startswith("  ")]
    assert rows[:5] == ["LOST", "variable", "total", "data", "Out[2]"]
    assert "LOST lock (lock): lock._inner: a lock is held by threads of this process. What to do: " in text
    assert "1 / 0" in text
    assert "numpy 2.0" in text


def test_graph_shows_the_history(cli, archive):
    """Without a file the history is drawn in the terminal."""
    text = cli("graph", archive).stdout
    assert "total = sum(data) … → total" in text
    assert "ZeroDivisionError" in text


def test_graph_of_names_shows_their_lineage(cli, archive):
    """Names restrict the drawing, and an unknown one is wrong usage."""
    assert "1 / 0" not in cli("graph", archive, "data").stdout
    done = cli("graph", archive, "dota")
    assert done.exit_code == 2
    assert done.stderr == "elastictm: no variable was ever named dota in this session: did you mean data?\n"


def test_graph_writes_files_for_other_programs(cli, archive, tmp_path):
    """All forms can be written at once, and each is whole."""
    dot, data, xml = tmp_path / "h.dot", tmp_path / "h.json", tmp_path / "h.graphml"
    done = cli("graph", archive, "--dot", dot, "--json", data, "--graphml", xml)
    assert (done.exit_code, done.output) == (0, "")
    assert ET.parse(xml).getroot().tag.endswith("graphml")
    assert dot.read_text().startswith("digraph history {")
    assert ["version", "total", 2] in [node["id"] for node in json.loads(data.read_text())["nodes"]]


def test_graph_writes_a_page_and_a_picture(cli, archive, tmp_path):
    """Both show what was saved; the page has plans at other bandwidths, and a bandwidth that is asked for comes first."""
    page, picture = tmp_path / "h.html", tmp_path / "h.svg"
    assert cli("graph", archive, "--html", page, "--svg", picture).exit_code == 0
    assert ET.parse(picture).getroot().get("class") == "etm"
    assert "total@2: int, 5 B; re-run" in picture.read_text(encoding="utf-8")
    assert 'value="saved"' in page.read_text(encoding="utf-8").partition("<script>")[0]
    assert "As saved: 1 re-run, 1 stored, 25 B" in cli("graph", archive, "data").stdout
    assert "A save at 1.0 MB/s: " in cli("graph", archive, "--bandwidth", "1MB/s").stdout
    assert cli("graph", archive, "--bandwidth", "quick").exit_code == 2


def test_graph_says_where_it_cannot_write(cli, archive, tmp_path):
    """A folder that is not there is named in one line."""
    done = cli("graph", archive, "--dot", tmp_path / "nowhere" / "h.dot")
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert "nowhere" in done.stderr


def test_verify_says_that_every_byte_is_sound(cli, archive):
    """A sound archive is told to be one, as text, as JSON, or by the status alone."""
    assert cli("verify", archive).stdout == f"{archive}: every byte is as it was written\n"
    told = json.loads(cli("verify", archive, "--json").stdout)
    assert told == {"path": str(archive), "sound": True, "bytes": archive.stat().st_size}
    assert cli("verify", archive, "--quiet").output == ""


@pytest.mark.parametrize("place", [20, -200, -10])
def test_verify_finds_any_flipped_byte(cli, archive, place):
    """Damage in data, footer or trailer gives status 3 and one line."""
    data = bytearray(archive.read_bytes())
    data[place] ^= 1
    archive.write_bytes(data)
    done = cli("verify", archive)
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.startswith("elastictm: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [*READING, ["restore", "-c", "1"], ["restore", "--plan"], ["restore"]], ids=" ".join)
@pytest.mark.parametrize("content", [None, b"not an archive", HEADER.pack(MAGIC, 200, bytes(7)) + bytes(100)])
def test_an_archive_that_cannot_be_used_gives_status_3(cli, tmp_path, words, content):
    """Missing, foreign and newer files give one line on standard error, status 3, and nothing else."""
    path = tmp_path / "other.tm"
    if content is not None:
        path.write_bytes(content)
    done = cli(words[0], path, *words[1:])
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.startswith("elastictm: ")
    assert done.stderr.count("\n") == 1
    assert "other.tm" in done.stderr


@pytest.mark.parametrize("words", [["inspect"], ["nothing"], ["graph", "--nothing", "x"], ["verify", "a", "b"]])
def test_wrong_usage_gives_status_2(cli, words):
    """What makes no sense is told on standard error."""
    done = cli(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr
