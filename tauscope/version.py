"""Which code produced a number: the release, and a digest of the library's source files that decide it."""

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# What draws, trains, samples or measures, below this package. A test checks that an experiment loads nothing else of ours.
COMPUTES = (
    *("specs", "process", "networks", "samplers", "datasets", "features", "metrics", "probes", "theory", "training", "experiments"),
    *("contracts/model.py", "contracts/points.py"),
)
_ROOT = Path(__file__).parent


@cache
def code_version() -> str:
    """Return ``<release>+<digest>``, the digest being over the Python files that compute results.

    Two installations with the same string compute with the same lines, whether or not git is there to ask. The command line,
    the client, the analysis of finished curves and the texts of presets may differ: no point or weight depends on them.
    """
    return _version(file for part in COMPUTES for file in _python_files(_ROOT / part))


@cache
def source_version() -> str:
    """Return ``<release>+<digest>`` over every Python file of the library: what is made of points, and how it is described."""
    return _version(_python_files(_ROOT))


def is_computing(path: Path) -> bool:
    """Whether a source file of the library counts for ``code_version``."""
    return any(path.is_relative_to(_ROOT / part) for part in COMPUTES)


def _python_files(place: Path) -> Iterable[Path]:
    return [place] if place.suffix == ".py" else place.rglob("*.py")


def _version(files: Iterable[Path]) -> str:
    try:
        release = version("tauscope")
    except PackageNotFoundError:
        release = "0"
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.relative_to(_ROOT).as_posix().encode())
        digest.update(path.read_bytes())
    return f"{release}+{digest.hexdigest()[:12]}"
