"""Data files that installed packages bring along; the packages are located, never imported."""

import importlib.util
from pathlib import Path


def packaged_file(package: str, inside: str) -> Path | None:
    """The file or folder ``inside`` an installed package, or ``None`` where there is none."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / inside
    return path if path.exists() else None
