"""An archive against a dict: whatever is put is read, in any order, after any number of archives."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from elastictm.storage.chunks import CHUNK, GATHERED, SMALL
from elastictm.storage.manifest import Blob, Environment, Manifest, Unit
from elastictm.storage.reader import ArchiveReader
from elastictm.storage.writer import ArchiveWriter

SIZES = st.one_of(st.integers(0, 300), st.sampled_from([SMALL - 1, SMALL, GATHERED, GATHERED + 5, CHUNK + 100]))


class ArchiveAgainstDict(RuleBasedStateMachine):
    """Puts, commits, abandons and reads, compared with a dict of what was put."""

    @initialize(bandwidth=st.sampled_from([math.inf, 1e8, 1e6]))
    def start(self, bandwidth):
        """Begin a first archive."""
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "work.tm"
        self.bandwidth = bandwidth
        self.committed = {}
        self.begin()

    def begin(self):
        """Begin another archive under the same name."""
        self.writer = ArchiveWriter(self.path, force=True, bandwidth=self.bandwidth)
        self.writer.__enter__()
        self.pending = {}
        self.blobs = {}

    @rule(size=SIZES, value=st.integers(0, 3), stride=st.sampled_from([0, 1, 7]))
    def put(self, size, value, stride):
        """Put a content; few values, so that equal ones come often."""
        pattern = bytes((value + stride * i) % 256 for i in range(256))
        content = bytearray((pattern * (size // 256 + 1))[:size])
        key = f"v{len(self.pending)}"
        self.pending[key] = bytes(content)
        self.blobs[key] = self.writer.put(content)
        content[:] = bytes(size)

    @rule()
    def commit(self):
        """Finish the archive: its content is now what the name holds."""
        units = tuple(Unit(blob, names=(key,)) for key, blob in self.blobs.items())
        environment = Environment("", "", "", "", {}, "")
        size = self.writer.commit(Manifest(0.0, environment, Blob((), 0, 0), 0, (), units, ()))
        self.writer.__exit__(None, None, None)
        assert size == self.path.stat().st_size
        self.committed = self.pending
        self.begin()

    @rule()
    def abandon(self):
        """Leave without commit: the name holds what it held."""
        self.writer.__exit__(None, None, None)
        self.begin()

    @rule(data=st.data())
    def read_and_write_to_memory(self, data):
        """Read one content and overwrite the memory: later reads are not touched."""
        if not self.committed:
            return
        key = data.draw(st.sampled_from(sorted(self.committed)))
        with ArchiveReader(self.path) as reader:
            (blob,) = (unit.stream for unit in reader.manifest.units if unit.names == (key,))
            memory = reader.read(blob)
            assert memory == self.committed[key]
            memory[:] = bytes(len(memory))

    @rule()
    def verify(self):
        """What was committed verifies."""
        if self.path.exists():
            with ArchiveReader(self.path) as reader:
                reader.verify()

    @invariant()
    def name_holds_what_was_committed(self):
        """At any time the name holds the last committed contents, in order."""
        if not hasattr(self, "path") or not self.path.exists():
            return
        with ArchiveReader(self.path) as reader:
            found = {unit.names[0]: bytes(reader.read(unit.stream)) for unit in reader.manifest.units}
        assert list(found.items()) == list(self.committed.items())

    def teardown(self):
        """Leave no file behind, and no temporary one beside the archive."""
        if hasattr(self, "folder"):
            self.writer.__exit__(None, None, None)
            assert {path.name for path in Path(self.folder.name).iterdir()} <= {"work.tm"}
            self.folder.cleanup()


ArchiveAgainstDict.TestCase.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
test_archive_against_dict = ArchiveAgainstDict.TestCase
