"""What is to be seen of NumPy's arrays, scalars and random generators."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

from elastictm.testing.portrait_walk import Inner, Look, Memory, Sight, Walk, digest

LIBRARY: Final = "numpy"


def text(value: Any, numpy: ModuleType) -> str | None:
    """The text of a scalar, data type or universal function."""
    if isinstance(value, numpy.void) and value.dtype.names:
        return None
    if isinstance(value, numpy.generic) and type(value).__module__ == "numpy" and not isinstance(value, numpy.object_):
        return f"numpy {value.dtype.str} {value.tobytes().hex()}"
    if isinstance(value, numpy.dtype):
        # Names and offsets of fields, units of time, alignment: the long form has them all.
        return f"dtype {value!r} {value.itemsize} {value.isalignedstruct} {value.metadata!r}"
    if isinstance(value, numpy.ufunc):
        return f"ufunc {value.__name__}"
    return None


def looks(numpy: ModuleType) -> dict[type, Look]:
    """The looks for arrays and generators."""
    return {
        numpy.ndarray: _array,
        numpy.void: _record,
        numpy.random.Generator: lambda value, _: Sight("", [Inner("bits", value.bit_generator)], whole=True),
        numpy.random.BitGenerator: _bits,
        numpy.random.RandomState: _random_state,
        numpy.random.SeedSequence: _seed,
        numpy.polynomial._polybase.ABCPolyBase: _polynomial,  # noqa: SLF001 - public nowhere
    }


def content(value: Any) -> list[Inner]:
    """The elements of an array: a digest of their bytes, or each of them where they are objects."""
    if value.dtype.names:
        # Field by field, because what lies between fields is of no account.
        fields = [(name, value[name]) for name in value.dtype.names]
        return [Inner(f"field {name} {part.label}", part.value) for name, field in fields for part in content(field)]
    if value.dtype.hasobject:
        return [Inner("-", element) for element in value.ravel().tolist()]
    import numpy as np  # noqa: PLC0415 - there is an array, so it is loaded

    flat = np.ascontiguousarray(value.view(np.ndarray)).reshape(-1)
    return [Inner("bytes", digest(flat.view(np.uint8)))]


def _array(value: Any, walk: Walk) -> Sight:
    import numpy as np  # noqa: PLC0415 - there is an array, so it is loaded

    inside = walk.fact("content", value, lambda: content(value))
    # The stride along a dimension of one element, or of an empty array, is never used.
    strides = tuple(
        step if count > 1 and value.size else 0 for step, count in zip(value.strides, value.shape, strict=True)
    )
    head = f"{value.shape} {strides} writeable={value.flags.writeable}"
    # An array of another class has a base of its own, over the same memory.
    base = value.base if type(value) is type(value.base) is np.ndarray else None
    return Sight(head, [Inner("dtype", value.dtype), *inside], memory=memory(value), base=base)


def memory(value: Any, keeper: int | None = None) -> Memory | None:
    """The addresses from the first that an array uses to the last."""
    if not value.size:
        return None
    start = value.__array_interface__["data"][0]
    spans = [(count - 1) * stride for count, stride in zip(value.shape, value.strides, strict=True)]
    low = start + sum(span for span in spans if span < 0)
    return Memory(low, start + sum(span for span in spans if span > 0) + value.itemsize, keeper)


def _record(value: Any, _walk: Walk) -> Sight:
    return Sight("", [Inner("dtype", value.dtype), *(Inner(name, value[name]) for name in value.dtype.names)])


def _random_state(value: Any, _walk: Walk) -> Sight:
    import numpy as np  # noqa: PLC0415 - there is a generator, so it is loaded

    if value is np.random.mtrand._rand:  # noqa: SLF001 - every process has one; its seed is only of use before its state
        return Sight("global", [Inner("state", value.get_state(legacy=False))], whole=True)
    bits = value._bit_generator  # noqa: SLF001 - public nowhere, and may be shared
    return Sight("", [Inner("state", value.get_state(legacy=False)), Inner("bits", bits)], whole=True)


def _bits(value: Any, _walk: Walk) -> Sight:
    return Sight("", [Inner("state", value.state), Inner("seed", value.seed_seq)], whole=True)


def _seed(value: Any, _walk: Walk) -> Sight:
    return Sight("", [Inner("state", value.state)], whole=True)


def _polynomial(value: Any, _walk: Walk) -> Sight:
    # Its symbol is listed among its attributes once it was copied.
    parts = [Inner(name, getattr(value, name)) for name in ("coef", "domain", "window")]
    return Sight(str(value.symbol), parts, whole=True)
