"""Settings of scikit-learn and of torch."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from elastictm.session.circumstances.circumstance import shown


class ScikitLearn:
    """What ``sklearn.set_config`` sets."""

    name = "scikit-learn"
    module = "sklearn"

    def look(self) -> Mapping[str, Any]:
        """The parts of the configuration that are not the defaults."""
        sklearn = sys.modules["sklearn"]
        usual = self._usual()
        return {key: value for key, value in sklearn.get_config().items() if value != usual.get(key, value)}

    def apply(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Set the whole configuration."""
        usual = self._usual()
        sys.modules["sklearn"].set_config(**{key: settings.get(key, value) for key, value in usual.items()})
        return [
            f"{key} was {shown(value)}, which is unknown here" for key, value in settings.items() if key not in usual
        ]

    def show(self, key: str, value: Any) -> str:  # noqa: ARG002 - the key tells nothing about the form
        """The value."""
        return shown(value)

    @staticmethod
    def _usual() -> Mapping[str, Any]:
        usual: Mapping[str, Any] = getattr(sys.modules.get("sklearn._config"), "_global_config", {})
        return usual


_PRECISION: Final = "highest"
_PRINT: Final[Mapping[str, Any]] = {
    "precision": 4,
    "threshold": 1000,
    "edgeitems": 3,
    "linewidth": 80,
    "sci_mode": None,
}


class Torch:
    """Defaults for new tensors, determinism, gradients, threads and printing."""

    name = "torch"
    module = "torch"

    def look(self) -> Mapping[str, Any]:
        """What is not as in a fresh process."""
        torch = sys.modules["torch"]
        if not hasattr(torch, "get_default_dtype"):
            return {}  # it is being imported, or failed to be
        now = {
            "default dtype": (str(torch.get_default_dtype()).removeprefix("torch."), "float32"),
            "default device": (str(torch.get_default_device()), "cpu"),
            "gradients": (torch.is_grad_enabled(), True),
            "deterministic algorithms": (torch.are_deterministic_algorithms_enabled(), False),
            "deterministic, warn only": (torch.is_deterministic_algorithms_warn_only_enabled(), False),
            "matmul precision": (torch.get_float32_matmul_precision(), _PRECISION),
            "cudnn benchmark": (torch.backends.cudnn.benchmark, False),
            "cudnn deterministic": (torch.backends.cudnn.deterministic, False),
        }
        found: dict[str, Any] = {key: value for key, (value, usual) in now.items() if value != usual}
        if torch.get_num_threads() not in _usual_threads():
            found["threads"] = torch.get_num_threads()
        options = vars(torch._tensor_str.PRINT_OPTS)  # noqa: SLF001 - public nowhere
        return found | {
            f"print.{key}": options[key] for key, usual in _PRINT.items() if options.get(key, usual) != usual
        }

    def apply(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Set all of them."""
        torch = sys.modules["torch"]
        notes: list[str] = []
        now = self.look()
        torch.set_default_dtype(getattr(torch, settings.get("default dtype", "float32")))
        if settings.get("default device") != now.get("default device"):
            device = settings.get("default device", "cpu")
            if device.startswith("cuda") and not torch.cuda.is_available():
                notes.append(f"the default device was {device}, which is not here; it is the CPU")
                device = "cpu"
            torch.set_default_device(None if device == "cpu" else device)
        torch.set_grad_enabled(settings.get("gradients", True))
        torch.use_deterministic_algorithms(
            settings.get("deterministic algorithms", False), warn_only=settings.get("deterministic, warn only", False)
        )
        torch.set_float32_matmul_precision(settings.get("matmul precision", _PRECISION))
        torch.backends.cudnn.benchmark = settings.get("cudnn benchmark", False)
        torch.backends.cudnn.deterministic = settings.get("cudnn deterministic", False)
        if "threads" in settings:
            torch.set_num_threads(settings["threads"])
        elif "threads" in now:
            torch.set_num_threads(max(_usual_threads()))
        torch.set_printoptions(**{key: settings.get(f"print.{key}", usual) for key, usual in _PRINT.items()})
        return notes

    def show(self, key: str, value: Any) -> str:  # noqa: ARG002 - the key tells nothing about the form
        """The value."""
        return shown(value)


def _usual_threads() -> set[int]:
    """How many threads torch takes by itself: a machine's own matter, unless the session says otherwise."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = [os.environ.get(key, "") for key in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")]
    return {cores, max(cores // 2, 1), *(int(text) for text in asked if text.isdigit())}
