"""Comments by which the user says whether a cell may run again."""

from __future__ import annotations

import pytest

from elastictm.model.marks import mark_of


@pytest.mark.parametrize(
    ("cell", "mark"),
    [
        ("# tm: repeatable\nx = 1", "repeatable"),
        ("x = 1\n  #tm:repeatable\ny = 2", "repeatable"),
        ("x = 1  # tm: repeatable", "repeatable"),
        ("def f():\n    # tm: not-repeatable\n    pass", "not-repeatable"),
        ("# tm: repeatable, it overwrites", "repeatable"),
        ("# tm: repeatable\n# tm: not-repeatable", "not-repeatable"),
        ("x = '# tm: repeatable'", None),
        ('"""\n# tm: repeatable\n"""', None),
        ("s = '''\n%%bash\n# tm: repeatable'''", None),
        ("# tm: repeatable-ish", None),
        ("# tm: repeatablex", None),
        ("# see tm: repeatable", None),
        ("tm: repeatable", None),
        ("%%time\n# tm: repeatable\nx = 1", "repeatable"),
        ("%%time\nx = '# tm: repeatable'", None),
        ("%%capture out\n%%time\n# tm: repeatable\nx = 1", "repeatable"),
        ("%%bash\n# tm: not-repeatable\necho it's", "not-repeatable"),
        ("%%bash\necho '# tm: repeatable'", None),
        ("!echo it's\n# tm: repeatable\nx = 1", "repeatable"),
        ("!ls $x `date`\n# tm: repeatable", "repeatable"),
        ("%timeit f('\n# tm: repeatable", "repeatable"),
        ("", None),
        ("%%\n# tm: repeatable", "repeatable"),
    ],
)
def test_only_comments_count(cell, mark):
    """The mark is a comment of that form, in cells with magics too; strings that hold such a text are none."""
    assert mark_of(cell) == mark
