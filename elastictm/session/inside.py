"""What the code inside values mentions: the names of the namespace that it uses."""

from __future__ import annotations

import weakref
from itertools import chain
from typing import TYPE_CHECKING, Any

from elastictm.model.names import names_of_code
from elastictm.model.set_order import order_of_function
from elastictm.session.tracked import Mentions

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence
    from types import CodeType

    from elastictm.ids import DefinitionKey
    from elastictm.values.freeze import Frozen, Surroundings
    from elastictm.values.survey import Survey, Surveyor


class Insides:
    """Finds the code inside values and analyses each piece of it once."""

    def __init__(self, surveyor: Surveyor, around: Surroundings) -> None:
        self._surveyor = surveyor
        self._definitions = around.definitions
        self._sources = around.sources
        self._known: weakref.WeakKeyDictionary[CodeType, Mentions] = weakref.WeakKeyDictionary()

    def mentions(
        self, values: Sequence[Any], named: Container[int], out_of_time: Callable[[], bool] = lambda: False
    ) -> Mentions:
        """What all code inside some values mentions; ``named`` are the addresses of definitions that are variables.

        Raises:
            OutOfTime: ``out_of_time`` said so.
        """
        return self.surveyed([self._surveyor.survey(values, out_of_time=out_of_time)], named)

    def surveyed(self, surveys: Iterable[Survey], named: Container[int]) -> Mentions:
        """What the code that surveys found mentions."""
        definitions = {id(found): found for survey in surveys for found in survey.definitions}
        code = dict.fromkeys(chain.from_iterable(survey.code for survey in surveys))
        keys = tuple(self._definitions.key(found) for key, found in definitions.items() if key in named)
        return self._union(code, keys)

    def frozen(self, part: Frozen) -> Mentions:
        """What the code that a pass came upon mentions, for want of a survey."""
        definitions = [found for key in part.definitions if (found := self._definitions.get(key)) is not None]
        code = (*part.code, *self._surveyor.survey(definitions).code)
        return self._union(code, part.definitions)

    def _union(self, code: Iterable[CodeType], keys: tuple[DefinitionKey, ...]) -> Mentions:
        parts = [self._mentioned(body) for body in code]
        if not parts and not keys:
            return Mentions()
        return Mentions(
            frozenset().union(*(part.names for part in parts)),
            tuple(dict.fromkeys(reason for part in parts for reason in part.opaque)),
            tuple(dict.fromkeys(reason for part in parts for reason in part.unrepeatable)),
            keys,
            frozenset().union(*(part.ordered for part in parts)),
        )

    def _mentioned(self, body: CodeType) -> Mentions:
        known = self._known.get(body)
        if known is None:
            found = names_of_code(body)
            order = order_of_function(self._sources.text(body.co_filename) or "", body.co_name, body.co_firstlineno)
            reasons = (*found.unrepeatable, *order.reasons)
            names = found.loads | found.stores | found.deletes
            known = Mentions(names, found.opaque, reasons, ordered=order.names)
            self._known[body] = known
        return known
