"""What runs inside a kernel on behalf of the command line; answers go back as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from elastictm.errors import ElasticTMError
from elastictm.extension import current_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from elastictm.model.reports import RestoreReport, SaveReport
    from elastictm.session.session import Session


class Answer:
    """A value whose form for front ends is JSON."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:  # noqa: ARG002 - IPython's protocol
        return {"application/json": self.content}


def save(path: str, *, force: bool) -> Answer:
    """Save this kernel's session."""
    from elastictm.session.options import SaveOptions  # noqa: PLC0415 - restoring does without

    return _answer(lambda session: session.save(path, SaveOptions(alpha=session.settings().alpha), force=force))


def restore(path: str, *, allow_effects: bool = False, any_version: bool = False) -> Answer:
    """Restore into this kernel; that the archive may run code was settled before."""
    return _answer(
        lambda session: session.restore(path, trust=True, allow_effects=allow_effects, any_version=any_version)
    )


def _answer(action: Callable[[Session], SaveReport | RestoreReport]) -> Answer:
    try:
        report = action(current_session())
    except ElasticTMError as error:
        return Answer({"error": type(error).__name__, "message": str(error)})
    return Answer({"report": report.to_json(), "text": str(report)})
