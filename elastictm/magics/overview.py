"""``%elastictm``."""

from __future__ import annotations

from IPython.core.magic import line_magic, magics_class
from IPython.display import display

from elastictm.errors import UsageError
from elastictm.magics.words import SessionMagics, errors_shown

OVERVIEW = """\
%elastictm                      how recording stands: cells, states, bytes, what an earlier session left

Take a session elsewhere:
%migrate save work.tm           everything in one file; what cannot come back is named, with the reason
%migrate plan                   before that: what would be stored, what re-run, and why
%migrate restore work.tm        bring it into this session
$ elastictm restore work.tm     or into a new one, on any machine; elastictm inspect work.tm only looks

Go back, also after a crash or a restart:
%past                           the states of this session, one for each cell that changed something
%past undo                      before the last cell; %past redo, %past 12 and %past TAG go anywhere else
%past vars 12 df                a value of another state, without going there
%past diff 12 20                what differs between two
%past tag clean                 give the state here a name
%past recover                   go on where the latest session of this notebook or folder ended

Run a cell aside, on copies, while you go on:
%%future fit                    as the first line of a cell; %future lists, %future out fit shows what it put out
%future take fit model          bring in what it made

Look:
%graph                          which cell made what from what; %graph df only what df comes from and leads to
%config ElasticTM               the settings, such as ElasticTM.budget = "2GB"

From Python:
import elastictm as tm          tm.save("work.tm"), tm.plan(), tm.past("undo"), tm.vars(12)["df"], tm.history()

In a shell:
$ elastictm enable              record every session from now on; elastictm disable takes it back
$ elastictm run a.ipynb         run a notebook recorded, save it, go on at the cell that failed

%migrate?, %past?, %future? and %graph? show all of their words; %unload_ext elastictm stops and leaves no trace.
"""


@magics_class
class OverviewMagics(SessionMagics):
    """``%elastictm``, for one session."""

    @line_magic  # type: ignore[untyped-decorator]
    def elastictm(self, line: str) -> None:
        """Tell how recording stands; see ``OVERVIEW``."""
        with errors_shown():
            if line.strip():
                raise UsageError(f"%elastictm takes nothing, not {line.strip()!r}; %elastictm? shows all words")
            with self._session.aside():
                standing = self._session.standing()
            display(standing)

    elastictm.__doc__ = OVERVIEW
