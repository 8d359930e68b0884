"""What the files of an experiment are called."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any


def configuration_hash(sweep: Mapping[str, Any]) -> str:
    """Eight hexadecimal digits that change with any setting of the sweep."""
    return hashlib.sha256(json.dumps(sweep, sort_keys=True).encode()).hexdigest()[:8]


def file_stem(name: str, identifier: str, part: str, sweep: Mapping[str, Any]) -> str:
    """A file name without its ending: experiment, part, configuration. A name without a letter is replaced by the identifier."""
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or identifier
    return f"{readable}-{part}-{configuration_hash(sweep)}"
