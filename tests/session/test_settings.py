"""Settings of libraries and of the process come back as they were, and cells run again under those that they found."""

from __future__ import annotations

import json
import os
import time
import warnings
from contextlib import closing

import pytest

from elastictm.session.circumstances.circumstances import Circumstances
from elastictm.session.circumstances.process import TimeZone
from elastictm.session.circumstances.stdlib import DecimalContext, WarningFilters
from elastictm.testing.places import Console, Kernel

SETTINGS = {
    "pandas": (
        "import pandas\npandas.set_option('display.max_rows', 7)\npandas.options.display.float_format = lambda x: f'<{x:.1f}>'",
        "(pandas.get_option('display.max_rows'), repr(pandas.Series([1.25])))",
    ),
    "numpy": (
        "import numpy\nnumpy.set_printoptions(precision=3, formatter={'bool': lambda b: 'yn'[not b]})\n_ = numpy.seterr(divide='raise', under='warn')",
        "(str(numpy.array([1.23456])), str(numpy.array([True])), numpy.geterr())",
    ),
    "matplotlib": (
        "import matplotlib\nmatplotlib.rcParams['figure.dpi'] = 55\nmatplotlib.rcParams['font.sans-serif'].insert(0, 'Mine')\nfrom cycler import cycler\nmatplotlib.rcParams['axes.prop_cycle'] = cycler(color=['r', 'b'])",
        "(matplotlib.rcParams['figure.dpi'], matplotlib.rcParams['font.sans-serif'][:2], list(matplotlib.rcParams['axes.prop_cycle']))",
    ),
    "scikit-learn": (
        "import sklearn\nsklearn.set_config(display='text', assume_finite=True)",
        "(sklearn.get_config()['display'], sklearn.get_config()['assume_finite'])",
    ),
    "environment variables": (
        "import os\nos.environ['OF_SESSION'] = 'secret'\ndel os.environ['TO_BE_REMOVED']",
        "(os.environ.get('OF_SESSION'), 'TO_BE_REMOVED' in os.environ)",
    ),
    "sys.path": (
        "import sys\nsys.path.insert(0, 'front')\nsys.path.append('back')",
        "(sys.path[0], sys.path[-1])",
    ),
    "warnings": (
        "import warnings\nwarnings.filterwarnings('error', 'of the sess', category=FutureWarning, module='some')\nwarnings.simplefilter('ignore', DeprecationWarning)",
        "[(a, m and m.pattern, c.__name__, p and p.pattern, n) for a, m, c, p, n in warnings.filters[:3] if 'sess' in str(m) or c is DeprecationWarning]",
    ),
    "logging": (
        "import logging\nlogging.getLogger('of.session').setLevel('DEBUG')\nlogging.getLogger('of.session').propagate = False\nlogging.disable(5)",
        "(logging.getLogger('of.session').level, logging.getLogger('of.session').propagate, logging.root.manager.disable)",
    ),
    "time zone": (
        "import os, time\nos.environ['TZ'] = 'Asia/Tokyo'\ntime.tzset()",
        "(time.localtime(0).tm_hour, os.environ.get('TZ'))",
    ),
    "decimal": (
        "import decimal\ndecimal.getcontext().prec = 50\ndecimal.getcontext().traps[decimal.Inexact] = True",
        "(decimal.getcontext().prec, decimal.getcontext().traps[decimal.Inexact])",
    ),
    "locale": (
        "import locale\n_ = locale.setlocale(locale.LC_TIME, 'C.UTF-8')",
        "locale.setlocale(locale.LC_TIME)",
    ),
    "interpreter": (
        "import gc, socket, sys, threading\nsys.setrecursionlimit(5432)\nsys.setswitchinterval(0.25)\nsys.set_int_max_str_digits(5000)\ngc.disable()\ngc.set_threshold(800, 8, 8)\n_ = threading.stack_size(1 << 20)\nsocket.setdefaulttimeout(7.5)",
        "(sys.getrecursionlimit(), sys.getswitchinterval(), sys.get_int_max_str_digits(), gc.isenabled(), gc.get_threshold()[0], threading.stack_size(), socket.getdefaulttimeout())",
    ),
    "IPython": (
        "%load_ext autoreload\n%autoreload 2\n%config InlineBackend.rc = {}\n%config IPCompleter.use_jedi = False\nget_ipython().ast_node_interactivity = 'last_expr_or_assign'",
        "(get_ipython().extension_manager.loaded >= {'IPython.extensions.autoreload'}, get_ipython().Completer.use_jedi, get_ipython().ast_node_interactivity, get_ipython().magics_manager.registry['AutoreloadMagics']._reloader.check_all)",
    ),
}
"""What a cell changes, and what is to be seen of it."""

OF_OTHERS = """\
class Box:
    value = "usual"

class Settings:
    name, module = "boxed", "boxed"
    def look(self):
        return {} if Box.value == "usual" else {"value": Box.value}
    def apply(self, settings):
        Box.value = settings.get("value", "usual")
        return ["only almost"] if Box.value == "odd" else []
    def show(self, key, value):
        return value

class Broken:
    name, module = "broken", ""
    def look(self):
        raise KeyError("look")
    def apply(self, settings):
        raise KeyError("apply")
    def show(self, key, value):
        return ""
"""


def announce(folder):
    """A package with settings of its own, as an installed distribution announces it."""
    folder.mkdir()
    (folder / "boxed.py").write_text(OF_OTHERS)
    info = folder / "boxed-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: boxed\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[elastictm.settings]\nboxed = boxed:Settings\nbroken = boxed:Broken\nabsent = boxed:Absent\n"
    )


@pytest.fixture(scope="module")
def there_and_here(tmp_path_factory):
    """What each setting looks like in the kernel that made it, in a fresh shell, and there after the restore."""
    folder = tmp_path_factory.mktemp("settings")
    home, archive = folder / "home", folder / "s.tm"
    modules = "".join(
        f"import {name}\n"
        for name in ("os", "sys", "time", "logging", "warnings", "decimal", "locale", "gc", "socket", "threading")
    )
    modules += "import pandas, numpy, matplotlib, sklearn\n%load_ext autoreload"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TO_BE_REMOVED", "1")
        patch.setenv("OF_MACHINE", "hidden")
        with closing(Kernel(folder / "there", home)) as there:
            for cell, _ in SETTINGS.values():
                assert there.run(cell).error is None
            made = {name: there.ask(f"repr({shown})") for name, (_, shown) in SETTINGS.items()}
            saved = there.save(archive)
        with closing(Console(folder / "here", home)) as here:
            # What is imported here is not yet as it was there.
            assert here.run(modules).error is None
            fresh = {name: here.ask(f"repr({shown})") for name, (_, shown) in SETTINGS.items()}
            restored = here.restore(archive)
            found = {name: here.ask(f"repr({shown})") for name, (_, shown) in SETTINGS.items()}
            again = here.save(folder / "again.tm")
    return made, fresh, found, saved, restored, again


@pytest.mark.kernel
@pytest.mark.parametrize("name", SETTINGS)
def test_settings_come_back(there_and_here, name):
    """What a cell set in a kernel is set after a restore in a shell where it was not."""
    made, fresh, found, *_ = there_and_here
    assert fresh[name] != made[name]
    assert found[name] == made[name]


@pytest.mark.kernel
def test_settings_are_reported(there_and_here):
    """Save and restore list the same settings, library by library, and a second save still does."""
    *_, saved, restored, again = there_and_here
    listed = [{s["library"]: s["settings"] for s in report["settings"]} for report in (saved, restored, again)]
    assert listed[0].keys() >= SETTINGS.keys()
    assert listed[0]["environment variables"] == {"OF_SESSION": "set", "TO_BE_REMOVED": "removed", "TZ": "set"}
    assert listed[1] == listed[0]
    assert [s["lost"] for s in restored["settings"]] == [[] for _ in restored["settings"]]
    assert {k: v.keys() for k, v in listed[2].items()} == {k: v.keys() for k, v in listed[0].items()}


def test_only_variables_that_the_session_set_travel(there_and_here, tmp_path):
    """No environment variable of the machine is in what is stored."""
    saved = there_and_here[3]
    stored = next(s for s in saved["settings"] if s["library"] == "environment variables")
    assert "OF_MACHINE" not in json.dumps(stored)
    assert "secret" not in json.dumps(saved)


def test_cells_run_again_under_the_settings_that_they_found(notebook, tmp_path):
    """A cell that is run again prints numbers as it did, whatever was set before, later and here."""
    notebook.run(
        "import numpy as np",
        "np.set_printoptions(precision=2)",
        "g = (t for t in [str(np.array([1.23456]))])",
        "np.set_printoptions(precision=4)",
    )
    notebook.session.save(tmp_path / "a.tm", _options())
    notebook.run("np.set_printoptions(precision=6)")
    report = notebook.session.restore(tmp_path / "a.tm")
    assert report.cells_rerun == (4,)
    assert next(notebook.ns["g"]) == "[1.23]"
    assert str(notebook.ns["np"].array([1.23456])) == "[1.2346]"
    notebook.run("np.set_printoptions(precision=8)")


def test_a_restore_that_fails_leaves_settings_as_they_are(notebook, tmp_path, monkeypatch):
    """Where a restore stops half way, what it had set is set back."""
    notebook.run("import numpy as np", "np.set_printoptions(precision=2)")
    notebook.session.save(tmp_path / "a.tm", _options())
    notebook.run("np.set_printoptions(precision=5)")

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(notebook.session.host, "resume", stop)
    with pytest.raises(KeyboardInterrupt):
        notebook.session.restore(tmp_path / "a.tm")
    assert notebook.ns["np"].get_printoptions()["precision"] == 5
    notebook.run("np.set_printoptions(precision=8)")


def test_what_was_set_outside_of_cells_is_saved(notebook, tmp_path):
    """Settings are looked at when a session is saved, whoever changed them."""
    notebook.run("import numpy as np")
    notebook.ns["np"].set_printoptions(precision=3)
    report = notebook.session.save(tmp_path / "a.tm", _options())
    assert {s.library: dict(s.settings) for s in report.settings}["numpy"] == {"print.precision": "3"}
    notebook.ns["np"].set_printoptions(precision=8)


def test_a_setting_that_cannot_be_stored_is_lost_alone(notebook, tmp_path):
    """What refuses is named with its reason, and the other settings of its library are kept."""
    notebook.run("import numpy as np", "lock = (i for i in 'ab')\nnp.set_printoptions(precision=3)")
    notebook.run("class Call:\n    def write(self, text): pass\ncall = Call()\ncall.g = lock\n_ = np.seterrcall(call)")
    report = notebook.session.save(tmp_path / "a.tm", _options())
    found = next(s for s in report.settings if s.library == "numpy")
    notebook.run("_ = np.seterrcall(None)\nnp.set_printoptions(precision=8)")
    assert dict(found.settings) == {"print.precision": "3"}
    assert [("error.call" in line, "generator" in line) for line in found.lost] == [(True, True)]
    assert str(report).index(found.lost[0]) < str(report).index("variable ")


def test_what_is_not_brought_about_is_told(notebook, tmp_path, monkeypatch):
    """A setting that is another one after a restore is a loss; an entry of sys.path that leads nowhere is a remark."""
    notebook.run("import sys, decimal", "decimal.getcontext().prec = 7\nsys.path.append('/no/such/folder')")
    notebook.session.save(tmp_path / "a.tm", _options())

    notebook.run("decimal.getcontext().prec = 9")
    monkeypatch.setattr(DecimalContext, "apply", lambda *_: ())
    report = notebook.session.restore(tmp_path / "a.tm")
    notebook.run("decimal.getcontext().prec = 28\nsys.path.remove('/no/such/folder')")
    assert [line for s in report.settings for line in s.lost] == ["settings of decimal: prec is not what it was"]
    assert [n for s in report.settings for n in s.notes] == ["/no/such/folder was added to sys.path, and is not here"]


def test_packages_announce_settings_of_their_own(tmp_path):
    """What an entry point announces is followed like the rest; what is broken of it is told and does no harm."""
    announce(tmp_path / "lib")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path / "lib"))
        with closing(Console(tmp_path / "there", tmp_path / "home")) as there:
            assert there.run("import boxed\nboxed.Box.value = 'odd'").error is None
            there.save(tmp_path / "a.tm")
            failures = there.ask("__import__('elastictm').api.current_session().circumstances.failures")
        with closing(Console(tmp_path / "here", tmp_path / "home")) as here:
            report = here.restore(tmp_path / "a.tm")
            assert here.ask("boxed.Box.value") == "odd"
    assert ["absent" in text or "broken" in text for text in failures] == [True, True]
    found = next(s for s in report["settings"] if s["library"] == "boxed")
    assert (found["settings"], found["lost"]) == ({"value": "odd"}, ["settings of boxed: only almost"])


@pytest.mark.parametrize("name", [name for name in SETTINGS if name not in {"IPython", "environment variables"}])
def test_there_and_back(notebook, name, monkeypatch):
    """To apply no settings gives what a fresh process has, and to apply what was seen gives that again."""
    circumstances: Circumstances = notebook.session.circumstances
    first = circumstances.now()
    notebook.run(SETTINGS[name][0])
    seen, shown = circumstances.now(), eval(SETTINGS[name][1], notebook.ns)
    assert circumstances.now().keys() - first.keys() >= {name}
    assert not any(circumstances.apply({}).values())
    assert name not in circumstances.now()
    circumstances.apply(seen)
    assert eval(SETTINGS[name][1], notebook.ns) == shown
    circumstances.apply(first)


OLD = [("default", DeprecationWarning), ("ignore", DeprecationWarning), ("ignore", ImportWarning)]
OTHER = [("ignore", FutureWarning), ("ignore", DeprecationWarning)]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("simplefilter('ignore', DeprecationWarning)", [OLD[1], OTHER[0]]),
        ("simplefilter('error', UserWarning)", [("error", UserWarning), *OTHER]),
        ("simplefilter('ignore', UserWarning, append=True)", [*OTHER, ("ignore", UserWarning)]),
        ("simplefilter('ignore', ImportWarning); warnings.simplefilter('error')", [("error", Warning), OLD[2], *OTHER]),
        ("resetwarnings(); warnings.simplefilter('ignore', ImportWarning)", [OLD[2]]),
    ],
)
def test_filters_of_warnings_come_back_in_another_shell(code, expected):
    """What the session set is in front or behind in its order, also what its own shell had already, and stays told."""
    with warnings.catch_warnings():
        there, seen = _filters(OLD), {}
        exec(f"import warnings; warnings.{code}")
        seen = there.look()
        here = _filters(OTHER)
        here.apply(seen)
        assert [(action, category) for action, _, category, _, _ in warnings.filters] == expected
        assert here.look() == seen
        warnings.simplefilter("error", BytesWarning)
        again = _filters([])
        assert again.look() == {}
        here.apply({})
        assert [(action, category) for action, _, category, _, _ in warnings.filters] == OTHER


def _filters(entries):
    """The filters of a shell that has these of its own."""
    warnings.resetwarnings()
    warnings.filters[:] = [(action, None, category, None, 0) for action, category in entries]
    return WarningFilters()


def test_a_time_zone_counts_once_it_is_looked_at(monkeypatch):
    """A zone that was only written down is no setting, and one that counts is set however it is called."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        zone = TimeZone()
        monkeypatch.setenv("TZ", "Asia/Tokyo")
        assert zone.look() == {}
        time.tzset()
        assert zone.look() == {"TZ": "Asia/Tokyo"}
        zone.apply({"TZ": "America/Toronto"})
        assert zone.look() == {"TZ": "America/Toronto"}
        assert (time.localtime(0).tm_hour, os.environ["TZ"]) == (19, "Asia/Tokyo")
        zone.apply({})
        assert zone.look() == {}
        monkeypatch.setenv("TZ", "America/Toronto")
        time.tzset()
        assert zone.look() == {"TZ": "America/Toronto"}
    finally:
        monkeypatch.undo()
        time.tzset()


def test_filters_of_loggers_come_back_as_the_same_objects(tmp_path):
    """A logger and its handler keep back what they kept back, by the objects that variables hold; a loss is told."""
    cells = [
        "import logging, io",
        "class Every:\n    n = 0\n    def filter(self, record):\n        self.n += 1\n        return self.n % 2",
        "every, log, text = Every(), logging.getLogger('app'), io.StringIO()",
        "log.addFilter(every)\nlogging.root.addFilter(lambda record: 'x' in record.msg)",
        "handler = logging.StreamHandler(text)\nhandler.addFilter(lambda record: 'no' not in record.msg)\nlog.addHandler(handler)",
        "log.warning('one')\nlog.warning('two')",
        "lost = logging.getLogger('lost')\nlost.addFilter(type('F', (), {'g': (c for c in 'ab'), 'filter': None})())  # tm: not-repeatable",
    ]
    shown = "(log.filters == [every], every.n, text.getvalue(), len(logging.root.filters), len(lost.filters))"
    with closing(Console(tmp_path / "there", tmp_path / "home")) as there:
        for cell in cells:
            assert there.run(cell).error is None
        assert there.ask(shown) == [True, 2, "one\n", 1, 1]
        saved = there.save(tmp_path / "a.tm")
    with closing(Console(tmp_path / "here", tmp_path / "home")) as here:
        here.restore(tmp_path / "a.tm")
        assert here.ask(shown) == [True, 2, "one\n", 1, 0]
        assert here.run("log.warning('no')\nlog.warning('four')\nlog.warning('five')").error is None
        assert here.ask("text.getvalue()") == "one\nfive\n"
    lost = [v["name"] for v in saved["outputs"] if v["outcome"] == "lost"]
    assert lost == ["logging filters: lost"]


def test_open_figures_and_handlers_come_back_as_the_same_objects(tmp_path):
    """pyplot has its figures under their numbers, the current one too, and loggers write where variables say."""
    cells = [
        "import matplotlib.pyplot as plt, logging, io",
        "fig, ax = plt.subplots(num=7)",
        "plt.figure(3)\n_ = plt.plot([1, 2, 3])",
        "_ = plt.figure(7)",
        "buffer = io.StringIO()\nhandler = logging.StreamHandler(buffer)\nlogging.getLogger('app').addHandler(handler)",
        "logging.getLogger('app').warning('one')",
        "plt.title('late')\nNone",
    ]
    shown = "(plt.get_fignums(), plt.gcf() is fig, ax.get_title(), len(plt.figure(3).axes[0].lines), plt.figure(7).number, logging.getLogger('app').handlers == [handler], handler.stream is buffer, buffer.getvalue())"
    with closing(Console(tmp_path / "there", tmp_path / "home")) as there:
        for cell in cells:
            assert there.run(cell).error is None
        expected = there.ask(f"list({shown})")
        there.save(tmp_path / "a.tm", policy="store-all")
        there.save(tmp_path / "b.tm", policy="rerun-all")
    assert expected[:3] == [[3, 7], True, "late"]
    assert expected[-1] == "one\n"
    for archive in ("a.tm", "b.tm"):
        with closing(Console(tmp_path / "here", tmp_path / "home")) as here:
            report = here.restore(tmp_path / archive)
            assert here.ask(f"list({shown})") == expected, report
            assert {v["reason"] for v in report["variables"]} == {""}


def _options():
    from elastictm.session.saving import SaveOptions

    return SaveOptions(bandwidth=1e9)
