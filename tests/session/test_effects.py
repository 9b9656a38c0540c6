"""What cells do outside the namespace is recorded: files, processes, the network, the environment, random numbers."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from elastictm.session import generators
from elastictm.storage.digest import file_digest


@dataclass(frozen=True, slots=True)
class Case:
    """A cell, run in a folder that holds ``data.csv``, and the effects that it has, ``.`` standing for the folder."""

    id: str
    cell: str
    effects: tuple[tuple[str, str], ...] = ()
    reads: tuple[str, ...] = ()
    setup: str = "pass"


EFFECTS = [
    Case("file written", "open('new.txt', 'w').close()", (("write", "./new.txt"),)),
    Case("file appended to", "open('data.csv', 'a').close()", (("write", "./data.csv"),)),
    Case("file updated", "open('data.csv', 'r+').close()", (("write", "./data.csv"),)),
    Case(
        "written through a path",
        "from pathlib import Path\n_ = Path('new.txt').write_text('a')",
        (("write", "./new.txt"),),
    ),
    Case(
        "written by number",
        "import os\nos.close(os.open('new.txt', os.O_WRONLY | os.O_CREAT))",
        (("write", "./new.txt"),),
    ),
    Case("array saved", "np.save('a.npy', np.zeros(3))", (("write", "./a.npy"),), setup="import numpy as np"),
    Case(
        "frame saved",
        "pd.DataFrame({'x': [1]}).to_csv('out.csv')",
        (("write", "./out.csv"),),
        setup="import pandas as pd",
    ),
    Case(
        "read and written",
        "from pathlib import Path\n_ = Path('data.csv').write_text(Path('data.csv').read_text())",
        (("write", "./data.csv"),),
    ),
    Case("file removed", "import os\nos.remove('data.csv')", (("remove", "./data.csv"),)),
    Case("file renamed", "import os\nos.rename('data.csv', 'b.csv')", (("rename", "./data.csv -> ./b.csv"),)),
    Case("file replaced", "import os\nos.replace('data.csv', 'b.csv')", (("rename", "./data.csv -> ./b.csv"),)),
    Case("folder made", "import os\nos.mkdir('d')", (("write", "./d"),)),
    Case("folder removed", "import os\nos.rmdir('e')", (("remove", "./e"),), setup="import os; os.mkdir('e')"),
    Case("link made", "import os\nos.symlink('data.csv', 'link')", (("write", "./link"),), reads=("data.csv",)),
    Case("file read", "with open('data.csv') as f: f.read()", reads=("data.csv",)),
    Case("read by a library", "df = pd.read_csv('data.csv')", reads=("data.csv",), setup="import pandas as pd"),
    Case(
        "read in a function",
        "rows = load()",
        reads=("data.csv",),
        setup="def load():\n    with open('data.csv') as f: return list(f)",
    ),
    Case("named only", "name = 'data.csv'", reads=("data.csv",)),
    Case("read by absolute path", "import os\nopen(os.path.abspath('data.csv')).close()", reads=("data.csv",)),
    Case(
        "own module imported",
        "import helpers",
        reads=("helpers.py",),
        setup="from pathlib import Path\n_ = Path('helpers.py').write_text('x = 1')",
    ),
    Case("file that is not there", "open('nothing.csv')"),
    Case("system file", "open('/etc/hostname').close()"),
    Case("library imported", "import xml.dom.minidom, sqlite3.dump"),
    Case("child process", "import subprocess\n_ = subprocess.run(['true', 'x'])", (("process", "true x"),)),
    Case("shell command", "import os\n_ = os.system('true')", (("process", "true"),)),
    Case("environment", "import os\nos.environ['TM_TEST'] = '1'", (("environment", "TM_TEST"),)),
    Case("environment unset", "import os\nos.unsetenv('TM_TEST')", (("environment", "TM_TEST"),)),
    Case("directory changed", "import os\nos.chdir('e')", (("directory", "./e"),), setup="import os; os.mkdir('e')"),
    Case("search path", "import sys\nsys.path.append('/somewhere')", (("path", "/somewhere"),)),
    Case(
        "database written",
        "db = sqlite3.connect('t.db'); db.execute('create table t (x)'); db.commit(); db.close()",
        (("write", "./t.db"),),
        setup="import sqlite3",
    ),
    Case(
        "database read",
        "db = sqlite3.connect('t.db'); rows = db.execute('select * from t').fetchall(); db.close()",
        reads=("t.db",),
        setup="import sqlite3\ndb = sqlite3.connect('t.db'); db.execute('create table t (x)'); db.commit(); db.close()",
    ),
    Case("database in memory", "db = sqlite3.connect(':memory:'); db.close()", setup="import sqlite3"),
    Case(
        "from a thread",
        "t = threading.Thread(target=lambda: open('new.txt', 'w').close()); t.start(); t.join()",
        (("write", "./new.txt"),),
        setup="import threading",
    ),
    Case(
        "from a pool of an earlier cell",
        "pool.submit(lambda: open('new.txt', 'w').close()).result(); pool.shutdown()",
        (("write", "./new.txt"),),
        setup="from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1); pool.submit(len, []).result();",
    ),
    Case("nothing", "1 + 1;"),
]


@pytest.mark.parametrize("case", EFFECTS, ids=lambda case: case.id)
def test_effects(notebook, case):
    """Each effect is noted with its kind and what it was done to, and files read with what they were."""
    here = str(Path.cwd())
    Path("data.csv").write_text("x,y\n1,2\n")
    os.utime("data.csv", (1e9, 1e9))
    notebook.run(case.setup)
    run = notebook.run(case.cell)
    assert tuple((e.kind, e.detail.replace(here, ".")) for e in run.effects) == case.effects
    assert tuple(Path(file.path).name for file in run.files) == case.reads


def test_what_is_known_of_a_file(notebook):
    """A file that was read is recorded with size, time, digest, and the path as the cell gave it."""
    path = Path("data.csv").absolute()
    path.write_bytes(b"x,y\n1,2\n")
    relative = notebook.run("open('data.csv').close()").files[0]
    absolute = notebook.run(f"open({str(path)!r}).close()").files[0]
    assert (relative.path, relative.size, relative.mtime_ns) == (str(path), 8, path.stat().st_mtime_ns)
    assert relative.digest == absolute.digest == file_digest(path)
    assert (relative.relative, absolute.relative) == ("data.csv", None)


def test_files_that_nobody_heard_of(notebook):
    """A file that the code names and that has just changed was written, by a library in C at that."""
    Path("data.csv").write_text("1")
    os.utime("data.csv", (1e9, 1e9))
    notebook.run("import ctypes; rename = ctypes.CDLL(None).rename; write = ctypes.CDLL(None).creat")
    read = notebook.run("name = 'data.csv'")
    wrote = notebook.run("write(b'data.csv', 0o600); name = 'data.csv'")
    assert ([file.relative for file in read.files], read.effects) == (["data.csv"], ())
    assert (wrote.files, [effect.kind for effect in wrote.effects]) == ((), ["write"])


def test_a_file_that_changes(notebook):
    """Each cell's record tells the file as it was for that cell."""
    Path("data.csv").write_text("1")
    first = notebook.run("open('data.csv').close()").files[0]
    Path("data.csv").write_text("22")
    second = notebook.run("open('data.csv').close()").files[0]
    assert (first.size, second.size) == (1, 2)
    assert first.digest != second.digest


def test_the_network(notebook):
    """Sockets that are connected or bound are the network; those inside the process are not."""
    run = notebook.run(
        "import socket",
        "server = socket.create_server(('127.0.0.1', 0)); port = server.getsockname()[1]\n"
        "client = socket.create_connection(('127.0.0.1', port))\nclient.close(); server.close()",
    )
    assert [effect.kind for effect in run.effects] == ["network", "network"]
    assert "127.0.0.1" in run.effects[0].detail
    inner = notebook.run("a, b = socket.socketpair(); a.close(); b.close()")
    assert inner.effects == ()


def test_a_path_that_cannot_be_told(notebook):
    """Where the listener cannot make sense of an event, the cell goes on, and is marked."""
    run = notebook.run(
        "import os\nclass P:\n    def __fspath__(self):\n        calls.append(1)\n        if len(calls) > 1: raise ValueError('no')\n"
        "        return 'data.csv'\ncalls = []",
        "os.stat(P()) if False else None\nn = 1",
        "try: os.remove(P())\nexcept Exception as e: error = type(e).__name__",
    )
    assert notebook.ns["error"] in {"FileNotFoundError", "ValueError"}
    assert [effect.kind for effect in run.effects] == ["remove"]


def test_nobody_listens_between_cells(notebook):
    """What happens between cells belongs to none."""
    notebook.run("pass")
    Path("between.txt").write_text("a")
    assert notebook.run("pass").effects == ()


def test_python_random_numbers(notebook):
    """A cell that draws is recorded with the state before it, which draws the same again."""
    notebook.run("import random")
    run = notebook.run("drawn = [random.random(), random.gauss(0, 1)]")
    assert [state.generator for state in run.random] == ["random"]
    after = random.getstate()
    random.seed(99)
    generators.restore(run.random)
    assert [random.random(), random.gauss(0, 1)] == notebook.ns["drawn"]
    assert random.getstate() == after
    assert run.unrepeatable == ()


def test_numpy_random_numbers(notebook):
    """So is one that draws from the legacy generator of numpy, second half of a Gaussian pair included."""
    import numpy as np

    notebook.run("import numpy as np; np.random.seed(3); first = np.random.randn()")
    run = notebook.run("drawn = np.random.randn(3), np.random.rand()")
    assert [state.generator for state in run.random] == ["numpy"]
    np.random.seed(4)
    generators.restore(run.random)
    again = np.random.randn(3), np.random.rand()
    assert (again[0] == notebook.ns["drawn"][0]).all()
    assert again[1] == notebook.ns["drawn"][1]


def test_cells_that_draw_nothing(notebook):
    """A cell that leaves the generators alone, or uses its own, has no state recorded."""
    notebook.run("import random, numpy as np")
    assert notebook.run("n = random.Random(1).random()").random == ()
    assert notebook.run("n = np.random.default_rng(1).random()").random == ()


def test_another_bit_generator(notebook):
    """The global generator of numpy over another bit generator has no byte form: such a cell is not repeatable."""
    import numpy as np

    notebook.run("import numpy as np")
    before = np.random.get_bit_generator()
    try:
        notebook.run("np.random.set_bit_generator(np.random.PCG64(1))")
        run = notebook.run("n = np.random.rand()")
        assert run.random == ()
        assert run.unrepeatable == ("the random state of numpy before it",)
    finally:
        np.random.set_bit_generator(before)


def test_states_travel_as_bytes():
    """A state in its byte form brings back the generator, with or without a Gaussian in store."""
    for draws in (0, 1):
        random.seed(5)
        for _ in range(draws):
            random.gauss(0, 1)
        states = generators.now()
        expected = [random.gauss(0, 1), random.random()]
        random.seed(6)
        generators.restore(states)
        assert [random.gauss(0, 1), random.random()] == expected


def test_libraries_that_set_themselves_up(notebook):
    """What a library does while it is imported is its own affair; what a user's script does is not."""
    library = Path("site-packages") / "quirky.py"
    library.parent.mkdir()
    text = "import os\nos.environ['TM_QUIRK'] = '1'\nopen('cache.txt', 'w').close()\n"
    library.write_text(text)
    notebook.session._watch._library += (str(library.parent.absolute()) + os.sep,)
    notebook.run("import sys; sys.path.insert(0, 'site-packages')")
    assert notebook.run("import quirky").effects == ()
    Path("mine.py").write_text(text.replace("QUIRK", "MINE"))
    own = notebook.run("import mine")
    assert [effect.kind for effect in own.effects] == ["environment", "write"]
