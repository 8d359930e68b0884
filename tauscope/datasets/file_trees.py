"""The files under a folder or in a zip archive, listed in natural order and read one by one; what leads outside is refused."""

import lzma
import os
import stat
import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Protocol
from zipfile import BadZipFile, ZipFile, ZipInfo

from tauscope.datasets.fingerprint import fingerprint_files
from tauscope.datasets.natural_order import natural_key
from tauscope.datasets.source import DatasetError

MAX_FILES = 5_000_000
MAX_RATIO = 200  # images and arrays shrink a few times at most; deflate alone reaches 1,032, and only on a bomb
MAX_UNPACKED = 2**40
# What reading a member of a damaged archive raises, by where the damage is.
MEMBER_DAMAGE = (BadZipFile, RuntimeError, OSError, EOFError, KeyError, ValueError, struct.error, zlib.error, lzma.LZMAError)
_SMALL = 2**24  # below this an archive is harmless at any ratio
_LOCAL_HEADER = 30  # bytes of a zip member's header before its name
_IGNORED = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini", "lost+found"})


class FileTree(Protocol):
    """Files by name."""

    @property
    def root(self) -> Path: ...
    @property
    def names(self) -> tuple[str, ...]:
        """Every file's name below the root, with forward slashes, in natural order; hidden files are passed over."""
        ...

    def read(self, name: str) -> bytes:
        """The content of one file; raises ValueError with the reason if it cannot be had."""
        ...

    def place(self, name: str) -> str: ...

    def fingerprint(self, names: Iterable[str]) -> str: ...


class FolderTree:
    """A folder of the file system. Links that leave it are refused, hidden files passed over."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        # Lists of a million names: strings, for paths would take several times as long.
        start = len(os.path.join(self.root, ""))  # noqa: PTH118
        self.names = _in_natural_order(path[start:] for path in self._walk(str(self.root)))

    def _walk(self, folder: str) -> Iterator[str]:
        try:
            with os.scandir(folder) as found:
                for item in found:
                    if not _hidden(item.name):
                        yield from self._visit(item)
        except PermissionError as error:
            raise DatasetError(f"{folder} may not be read by this user", "Give the user that runs Tauscope the right to read it") from error

    def _visit(self, item: os.DirEntry[str]) -> Iterator[str]:
        if item.is_symlink():
            self._refuse_outside(Path(item.path))
        if item.is_dir(follow_symlinks=False):
            yield from self._walk(item.path)
        elif item.is_file():
            yield item.path

    def _refuse_outside(self, link: Path) -> None:
        target = link.resolve()
        if not target.is_relative_to(self.root):
            raise DatasetError(
                f"{link} is a link to {target}, outside of {self.root}",
                "Name the folder that really holds the images, or put copies in the place of the links",
            )

    def read(self, name: str) -> bytes:
        try:
            return (self.root / name).read_bytes()
        except OSError as error:
            raise ValueError(error.strerror or str(error)) from error

    def place(self, name: str) -> str:
        # A name that is no UTF-8 is told as Python writes it, for it could not be printed.
        return str(self.root / name).encode("utf-8", "backslashreplace").decode()

    def fingerprint(self, names: Iterable[str]) -> str:
        return fingerprint_files((self.root / name for name in names), root=self.root, kind="own files 1")


class ZipTree:
    """A zip archive, read without unpacking it to the disk."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._archive = open_archive(self.root)
        members = (item.filename for item in self._archive.infolist() if not item.is_dir())
        self.names = _in_natural_order(name for name in members if not any(map(_hidden, PurePosixPath(name).parts)))

    def read(self, name: str) -> bytes:
        try:
            return self._archive.read(name)
        except MEMBER_DAMAGE as error:
            raise ValueError(f"damaged in the archive: {error}") from error

    def place(self, name: str) -> str:
        return f"{self.root}: {name}"

    def fingerprint(self, names: Iterable[str]) -> str:
        return fingerprint_files([self.root], root=self.root.parent, kind="own zip 1")


def open_archive(path: Path) -> ZipFile:
    """Open a zip archive whose members are all inside of it and not absurdly larger than it.

    Raises:
        DatasetError: if it is damaged, encrypted, a bomb, or a member's path leads outside.
    """
    try:
        archive = ZipFile(path)
    except MEMBER_DAMAGE as error:
        raise DatasetError(f"{path} is not a whole zip archive: {error}", "Copy or fetch it again; `unzip -t` must accept it") from error
    try:
        _refuse_unsafe(path, archive.infolist())
    except DatasetError:
        archive.close()
        raise
    return archive


def member_start(path: Path, item: ZipInfo) -> int:
    """Where a stored member begins; the lengths in its own header may differ from those in the archive's directory."""
    with path.open("rb") as file:
        file.seek(item.header_offset)
        header = file.read(_LOCAL_HEADER)
    return item.header_offset + _LOCAL_HEADER + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")


def _refuse_unsafe(path: Path, members: list[ZipInfo]) -> None:
    unpacked, packed = sum(item.file_size for item in members), path.stat().st_size
    if unpacked > MAX_UNPACKED or (unpacked > _SMALL and unpacked > MAX_RATIO * packed):
        raise DatasetError(
            f"{path} is a zip bomb: {packed:,} bytes claim to hold {unpacked:,}",
            f"Nothing was unpacked. An archive may hold {MAX_RATIO} times its size and {MAX_UNPACKED:,} bytes; pack the images anew",
        )
    if len(members) > MAX_FILES:
        raise DatasetError(f"{path} has {len(members):,} members", f"Use at most {MAX_FILES:,} files, or a parquet file")
    for item in members:
        _refuse_member(path, item)
    twice = [name for name, count in Counter(item.filename for item in members).items() if count > 1]
    if twice:
        raise DatasetError(f"{path} holds {twice[0]} twice", "Pack the archive anew; which of them is meant cannot be known")


def _refuse_member(path: Path, item: ZipInfo) -> None:
    name = item.filename
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        raise DatasetError(f"{path} holds {name!r}, a path that leads out of the archive", "Pack the images anew with relative paths")
    if stat.S_ISLNK(item.external_attr >> 16):
        raise DatasetError(f"{path} holds the link {name!r}", "Pack the files themselves: zip -r without --symlinks")
    if item.flag_bits & 1:
        raise DatasetError(f"{path} is encrypted", "Unpack it with its password and name the folder")


def _hidden(name: str) -> bool:
    return name.startswith(".") or name in _IGNORED


def _in_natural_order(names: Iterable[str]) -> tuple[str, ...]:
    listed = list(islice(names, MAX_FILES + 1))
    if len(listed) > MAX_FILES:
        raise DatasetError(f"there are more than {MAX_FILES:,} files", "Name the folder that holds the images alone")
    return tuple(sorted(listed, key=natural_key))
