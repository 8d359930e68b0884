"""Content-addressed files through fsspec: a folder on this machine, or any object store."""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

_BLOCK = 1 << 20


class ArtifactCorruptError(Exception):
    """The stored bytes are gone or no longer match their name; recompute them or restore a backup."""

    def __init__(self, sha256: str, cause: str) -> None:
        super().__init__(f"artifact {sha256[:12]} {cause}")
        self.sha256 = sha256


class ArtifactStore:
    """Files named by their SHA-256, in folders ``ab/cdef...``; a name never stands for half a file."""

    def __init__(self, url: str, *, filesystem: Any | None = None) -> None:
        """``filesystem`` replaces the one that ``url`` names; only its path is used then."""
        found, root = url_to_fs(url)
        self._files = filesystem or found
        self._root = root.rstrip("/")
        self._local = isinstance(found, LocalFileSystem)

    def put(self, path: Path) -> tuple[str, int]:
        """Store a file and return its SHA-256 and size. Storing the same bytes again changes nothing, and mends damage."""
        sha256 = _digest_file(path)
        if not self._intact(sha256):
            self._write(path, self._path(sha256))
        elif self._local:
            # A new date tells the garbage collector that somebody is about to refer to these bytes.
            os.utime(self._path(sha256))
        return sha256, path.stat().st_size

    def open(self, sha256: str) -> BinaryIO:
        """Open an artifact for reading, unverified.

        Raises:
            ArtifactCorruptError: if it is gone.
        """
        try:
            return cast(BinaryIO, self._files.open(self._path(sha256), "rb"))
        except FileNotFoundError as error:
            raise ArtifactCorruptError(sha256, "is gone from the store") from error

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

    def delete(self, sha256: str) -> None:
        """Remove an artifact if it is there. The caller knows that nothing refers to it."""
        with suppress(FileNotFoundError):
            self._files.rm_file(self._path(sha256))

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256[2:]}"

    def _blocks(self, sha256: str) -> Iterator[bytes]:
        with self.open(sha256) as file:
            while block := file.read(_BLOCK):
                yield block

    def _intact(self, sha256: str) -> bool:
        digest = hashlib.sha256()
        try:
            for block in self._blocks(sha256):
                digest.update(block)
        except ArtifactCorruptError:
            return False
        return digest.hexdigest() == sha256

    def _write(self, path: Path, target: str) -> None:
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


def _digest_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
