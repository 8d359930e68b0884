"""A fetched checkpoint on this disk."""

import zipfile
from pathlib import Path


def unpack_checkpoint(archive: Path, folder: Path) -> Path:
    """Unpack the zip file of a checkpoint, and return the ``.json`` that ``load_checkpoint`` and ``fork.path`` take.

    The state comes last, so that where it stands its weights do too. Of members that name another folder the file name counts alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive) as members:
        weights, state = sorted(members.infolist(), key=lambda member: member.filename.endswith(".json"))
        for member in (weights, state):
            member.filename = Path(member.filename).name
            members.extract(member, folder)
    return folder / state.filename
