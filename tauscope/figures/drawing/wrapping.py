"""Words in lines that fit: measured in the type they are drawn in."""

from functools import lru_cache

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from tauscope.figures.drawing.style import MM


def wrapped(words: str, width_mm: float, size: float) -> str:
    """The same words with line breaks where a line would be wider; a formula is never parted."""
    return "\n".join(_wrapped_line(line, width_mm, size) for line in words.split("\n"))


def _wrapped_line(line: str, width_mm: float, size: float) -> str:
    made: list[str] = []
    for word in _words(line):
        if made and _width_mm(f"{made[-1]} {word}", size) <= width_mm:
            made[-1] += f" {word}"
        else:
            made.append(word)
    return "\n".join(made)


def _words(line: str) -> list[str]:
    """Words, those of one formula together."""
    made: list[str] = []
    inside = False
    for word in line.split(" "):
        if inside:
            made[-1] += f" {word}"
        else:
            made.append(word)
        inside ^= word.count("$") % 2 == 1
    return made


@lru_cache(maxsize=4096)
def _width_mm(words: str, size: float) -> float:
    path = TextPath((0, 0), words, prop=FontProperties(family="DejaVu Sans", size=size))
    return float(path.get_extents().x1) * MM / 72 if len(path.vertices) else 0.0
