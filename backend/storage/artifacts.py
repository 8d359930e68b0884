"""Content-addressed files through fsspec: a folder on this machine, or any object store."""

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from backend.storage.store_marker import StoreMarker, StoreMissingError

_BLOCK = 1 << 20
_FILE = re.compile(r"(?P<head>[0-9a-f]{2})/(?P<tail>[0-9a-f]{62})|aside/(?P<aside>[0-9a-f]{64})|incoming/(?P<incoming>[0-9a-f]+)")


class ArtifactCorruptError(Exception):
    """The stored bytes are gone or no longer match their name; recompute them or restore a backup."""

    def __init__(self, sha256: str, cause: str) -> None:
        super().__init__(f"artifact {sha256[:12]} {cause}")
        self.sha256 = sha256


@dataclass(frozen=True)
class StoredFile:
    """A file of the store: in its place, set aside by the garbage collector, or left by a write that did not end."""

    path: str
    place: Literal["kept", "aside", "incoming"]
    name: str  # The SHA-256, except of what is incoming.
    n_bytes: int


class ArtifactStore:
    """Files named by their SHA-256, in folders ``ab/cdef...``; a name never stands for half a file."""

    def __init__(self, url: str, *, grace_seconds: float = 3600.0, filesystem: Any | None = None) -> None:
        """``grace_seconds`` is the age below which the garbage collector leaves a file alone.

        ``filesystem`` replaces the one that ``url`` names; only its path is used then.
        """
        found, root = url_to_fs(url)
        self.grace_seconds = grace_seconds
        self._files = filesystem or found
        self._root = root.rstrip("/")
        self._local = isinstance(found, LocalFileSystem)
        self.marker = StoreMarker(self._files, self._root, has_files=lambda: next(self.files(), None) is not None)

    def put(self, path: Path) -> tuple[str, int]:
        """Store a file and return its SHA-256 and size. Storing the same bytes again only renews their date, and mends damage."""
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if not (self._intact(sha256) and self._renew(sha256)):
            self._write(path, self._path(sha256))
        return sha256, path.stat().st_size

    def open(self, sha256: str) -> BinaryIO:
        """Open an artifact for reading, unverified.

        Raises:
            ArtifactCorruptError: if it is gone.
            StoreMissingError: if the whole store is, which says nothing of the artifact.
        """
        # The garbage collector may hold it aside for a moment, and put it back when it sees that it is wanted.
        for path in (self._path(sha256), self._aside(sha256), self._path(sha256)):
            with suppress(FileNotFoundError):
                return cast(BinaryIO, self._files.open(path, "rb"))
        self.marker.require()
        raise ArtifactCorruptError(sha256, "is gone from the store")

    def read(self, sha256: str) -> bytes:
        """The verified bytes of an artifact.

        Raises:
            ArtifactCorruptError: if it is gone or damaged.
        """
        data = b"".join(self._blocks(sha256))
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ArtifactCorruptError(sha256, "is damaged in the store")
        return data

    def fetch(self, sha256: str, to: Path) -> None:
        """Copy an artifact to a file, which appears only once its bytes are verified.

        Raises:
            ArtifactCorruptError: if it is gone or damaged.
        """
        to.parent.mkdir(parents=True, exist_ok=True)
        part = to.with_name(f"{to.name}.{secrets.token_hex(4)}.part")
        digest = hashlib.sha256()
        try:
            with part.open("wb") as file:
                for block in self._blocks(sha256):
                    digest.update(block)
                    file.write(block)
            if digest.hexdigest() != sha256:
                raise ArtifactCorruptError(sha256, "is damaged in the store")
            part.replace(to)
        finally:
            part.unlink(missing_ok=True)

    def exists(self, sha256: str) -> bool:
        """Whether there is a file of that name; ``read`` and ``fetch`` tell whether it is whole."""
        return bool(self._files.exists(self._path(sha256)))

    @property
    def keeps_dates(self) -> bool:
        """Whether a file keeps its date when it is moved, as in a folder; an object store copies it, which gives it a new one."""
        return self._local

    def free_bytes(self) -> int | None:
        """Space left on this machine's disk; ``None`` where the files are elsewhere."""
        if not self._local:
            return None
        root = Path(self._root)
        return shutil.disk_usage(next(folder for folder in (root, *root.parents) if folder.exists())).free

    def modified(self, path: str) -> float | None:
        """The date of a file, in Unix seconds by the store's clock; ``None`` if it is gone."""
        try:
            date = self._files.modified(path)
        except FileNotFoundError:
            return None
        return float((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp())

    def now(self) -> float:
        """The store's own clock, in Unix seconds: the date of a file just written. This host's may be off, or have stepped."""
        probe = f"{self._root}/incoming/{secrets.token_hex(16)}"
        self._files.makedirs(f"{self._root}/incoming", exist_ok=True)
        self._files.pipe_file(probe, b"now")
        try:
            date = self.modified(probe)
        finally:
            self._files.rm_file(probe)
        if date is None:
            raise OSError(f"the artifact store at {self._root} loses files")
        return date

    def files(self) -> Iterator[StoredFile]:
        """Every file of the store; what others put there is passed over."""
        self._files.invalidate_cache()
        for path, info in self._files.find(self._root, detail=True).items():
            match = _FILE.fullmatch(str(path).removeprefix(self._root).lstrip("/"))
            if match is None:
                continue
            if match["head"]:
                yield StoredFile(path, "kept", match["head"] + match["tail"], info["size"])
            else:
                yield StoredFile(path, "aside" if match["aside"] else "incoming", match["aside"] or match["incoming"], info["size"])

    def find(self, sha256: str) -> StoredFile | None:
        """The file of an artifact in its place, if it is there."""
        try:
            return StoredFile(self._path(sha256), "kept", sha256, self._files.info(self._path(sha256))["size"])
        except FileNotFoundError:
            return None

    def set_aside(self, file: StoredFile) -> StoredFile:
        """Take an artifact out of its place. Readers still find it there; who stores the same bytes writes them anew."""
        aside = self._aside(file.name)
        self._files.makedirs(f"{self._root}/aside", exist_ok=True)
        with suppress(FileNotFoundError):
            self._files.mv(file.path, aside)
        return StoredFile(aside, "aside", file.name, file.n_bytes)

    def put_back(self, file: StoredFile) -> None:
        """Return what was set aside to its place, unless somebody has stored it anew."""
        if self.exists(file.name):
            self.remove(file)
            return
        with suppress(FileNotFoundError):
            self._files.makedirs(self._path(file.name).rpartition("/")[0], exist_ok=True)
            self._files.mv(file.path, self._path(file.name))

    def remove(self, file: StoredFile) -> None:
        """Delete a file for good. The caller knows that nobody wants it."""
        with suppress(FileNotFoundError):
            self._files.rm_file(file.path)

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256[2:]}"

    def _aside(self, sha256: str) -> str:
        return f"{self._root}/aside/{sha256}"

    def _blocks(self, sha256: str) -> Iterator[bytes]:
        with self.open(sha256) as file:
            while block := file.read(_BLOCK):
                yield block

    def _intact(self, sha256: str) -> bool:
        digest = hashlib.sha256()
        try:
            for block in self._blocks(sha256):
                digest.update(block)
        except (ArtifactCorruptError, StoreMissingError):
            return False  # The first write of all finds no store.
        return digest.hexdigest() == sha256

    def _renew(self, sha256: str) -> bool:
        """Give an artifact in its place a date that keeps the garbage collector off; whether it has one.

        Where a date cannot be set, one less than half the grace old will do.
        """
        if not self._local:
            date = self.modified(self._path(sha256))
            return date is not None and self.now() - date < self.grace_seconds / 2
        try:
            os.utime(self._path(sha256))
        except FileNotFoundError:
            return False
        return True

    def _write(self, path: Path, target: str) -> None:
        self.marker.require_if_expected()
        folder, _, _ = target.rpartition("/")
        incoming = f"{self._root}/incoming/{secrets.token_hex(16)}"
        self._files.makedirs(f"{self._root}/incoming", exist_ok=True)
        self._files.makedirs(folder, exist_ok=True)
        try:
            self._files.put_file(str(path), incoming)
            self._sync(incoming)
            self._files.mv(incoming, target)
        except BaseException:
            with suppress(OSError):
                self._files.rm_file(incoming)
            raise
        self.marker.make()
        self._sync(folder)
        self._sync(self._root)

    def _sync(self, path: str) -> None:
        """Force a file or a folder's entries to disk; an object store has done so when its call returns."""
        if not self._local:
            return
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
