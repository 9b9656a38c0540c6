"""A store against a dict: whatever is written, merged, failed and taken over, each state is what it was."""

from __future__ import annotations

import contextlib
import errno
import functools
import random
import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from elastictm.errors import DestinationError
from elastictm.storage.store import Store
from elastictm.testing.faults import FaultyFiles
from elastictm.testing.stores import add_state, create, read_folder, read_states

SIZES = st.sampled_from([0, 5, 3000, 8191, 8192, 70_000, 300_000, 2**20, 2**20 * 5 + 3])


@functools.cache
def noise(seed, size):
    """Bytes that cannot be compressed."""
    return random.Random(seed).randbytes(size)


class StoreAgainstDict(RuleBasedStateMachine):
    """Writes, merges, faults, takeovers and reads, compared with a dict of what every state holds."""

    @initialize()
    def start(self):
        """Begin with an empty store."""
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name) / "s"
        self.files = FaultyFiles(error=errno.ENOSPC)
        self.store = create(self.folder, self.files)
        self.expected = {}
        self.n = 0
        self.reader = None

    def fail_at(self, fault):
        """Let an operation after this many fail, or none."""
        self.files.calls.clear()
        self.files.fail_at = fault

    @rule(
        sizes=st.lists(SIZES, max_size=3),
        seed=st.integers(0, 2),
        change=st.integers(0, 9),
        flowing=st.booleans(),
        fault=st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5, 6]),
    )
    def write(self, sizes, seed, change, flowing, fault):
        """Write a state; few different contents, with a byte changed, so that much is shared."""
        contents = {}
        for i, size in enumerate(sizes):
            data = bytearray(noise(seed, size))
            if size:
                data[change * size // 10] ^= 1 + change
            contents[f"x{i}"] = bytes(data)
        self.fail_at(fault)
        with contextlib.suppress(DestinationError):
            add_state(self.store, self.n, contents, flowing=flowing)
            self.expected[self.n] = {"run": b'{"n": %d}' % self.n, **contents}
        self.n += 1

    @rule(data=st.data(), drop=st.booleans(), fault=st.sampled_from([0, 0, 0, 1, 2, 4, 6]))
    def merge(self, data, drop, fault):
        """Merge some neighbours, perhaps without what some states hold."""
        numbers = [number for number, _ in self.store.packs()]
        if not numbers:
            return
        first = data.draw(st.integers(0, len(numbers) - 1))
        last = data.draw(st.integers(first, len(numbers) - 1))
        dropped = set()

        def wanted(kept):
            if drop and kept.at % 3 == 0:
                dropped.add((kept.at, kept.unit.names[0]))
                return False
            return True

        self.fail_at(fault)
        with contextlib.suppress(DestinationError):
            self.store.merge(numbers[first : last + 1], wanted)
            for n, name in dropped:
                self.expected[n].pop(name, None)
            dropped.clear()
        self.fail_at(0)
        for n, name in dropped - {(n, name) for n, state in read_states(self.store).items() for name in state}:
            self.expected[n].pop(name)  # the merge was done when it failed

    @rule()
    def take_over(self):
        """Another owner goes on."""
        self.store.close()
        self.fail_at(0)
        self.store = Store.take_over(self.folder, files=self.files)

    @rule()
    def list_packs(self):
        """A reader lists all packs."""
        if self.reader is not None:
            self.reader.close()
        self.reader = Store.open(self.folder).reader()
        self.listed = [(number, kept) for number, pack in self.reader.packs() for kept in pack.kept]

    @rule()
    def read_what_was_listed(self):
        """What a reader listed earlier it reads now, if it was not dropped since."""
        for number, kept in self.listed if self.reader is not None else ():
            content = self.expected[kept.at].get(kept.unit.names[0])
            if content is not None:
                assert self.reader.read(number, kept.unit.stream) == content

    @invariant()
    def every_state_is_there(self):
        """At any time a new reader finds all states that were committed."""
        if hasattr(self, "folder"):
            assert read_folder(self.folder) == self.expected

    def teardown(self):
        """Leave nothing behind."""
        if hasattr(self, "folder"):
            if self.reader is not None:
                self.reader.close()
            self.store.close()
            self.temporary.cleanup()


StoreAgainstDict.TestCase.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
test_store_against_dict = StoreAgainstDict.TestCase
