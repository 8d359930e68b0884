"""What lists and tables read of a stored spec, without validating it: thousands of runs are listed at once."""

from collections.abc import Mapping
from typing import Any


def n_train_of(spec: Mapping[str, Any]) -> int | None:
    """Training points n."""
    found: int | None = spec.get("dataset", {}).get("n_train")
    return found


def width_of(spec: Mapping[str, Any]) -> int | None:
    """The W of a law, where the model has one."""
    found: int | None = spec.get("network", {}).get("base_width")
    return found


def batch_of(spec: Mapping[str, Any]) -> int | None:
    """Training points per step, where there are batches."""
    asked = spec.get("batch_size")
    return n_train_of(spec) if asked == "full" else asked
