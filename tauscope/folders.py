"""Folders of this machine: of all that Tauscope keeps, and of what can be had again (prepared images, features, archives)."""

import os
from pathlib import Path


def home_folder() -> Path:
    """``TAUSCOPE_HOME``, else ``~/.tauscope``."""
    return Path(os.environ.get("TAUSCOPE_HOME") or "~/.tauscope").expanduser().absolute()


def cache_folder() -> Path:
    """``TAUSCOPE_CACHE``; else ``cache`` under ``TAUSCOPE_HOME``; else ``tauscope`` under ``XDG_CACHE_HOME`` or ``~/.cache``."""
    for variable, inside in (("TAUSCOPE_CACHE", ""), ("TAUSCOPE_HOME", "cache"), ("XDG_CACHE_HOME", "tauscope")):
        if os.environ.get(variable):
            return Path(os.environ[variable]).expanduser().absolute() / inside
    return Path.home() / ".cache" / "tauscope"
