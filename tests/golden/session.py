"""The session that every golden archive and store holds, and what must be true of it after a restore.

Run as a program, it writes those of the present format: ``python tests/golden/session.py tests/golden/format-1.tm``,
and with a folder ``python tests/golden/session.py tests/golden/past-1``.
Those of older formats are never made again: they are kept for ever, and must restore for ever.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

CELLS = (
    "import collections, functools\nimport numpy as np\nlimit = 10",
    "grid = np.arange(12.0).reshape(3, 4)\ninner = grid[1:, 1:]\nnames = ['a', 'b']\nbook = {'names': names, 'n': 3}",
    "class Account:\n    opened = 0\n    def __init__(self, owner):\n        self.owner = owner\n        self.balance = 0\n"
    "    def pay(self, amount):\n        self.balance += min(amount, limit)\n        return self.balance\n"
    "class Savings(Account):\n    def pay(self, amount):\n        return super().pay(amount) + 1",
    "def counter():\n    count = 0\n    def more():\n        nonlocal count\n        count += 1\n        return count\n"
    "    return more, lambda: count\nmore, seen = counter()\nmore()",
    "account = Savings('Ada')\naccounts = [account, Account('Bob')]\naccount.pay(25)",
    "@functools.wraps(seen)\ndef shown():\n    return f'{seen()} of {limit}'\nnumbers = (n * n for n in range(5))\nnext(numbers)",
    "1 / 0",
    "Point = collections.namedtuple('Point', 'x y')\nwhere = Point(1, 2)\nbook['n'] += 1\nwhere",
)

CHECKS = (
    "grid.sum() == 66",
    "inner.base is grid or np.shares_memory(inner, grid)",
    "book['names'] is names and names == ['a', 'b'] and book['n'] == 4",
    "isinstance(account, Savings) and isinstance(accounts[1], Account) and accounts[0] is account",
    "account.balance == 10 and account.pay(1) == 12",
    "more() == 2 and seen() == 2",
    "shown() == '2 of 10' and shown.__wrapped__ is seen",
    "next(numbers) == 1",
    "where == Point(1, 2) and type(where) is Point",
    "Out[8] == where and len(In) >= 9",
)


GOING_ON = (
    "%past tag whole",
    "import helper, os\nlarge = np.zeros(200_000)\nlarge[5] = len(os.urandom(1))",
    "large[7] = 2\nnames.append('c')",
    "%past undo",
    "other = helper.twice(names)",
    "del book",
    "%past tag forgotten",
    "account = None",
    "%past untag forgotten",
    "%past whole",
)
"""What a store holds besides: branches, tags, an own module, packs that were merged, and a place that is no end."""

HELPER = "def twice(it):\n    return it + it\n"

PAST_CHECKS = {
    "10": ("large[5] == 1 and large.sum() == 1 and names == ['a', 'b']", "helper.twice(2) == 4"),
    "11": ("large[5] == 1 and large[7] == 2 and names == ['a', 'b', 'c'] and book['names'] is names",),
    "13": ("other == ['a', 'b', 'a', 'b'] and large.sum() == 1",),
    "14": ("'book' not in globals() and account.balance == 10",),
    "whole": (*CHECKS, "'large' not in globals() and 'helper' not in globals()"),
}
"""What must be true in states of a store; it was left in the last of these."""


def run(*cells: str, store: str = "") -> None:
    """Run cells under recording."""
    from IPython.core.history import HistoryManager
    from IPython.core.interactiveshell import InteractiveShell

    HistoryManager.enabled = False
    shell = InteractiveShell.instance()
    shell.config.ElasticTM.store = store or shell.config.ElasticTM.store
    shell.run_cell("%load_ext elastictm", store_history=False)
    for cell in cells:
        shell.run_cell(cell, store_history=True)


def make(path: str) -> None:
    """Save the session as an archive."""
    run(*CELLS)
    import elastictm

    elastictm.save(path)


def make_past(path: str) -> None:
    """Keep the states of the session in a store, in files of one folder."""
    target = Path(path).absolute()
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        sys.path.insert(0, place)
        Path("helper.py").write_text(HELPER)
        run(*CELLS, store=f"{place}/stores")
        from IPython.core.interactiveshell import InteractiveShell

        from elastictm.extension import find

        past = find(InteractiveShell.instance()).session.past
        past.keeper.flush()
        past._store.merge([number for number, _ in past._store.packs()][2:7], lambda kept: True)
        run(*GOING_ON)
        past.keeper.flush()
        shutil.copytree(past._store.folder, target, ignore=shutil.ignore_patterns("lock"))
        os.chdir(target)
    about = json.loads((target / "session.json").read_bytes())
    about.update(id=target.name, directory="/home/ada", host="host", pid=1)
    (target / "session.json").write_text(json.dumps(about))


if __name__ == "__main__":
    (make if sys.argv[1].endswith(".tm") else make_past)(sys.argv[1])
