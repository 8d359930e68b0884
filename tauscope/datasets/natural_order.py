"""Files in the order a person counts them in: 2.jpg before 10.jpg."""

import re
from collections.abc import Iterable
from pathlib import Path

_DIGITS = re.compile(r"(\d+)")


def natural_order(files: Iterable[Path]) -> list[Path]:
    """Sort by name, every run of digits as the number it is, as arXiv:2505.17638 sorts CelebA."""
    return sorted(files, key=lambda file: natural_key(file.name))


def natural_key(name: str) -> tuple[list[int | str], str]:
    """What to sort names by; of 1 and 01, which are the same number, the one that comes first as text."""
    return [int(part) if part.isdecimal() else part for part in _DIGITS.split(name)], name
