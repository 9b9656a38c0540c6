"""The history's JSON form, with a schema number; what it holds is checked before it is believed."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from elastictm.model.history import History, HistoryView
from elastictm.model.records import CellRun, Lapse, Remark

SCHEMA = 1
"""Raised whenever a reader of the older form would misunderstand the newer."""


@dataclass(frozen=True, slots=True)
class _Document:
    schema: int
    runs: list[CellRun]
    lapses: list[Lapse] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


def encode_history(history: HistoryView) -> bytes:
    """The history as UTF-8 JSON."""
    document = _Document(SCHEMA, list(history.runs), list(history.lapses), list(history.remarks))
    return msgspec.json.encode(document)


def decode_history(data: bytes | memoryview) -> History:
    """The history in UTF-8 JSON.

    Raises:
        ValueError: the text is no history of a schema that this program knows.
    """
    try:
        document = msgspec.json.decode(data, type=_Document)
    except msgspec.MsgspecError as error:
        raise ValueError(f"the history cannot be read: {error}") from error
    if document.schema != SCHEMA:
        raise ValueError(f"the history has schema {document.schema}, this program knows {SCHEMA}")
    history = History()
    lapses = sorted(document.lapses, key=lambda lapse: lapse.n)
    try:
        for run in document.runs:
            while lapses and lapses[0].n < run.n:
                history.lapse(lapses.pop(0).names)
            history.append(run)
        for lapse in lapses:
            history.lapse(lapse.names)
        for remark in document.remarks:
            history.remark(remark)
    except KeyError as error:
        raise ValueError(f"the history remarks on cell run {error}, which it does not hold") from error
    return history
