"""What to say of a folder that holds something else than was expected."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

SHOWN_ENTRIES = 8


def layout_message(path: Path, layouts: Iterable[str]) -> str:
    """One sentence: what is accepted, and what was found instead."""
    return f"{path} is none of what is accepted ({'; '.join(layouts)}). Found: {found_tree(path)}"


def printable(text: str) -> str:
    """The text with everything written out that a terminal would obey or no encoding knows: names of files may hold any byte."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def found_tree(path: Path) -> str:
    """The first entries of a folder and of its folders, in words that fit into an error."""
    if not path.exists():
        return "nothing of that name"
    if path.is_file():
        return f"a file of {path.stat().st_size:,} bytes"
    entries = list(islice(_entries(path), SHOWN_ENTRIES + 1))
    more = ", ..." if len(entries) > SHOWN_ENTRIES else ""
    return ", ".join(entries[:SHOWN_ENTRIES]) + more if entries else "an empty folder"


def _entries(path: Path) -> Iterable[str]:
    for entry in sorted(path.iterdir())[: SHOWN_ENTRIES + 1]:
        if entry.is_dir():
            inside = sorted(inner.name for inner in islice(entry.iterdir(), 1000))
            shown = ", ".join(inside[:3]) + (", ..." if len(inside) > 3 else "")
            yield f"{entry.name}/ ({shown})" if inside else f"{entry.name}/ (empty)"
        else:
            yield entry.name
