"""The session that every golden archive holds, and what must be true of it after a restore.

Run as a program, it writes the archive of the present format: ``python tests/golden/session.py tests/golden/format-1.tm``.
Archives of older formats are never made again: they are kept for ever, and must restore for ever.
"""

from __future__ import annotations

import sys

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


def make(path: str) -> None:
    """Run the session under recording and save it."""
    from IPython.core.history import HistoryManager
    from IPython.core.interactiveshell import InteractiveShell

    HistoryManager.enabled = False
    shell = InteractiveShell.instance()
    shell.run_cell("%load_ext elastictm", store_history=False)
    for cell in CELLS:
        shell.run_cell(cell, store_history=True)
    import elastictm

    elastictm.save(path)


if __name__ == "__main__":
    make(sys.argv[1])
