"""The process of a rehearsal: a plain shell that restores an archive and tells what came of it.

It is given a folder with an order and leaves its answer there; see `session.rehearsal` for the one that asks.
"""

from __future__ import annotations

import json
from pathlib import Path

from elastictm.errors import ElasticTMError
from elastictm.extension import current_session, find, load
from elastictm.session.ipython.shells import fresh_shell
from elastictm.session.rehearsal import ANSWER, ORDER, tell


def main(folder: str) -> None:
    """Carry out an order."""
    order = json.loads(Path(folder, ORDER).read_text(encoding="utf-8"))
    shell = fresh_shell()
    load(shell)
    if (recorded := find(shell)) is not None:
        # What is kept in a rehearsal goes with it.
        recorded.store = str(Path(folder, "past"))
    try:
        answer = tell(current_session(), order["archive"])
    except ElasticTMError as error:
        answer = {"failure": str(error)}
    Path(folder, ANSWER).write_text(json.dumps(answer), encoding="utf-8")
