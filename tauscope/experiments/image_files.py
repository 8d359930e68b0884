"""Arrays as files that are whole or not there."""

from pathlib import Path

import numpy as np

from tauscope.training.checkpoints import publish


def write_npz(path: Path, **arrays: np.ndarray) -> Path:
    """Write named arrays; the file appears only once it is whole. The same arrays make the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".partial")
    with temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    publish(temporary, path)
    return path
