"""Tensors and modules of torch: shape, dtype, device, and which parameters differ by how much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from elastictm.model.texts import clean
from elastictm.values.contrasts.facts import Facts, Kind, Line, Look, Part, lines
from elastictm.values.contrasts.instances import attributes, mapped
from elastictm.values.contrasts.words import changed, count, listed
from elastictm.values.kinds import type_name

LIBRARY: Final = "torch"

_HELD: Final = {
    "torch.sparse_coo": ("_indices", "_values"),
    "torch.sparse_csr": ("crow_indices", "col_indices", "values"),
    "torch.sparse_csc": ("ccol_indices", "row_indices", "values"),
}
"""What a sparse tensor is made of."""
_CONVERTED: Final = 20_000_000
"""Elements that are copied to be compared."""


def kinds(torch: Any) -> Mapping[type, Kind]:
    """The kinds of tensors and modules."""
    learning = _Learning(torch)
    tensor = Kind(learning.tensors, _title)
    return {
        torch.Tensor: tensor,
        torch.nn.Parameter: tensor,
        torch.nn.Module: Kind(learning.modules, type_name),
        torch.Generator: Kind(_generators),
        torch.dtype: Kind(_named),
        torch.device: Kind(_named),
        torch.Size: Kind(_named),
    }


def _title(tensor: Any) -> str:
    return f"{type_name(tensor)} of shape {tuple(tensor.shape)}, {tensor.dtype}"


class _Learning:
    """How tensors and modules are compared."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch

    def tensors(self, before: Any, after: Any, look: Look) -> Facts:
        """What differs between two tensors."""
        told = [
            changed(word, getattr(before, name), getattr(after, name))
            for word, name in (("dtype", "dtype"), ("device", "device"), ("layout", "layout"))
        ]
        told.append(changed("requires_grad", before.requires_grad, after.requires_grad))
        told.append(changed("hooks", _hooks(before), _hooks(after)))
        found = lines(*told)
        shapes = tuple(before.shape), tuple(after.shape)
        if shapes[0] != shapes[1]:
            found = (Line(changed("shape", *shapes)), *found)
        own = mapped(_own(before), _own(after), look, "attribute")
        found = (*found, *own.lines)
        parts = [Part(".grad", before.grad, after.grad)] if before.is_leaf and after.is_leaf else []
        parts += own.parts
        held = _HELD.get(str(after.layout))
        if held is not None and before.layout is after.layout and shapes[0] == shapes[1]:
            inner = [(getattr(before.detach(), name)(), getattr(after.detach(), name)()) for name in held]
            return Facts(found, [*(Part(f".{n}", *pair) for n, pair in zip(held, inner, strict=True)), *parts])
        arrays = [self._array(each) for each in (before, after)]
        if arrays[0] is None or arrays[1] is None:
            return Facts(found, parts, unknown=f"what lies in {_title(after)}")
        return Facts(found, [Part("", *arrays), *parts]) if shapes[0] == shapes[1] else Facts(found, parts)

    def _array(self, tensor: Any) -> Any:
        """What numpy sees of a tensor, without a copy where that is possible; None where it would be too large."""
        torch = self._torch
        plain = tensor.detach()
        if plain.layout is not torch.strided or plain.is_quantized or plain.device.type == "meta":
            return None
        copied = plain.device.type != "cpu" or plain.is_conj() or plain.is_neg()
        if copied and plain.numel() > _CONVERTED:
            return None
        plain = plain.cpu().resolve_conj().resolve_neg()
        try:
            return plain.numpy()
        except TypeError:  # a dtype that numpy does not have
            return plain.float().numpy() if plain.numel() <= _CONVERTED else None

    def modules(self, before: Any, after: Any, look: Look) -> Facts:
        """What differs between two modules: layers, parameters, and what else they keep."""
        module = self._torch.nn.Module
        old, new = (dict(module.named_modules(each)) for each in (before, after))
        told = []
        for verb, here, there in (("added", new, old), ("removed", old, new)):
            names = [clean(name) for name in here if name not in there]
            if names:
                told.append(f"{'layer' if len(names) == 1 else 'layers'} {verb}: {listed(names, len(names))}")
        modes = [name for name in old if name in new and old[name].training != new[name].training]
        if modes:
            mode = "train" if new[modes[0]].training else "eval"
            where = "" if "" in modes else f" in {listed(map(clean, modes), len(modes))}"
            told.append(f"in {mode} mode now{where}")
        told.append(changed("hooks", *(sum(map(_hooks, each.values())) for each in (old, new))))
        pairs = [Part(f".{clean(name)}", old[name], new[name]) for name in old if name in new]
        kinds = [(p.step, type_name(p.before), type_name(p.after)) for p in pairs]
        told += [f"{step[1:]}: {one} → {other}" for step, one, other in kinds if one != other]
        state = [_state(module, each) for each in (before, after)]
        names = [name for name in state[0] if name in state[1]]
        differing = [name for name in names if look.same(state[0][name], state[1][name]) is False]
        if differing:
            told.append(f"{len(differing):,} of {count(len(names), 'parameter')} differ: {_listed(differing)}")
        parts = [Part(f".{clean(name)}", state[0][name], state[1][name]) for name in differing]
        found = list(lines(*told))
        for pair in pairs:
            step = pair.step.removesuffix(".")
            kept = mapped(_own(pair.before), _own(pair.after), look, "attribute")
            found += [line.below(step) for line in kept.lines]
            parts += [Part(step + part.step, part.before, part.after) for part in kept.parts]
        return Facts(tuple(found), parts)


def _own(value: Any) -> dict[str, Any]:
    """What users keep in a tensor or module besides what it is made of."""
    return {k: v for k, v in attributes(value).items() if not k.startswith("_") and k != "training"}


def _listed(names: list[str]) -> str:
    return listed(map(clean, names), len(names))


def _state(module: Any, value: Any) -> dict[str, Any]:
    return {**dict(module.named_parameters(value)), **dict(module.named_buffers(value))}


def _hooks(value: Any) -> int:
    """The number of functions that torch calls when it comes to a tensor or module."""
    names = ("_backward_hooks", "_backward_pre_hooks", "_forward_hooks", "_forward_pre_hooks")
    return sum(len(getattr(value, name, None) or ()) for name in names)


def _generators(before: Any, after: Any, look: Look) -> Facts:
    if look.same(before.get_state().numpy(), after.get_state().numpy()):
        return Facts()
    return Facts(lines("has drawn numbers, or was seeded anew"))


def _named(before: Any, after: Any, look: Look) -> Facts:  # noqa: ARG001 - as all kinds are called
    return Facts(lines(changed("", str(before), str(after)).strip()))
