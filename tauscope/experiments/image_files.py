"""Arrays and records as files that are whole or not there."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


def write_json(path: Path, document: Mapping[str, Any]) -> Path:
    """Write a document; the file appears only once it is whole. The same document makes the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".partial")
    temporary.write_text(json.dumps(document, indent=1, sort_keys=True))
    publish(temporary, path)
    return path
