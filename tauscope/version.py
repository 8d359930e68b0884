"""Which code produced a number: the release, and a digest of the library's own source files."""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@cache
def code_version() -> str:
    """Return ``<release>+<digest>``, the digest being over every Python file of the library.

    Two installations with the same string compute with the same lines, whether or not git is there to ask.
    """
    try:
        release = version("tauscope")
    except PackageNotFoundError:
        release = "0"
    return f"{release}+{_source_digest()}"


def _source_digest() -> str:
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
