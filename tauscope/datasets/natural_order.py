"""Files in the order a person counts them in: 2.jpg before 10.jpg."""

import re
from collections.abc import Iterable
from pathlib import Path


def natural_order(files: Iterable[Path]) -> list[Path]:
    """Sort by name, every run of digits as the number it is, as arXiv:2505.17638 sorts CelebA."""
    return sorted(files, key=lambda file: [int(part) if part.isdigit() else part for part in _DIGITS.split(file.name)])


_DIGITS = re.compile(r"(\d+)")
