"""Whether compressing pays, and zstd with bounded memory on the way back."""

from __future__ import annotations

from typing import Literal

import zstandard

Codec = Literal["raw", "zstd"]
"""How a chunk's bytes are stored."""

LEVEL = 1
"""Level of zstd: higher ones cost several times the seconds for a few per cent of bytes."""

COMPRESS_SPEED = 350e6
"""Bytes per second that zstd level 1 compresses on one core where data compresses at all (measured, low end)."""

DECOMPRESS_SPEED = 800e6
"""Bytes per second that zstd gives back on one core (measured, low end)."""

_SAMPLES = 8
_SAMPLE_SIZE = 32 * 1024


def pays(size: int, compressed: int, bandwidth: float) -> bool:
    """Whether ``size`` bytes that compress to ``compressed`` bytes travel sooner when they are compressed.

    With bandwidth ``B`` in bytes per second, compression speed ``C``, decompression speed ``D`` and the ratio
    ``r = compressed / size``, a byte costs ``1/B`` seconds raw and ``1/C + r/B + 1/D`` seconds compressed, so
    compressing pays when ``(1 - r) / B > 1/C + 1/D``. At infinite bandwidth it never does.
    """
    if not size:
        return False
    saved = (1 - compressed / size) / bandwidth
    return saved > 1 / COMPRESS_SPEED + 1 / DECOMPRESS_SPEED


def pays_copying(size: int, compressed: int, bandwidth: float) -> bool:
    """Whether ``size`` bytes that were compressed to ``compressed`` before travel sooner so: as `pays`, without 1/C."""
    return bool(size) and (1 - compressed / size) / bandwidth > 1 / DECOMPRESS_SPEED


def worth_compressing(data: memoryview, bandwidth: float) -> bool:
    """Whether compressing ``data`` pays, judged by at most eight evenly spaced samples of 32 KiB."""
    if not pays(data.nbytes, 0, bandwidth):
        return False  # not even if nothing were left to send
    samples = _sample(data)
    taken = sum(sample.nbytes for sample in samples)
    return pays(taken, sum(len(compress(sample)) for sample in samples), bandwidth)


def compress(data: bytes | memoryview) -> bytes:
    """One zstd frame that states its content's size."""
    return zstandard.ZstdCompressor(level=LEVEL).compress(data)


def decompress(data: bytes, size: int) -> bytes:
    """The content of one zstd frame, which must have ``size`` bytes and nothing after it; ValueError otherwise.

    The size that the frame claims is compared before anything is allocated.
    """
    try:
        claimed = zstandard.get_frame_parameters(data).content_size
        if claimed != size:
            raise ValueError(f"a compressed chunk claims {claimed} bytes, expected {size}")
        content = zstandard.ZstdDecompressor().decompress(data, max_output_size=size, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ValueError(f"a compressed chunk cannot be read: {error}") from error
    return content


def _sample(data: memoryview) -> list[memoryview]:
    if data.nbytes <= _SAMPLES * _SAMPLE_SIZE:
        return [data]
    step = (data.nbytes - _SAMPLE_SIZE) // (_SAMPLES - 1)
    return [data[i * step : i * step + _SAMPLE_SIZE] for i in range(_SAMPLES)]
