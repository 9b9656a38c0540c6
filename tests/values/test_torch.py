"""Where tensors of another device go in a restore, and that it is told."""

from __future__ import annotations

import pickle
import sys
from types import SimpleNamespace

import pytest

from elastictm.values.freeze import Freezer, Surroundings
from elastictm.values.reducers import torch as reducer
from elastictm.values.thaw import Frost, Thawer


class Remote:
    """Stands for memory that was on a device when it was saved."""

    def __init__(self, content, device):
        self.content, self.device = content, device

    def __reduce__(self):
        return reducer.device_storage, (self.content, self.device)


class RemoteTensor:
    """Stands for a tensor of bytes over such memory."""

    def __init__(self, memory, size, kind):
        self.memory, self.size, self.kind = memory, size, kind

    def __reduce__(self):
        dtype = sys.modules["torch"].uint8
        return reducer.tensor, (self.kind, self.memory, dtype, 0, (self.size,), (1,), False, False, False)


def frost(**values):
    """Some values, frozen as one group."""
    unit = Freezer(Surroundings({})).group(values, keep=True).unit
    return Frost(unit.names, unit.stream, unit.segments, unit.slices, unit.definitions)


def thawed(frozen):
    """The values again, and the notes on them."""
    thawer = Thawer(Surroundings({}), lambda _: None, {})
    return thawer.group(frozen), thawer.notes


@pytest.fixture
def devices(monkeypatch):
    """Sets how many devices of the kind cuda there are, whether torch is installed or not."""

    def set_count(count):
        backend = SimpleNamespace(is_available=lambda: count > 0, device_count=lambda: count)
        monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=backend))

    return set_count


@pytest.mark.parametrize(
    ("device", "count", "found"),
    [
        ("cuda:1", 2, "cuda:1"),
        ("cuda", 1, "cuda"),
        ("cuda:3", 0, "cpu"),
        ("cuda:3", 1, "cuda:0"),
        ("xpu:0", 1, "cpu"),
    ],
)
def test_what_stands_in_for_a_device(devices, device, count, found):
    """A device that is here is used; a missing one is replaced by the first of its type, or by the processor."""
    devices(count)
    assert reducer.device_here(device) == found


@pytest.mark.parametrize(
    ("count", "place", "notes"),
    [
        (0, "cpu", ("there is no device cuda:1 here, so tensors are on cpu: weights, more",)),
        (1, "cuda:0", ("there is no device cuda:1 here, so tensors are on cuda:0: weights, more",)),
        (2, "cuda:1", ()),
    ],
)
def test_a_restore_tells_which_variables_changed_their_device(devices, monkeypatch, count, place, notes):
    """Memory goes where it was, or elsewhere with a note that names all variables that share it."""
    memory = Remote([1, 2], "cuda:1")
    frozen = frost(weights=memory, more=[memory])
    monkeypatch.setattr(reducer, "storage", lambda content: ("cpu", content))
    monkeypatch.setattr(reducer, "_moved", lambda made, device: (device, made[1]))
    devices(count)
    values, told = thawed(frozen)
    assert values == {"weights": (place, [1, 2]), "more": [(place, [1, 2])]}
    assert values["more"][0] is values["weights"]
    assert told == notes


def test_tensors_without_their_device_come_back_on_the_processor():
    """With torch itself: the content is there, shared as it was, and the note names the device."""
    torch = pytest.importorskip("torch")
    device = f"cuda:{torch.cuda.device_count()}"
    memory = Remote(pickle.PickleBuffer(bytearray(b"abc")), device)
    frozen = frost(one=RemoteTensor(memory, 3, torch.Tensor), two=RemoteTensor(memory, 2, torch.nn.Parameter))
    values, told = thawed(frozen)
    assert values["one"].tolist() == [97, 98, 99]
    values["one"][0] = 7
    assert values["two"].tolist() == [7, 98]
    assert len(told) == 1
    assert told[0].startswith(f"there is no device {device} here")
    assert told[0].endswith("one, two")
