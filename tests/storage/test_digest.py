"""Digests of bytes and files."""

from __future__ import annotations

import pytest
from blake3 import blake3

from elastictm.storage.digest import digest_of, file_digest


def test_digest_is_blake3():
    """The digest of nothing is the one that BLAKE3's authors publish."""
    assert digest_of(b"").hex() == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"


@pytest.mark.parametrize("size", [0, 1, 4 * 2**20, 4 * 2**20 + 1, 9 * 2**20])
def test_file_digest_is_that_of_its_bytes(tmp_path, size):
    """A file's digest is that of its content, also where it is read in several blocks."""
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    (tmp_path / "a").write_bytes(content)
    assert file_digest(tmp_path / "a") == blake3(content).hexdigest() == digest_of(content).hex()


def test_missing_file_is_an_os_error(tmp_path):
    """A file that cannot be read is told by the system's own error."""
    with pytest.raises(FileNotFoundError):
        file_digest(tmp_path / "a")
