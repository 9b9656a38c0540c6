"""Tensors of PyTorch: storages out of band, shared by all tensors that use them, each on the device where it was.

A storage from a device that a restore does not have goes to one that it has, and the loader tells so.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from elastictm.values.memory import Export

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "torch"

_HOOKS: Final = ("_backward_hooks", "_post_accumulate_grad_hooks")
_DEVICES: Final = frozenset({"cpu", "cuda", "mps", "xpu"})


def reducers(torch: ModuleType) -> dict[type, Any]:
    """Reducers for tensors, parameters, what they lie in, and generators."""
    # While torch is being imported, not all of it is there.
    if not hasattr(torch, "nn") or not hasattr(torch, "UntypedStorage"):
        return {}
    return {
        torch.Tensor: reduce_tensor,
        torch.nn.Parameter: reduce_tensor,
        torch.UntypedStorage: reduce_storage,
        torch.storage.TypedStorage: reduce_typed_storage,
        torch.Generator: reduce_generator,
    }


def reduce_tensor(value: Any, _view: FreezingPass) -> Any:
    """A tensor as its place in a storage."""
    import torch  # noqa: PLC0415 - there is a tensor, so it is loaded

    if not value.is_leaf:
        raise TypeError("cannot store a tensor with the graph that its gradient comes from")
    if value.layout is not torch.strided or value.is_quantized or value.device.type not in _DEVICES or value.is_nested:
        return NotImplemented
    if any(getattr(value, "names", ())):
        raise TypeError("cannot store a tensor whose dimensions have names")
    state = dict(vars(value))
    hooks = {name: dict(held) for name in _HOOKS if (held := getattr(value, name, None))}
    grad = value.grad if value.requires_grad or value.grad is not None else None
    facts = (
        type(value),
        value.untyped_storage(),
        value.dtype,
        value.storage_offset(),
        tuple(value.shape),
        value.stride(),
        value.requires_grad,
        value.is_conj(),
        value.is_neg(),
    )
    if grad is None and not state and not hooks:
        return tensor, facts
    return tensor, facts, {"grad": grad, "attributes": state, "hooks": hooks}, None, None, set_tensor


def reach(value: Any) -> tuple[list[Any], list[tuple[int, int]]]:
    """What a tensor or a storage holds, its graph's leaves included, and from where to where its memory goes."""
    if isinstance(value, _torch().UntypedStorage):
        return [], _stretch(value)
    inside: list[Any] = [*vars(value).values()]
    inside += [dict(held) for name in _HOOKS if (held := getattr(value, name, None))]
    if value.is_leaf and value.grad is not None:
        inside.append(value.grad)
    inside += _leaves(value.grad_fn) if value.grad_fn is not None else ()
    if value.layout != _torch().strided or value.device.type == "meta" or value.is_nested:
        return inside, []
    return inside, _stretch(value.untyped_storage())


def _stretch(memory: Any) -> list[tuple[int, int]]:
    start, size = memory.data_ptr(), memory.nbytes()
    return [(start, start + size)] if size and start else []


def _torch() -> Any:
    return sys.modules["torch"]


def _leaves(first: Any) -> list[Any]:
    """The tensors at the ends of a graph of gradients."""
    found: list[Any] = []
    waiting = [first]
    seen: set[Any] = set()
    while waiting:
        step = waiting.pop()
        if step is None or step in seen:
            continue
        seen.add(step)
        leaf = getattr(step, "variable", None)
        if leaf is not None:
            found.append(leaf)
        waiting += [further for further, _ in step.next_functions]
    return found


def tensor(  # noqa: PLR0913, PLR0917 - stored so
    kind: Any,
    memory: Any,
    dtype: Any,
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    requires_grad: bool,  # noqa: FBT001 - stored so
    conjugated: bool,  # noqa: FBT001 - likewise
    negated: bool,  # noqa: FBT001 - likewise
) -> Any:
    """A tensor at a place in a storage."""
    import torch  # noqa: PLC0415 - an archive with tensors is what brings torch in

    made: Any = torch.empty(0, dtype=dtype, device=memory.device)
    made.set_(memory, offset, shape, strides)
    if conjugated:
        made = torch._C._conj(made) if hasattr(torch._C, "_conj") else made.conj()  # noqa: SLF001 - public nowhere
    if negated:
        made = torch._neg_view(made)  # noqa: SLF001 - public nowhere
    if kind is torch.Tensor:
        return made.requires_grad_(requires_grad)
    return kind(made, requires_grad)


def set_tensor(made: Any, state: Mapping[str, Any]) -> None:
    """Give a tensor its gradient, attributes and hooks."""
    made.grad = state["grad"]
    vars(made).update(state["attributes"])
    for name, hooks in state["hooks"].items():
        from collections import OrderedDict  # noqa: PLC0415 - rarely needed

        setattr(made, name, OrderedDict(hooks))


def reduce_storage(value: Any, view: FreezingPass) -> Any:
    """A storage as the memory that it is; one of a device as a copy of it."""
    device = value.device.type
    if device not in _DEVICES:
        return NotImplemented
    here = value if device == "cpu" else value.cpu()
    memory = view.export(_memory(here))
    return (storage, (memory,)) if device == "cpu" else (device_storage, (memory, str(value.device)))


def _memory(value: Any) -> Export:
    import torch  # noqa: PLC0415 - there is a storage, so it is loaded

    size = value.nbytes()
    if not size:
        return Export(0, 0, memoryview(b""), value)
    octets = torch.empty(0, dtype=torch.uint8).set_(value)
    return Export(value.data_ptr(), size, memoryview(octets.numpy()), value)


def storage(memory: Any) -> Any:
    """A storage over loaded memory."""
    import torch  # noqa: PLC0415 - an archive with tensors is what brings torch in

    if not memory.nbytes if isinstance(memory, memoryview) else not len(memory):
        return torch.empty(0, dtype=torch.uint8).untyped_storage()
    return torch.frombuffer(memory, dtype=torch.uint8).untyped_storage()


def device_storage(memory: Any, device: str) -> Any:
    """A storage on its device, or on what stands in for that here."""
    found = device_here(device)
    made = storage(memory)
    return made if found == "cpu" else _moved(made, found)


def _moved(made: Any, device: str) -> Any:
    import torch  # noqa: PLC0415 - an archive with tensors is what brings torch in

    return torch.empty(0, dtype=torch.uint8).set_(made).to(device).untyped_storage()


def _count(device: str) -> int:
    import torch  # noqa: PLC0415 - an archive with tensors is what brings torch in

    backend: Any = getattr(torch, device.partition(":")[0], None)
    return int(backend.device_count()) if backend is not None and backend.is_available() else 0


def device_here(device: str) -> str:
    """A device, or what stands in for it where it is missing: the first of its type, else the processor."""
    kind, _, number = device.partition(":")
    count = _count(device)
    if int(number or 0) < count:
        return device
    return f"{kind}:0" if count else "cpu"


def reduce_typed_storage(value: Any, _view: FreezingPass) -> Any:
    """A storage with a data type."""
    return typed_storage, (value._untyped_storage, value.dtype)  # noqa: SLF001 - asking in public warns


def typed_storage(memory: Any, dtype: Any) -> Any:
    """A storage with a data type."""
    import torch  # noqa: PLC0415 - an archive with tensors is what brings torch in

    return torch.storage.TypedStorage(wrap_storage=memory, dtype=dtype, _internal=True)


def reduce_generator(value: Any, _view: FreezingPass) -> Any:
    """A generator of random numbers with its state; the one that torch draws from itself stays that."""
    if value.device.type != "cpu":
        raise TypeError(f"cannot store a generator of the device {value.device}")
    default = value is _torch().default_generator
    return generator, (bool(default), value.get_state())


def generator(default: bool, state: Any) -> Any:  # noqa: FBT001 - stored so
    """A generator of random numbers in a state."""
    import torch  # noqa: PLC0415 - an archive with generators is what brings torch in

    made = torch.default_generator if default else torch.Generator()
    made.set_state(state)
    return made
