"""Where tensors of another device go in a restore."""

from __future__ import annotations

import warnings

import pytest

from elastictm.values.reducers.torch import device_here


def test_tensors_return_to_their_device():
    """A device that is here is used, without a word."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert device_here("cuda:1", 2) == "cuda:1"
        assert device_here("mps", 1) == "mps"


@pytest.mark.parametrize(("count", "found"), [(0, "cpu"), (1, "cuda:0")])
def test_tensors_of_a_missing_device_go_elsewhere_and_this_is_said(count, found):
    """A device that is missing is replaced by the first of its type, or else by the processor."""
    with pytest.warns(UserWarning, match="there is no device cuda:3 here: its tensors are on " + found):
        assert device_here("cuda:3", count) == found
