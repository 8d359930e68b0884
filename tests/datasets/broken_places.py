"""More than sixty places that hold no usable images, each with the words that name its fault and its remedy."""

import io
import json
import os
import pickle
import stat
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from tests.datasets.own_files import encoded, pictures, save_to_disk, table, write_files, write_parquet, write_zip

ONE = pictures(1)[0]
MANY = pictures(40, height=8, width=8)


@dataclass(frozen=True)
class Broken:
    """How to make the place, and what must be said of it."""

    make: Callable[[Path], Path]
    fault: str
    remedy: str


class Trap:
    """Runs when a pickle of it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("sprung",)


def holding(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        (root / name).write_bytes(content)
        return root / name

    return make


def folder_of(**files: bytes) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        for name, content in files.items():
            path = root / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return root

    return make


def mixture(root: Path) -> Path:
    return write_files(root, ["logo.png", "cat/1.png", "dog/1.png"], pictures(3))


def one_damaged(content: bytes) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        write_files(root, [f"{index}.png" for index in range(40)], MANY)
        (root / "7.png").write_bytes(content)
        return root

    return make


def link_outside(root: Path) -> Path:
    write_files(root / "secret", ["a.png"], [ONE])
    write_files(root / "images", ["b.png"], [ONE])
    (root / "images" / "a.png").symlink_to(root / "secret" / "a.png")
    return root / "images"


def linked_folder_outside(root: Path) -> Path:
    write_files(root / "secret", ["a.png"], [ONE])
    write_files(root / "images", ["b.png"], [ONE])
    (root / "images" / "more").symlink_to(root / "secret")
    return root / "images"


def zip_of(**members: bytes) -> Callable[[Path], Path]:
    return lambda root: write_zip(root / "x.zip", {name.replace("_dot_", "."): content for name, content in members.items()})


def zip_escape(name: str) -> Callable[[Path], Path]:
    return lambda root: write_zip(root / "x.zip", {"a.png": encoded(ONE), name: encoded(ONE)})


def zip_bomb(root: Path) -> Path:
    return write_zip(root / "x.zip", {"a.bmp": bytes(40_000_000)})


def zip_link(root: Path) -> Path:
    link = zipfile.ZipInfo("a.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(root / "x.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    return root / "x.zip"


def zip_encrypted(root: Path) -> Path:
    path = write_zip(root / "x.zip", {"a.png": encoded(ONE)})
    data = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + flags] |= 1
    path.write_bytes(data)
    return path


def zip_truncated(root: Path) -> Path:
    path = write_zip(root / "x.zip", {f"{index}.png": encoded(image) for index, image in enumerate(MANY)})
    path.write_bytes(path.read_bytes()[:-500])
    return path


def zip_damaged_member(root: Path) -> Path:
    path = write_zip(root / "x.zip", {f"{index}.png": encoded(image) for index, image in enumerate(MANY)}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[60] ^= 255
    path.write_bytes(data)
    return path


def array(values: np.ndarray) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        np.save(root / "x.npy", values, allow_pickle=True)
        return root / "x.npy"

    return make


def arrays(**values: np.ndarray) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        np.savez(root / "x.npz", **values)
        return root / "x.npz"

    return make


def array_cut(root: Path) -> Path:
    path = array(MANY)(root)
    path.write_bytes(path.read_bytes()[:2000])
    return path


def array_bomb(root: Path) -> Path:
    np.savez_compressed(root / "x.npz", images=np.zeros((2_000, 128, 128), np.uint8))
    return root / "x.npz"


def tensor(saved: object) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        torch.save(saved, root / "x.pt")
        return root / "x.pt"

    return make


def tensor_beyond_storage(root: Path) -> Path:
    """A file that says of a storage of 4 bytes that it is a tensor of a thousand."""
    path = tensor(torch.zeros(4, dtype=torch.uint8))(root)
    with zipfile.ZipFile(path) as archive:
        members = {item.filename: archive.read(item) for item in archive.infolist()}
    name = next(name for name in members if name.endswith("data.pkl"))
    members[name] = members[name].replace(b"K\x04\x85", b"M" + struct.pack("<H", 1000) + b"\x85")
    return write_zip(path, members, zipfile.ZIP_STORED)


def described(description: bytes) -> Callable[[Path], Path]:
    """A .pt file whose description of the tensors is these bytes of a pickle."""
    return lambda root: write_zip(root / "x.pt", {"x/data.pkl": description, "x/version": b"3\n"}, zipfile.ZIP_STORED)


def parquet(**columns: list[object]) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        pq.write_table(pa.table(columns), root / "x.parquet")
        return root / "x.parquet"

    return make


def parquet_cut(root: Path) -> Path:
    path = write_parquet(root / "x.parquet", table(MANY, [0] * 40))
    path.write_bytes(path.read_bytes()[:-100])
    return path


def parquet_of_two_sets(root: Path) -> Path:
    write_parquet(root / "a.parquet", table(MANY, [0] * 40))
    write_parquet(root / "b.parquet", pa.table({"image": [encoded(ONE)]}))
    return root


def parquet_naming(path: str) -> Callable[[Path], Path]:
    return lambda root: write_parquet(root / "x" / "x.parquet", table(MANY, [0] * 40, paths=[path] * 40))


def saved_without_its_file(root: Path) -> Path:
    path = save_to_disk(root / "saved", table(MANY, [0] * 40))
    next(path.glob("*.arrow")).unlink()
    return path


def saved_damaged(root: Path) -> Path:
    path = save_to_disk(root / "saved", table(MANY, [0] * 40))
    next(path.glob("*.arrow")).write_bytes(b"nothing of the kind")
    return path


def saved_selection(root: Path) -> Path:
    path = save_to_disk(root / "saved", table(MANY, [0] * 40))
    state = json.loads((path / "state.json").read_text())
    (path / "state.json").write_text(json.dumps(state | {"_indices_data_files": [{"filename": "indices.arrow"}]}))
    return path


def metadata(text: str) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        write_files(root, ["1.png"], [ONE])
        (root / "metadata.csv").write_text(text)
        return root

    return make


def legacy_tensor(root: Path) -> Path:
    torch.save(torch.zeros(4, 8, 8), root / "x.pt", _use_new_zipfile_serialization=False)
    return root / "x.pt"


def npz_with_objects() -> bytes:
    content = io.BytesIO()
    np.savez(content, images=np.array([Trap()], dtype=object))
    return content.getvalue()


NO_SUFFIX = "Files that end with"
BROKEN = {
    "nothing there": Broken(lambda root: root / "nowhere", "does not exist", "Set dataset.path"),
    "impossible name": Broken(lambda root: root / ("a" * 300), "File name too long", "dataset.path to another place"),
    "home of nobody": Broken(lambda root: Path("~nobody-of-this-name/faces"), "cannot be read", "dataset.path to another place"),
    "empty folder": Broken(lambda root: root, "an empty folder", NO_SUFFIX),
    "folder of text": Broken(folder_of(notes_dot_txt=b"x"), "found notes.txt", NO_SUFFIX),
    "only hidden files": Broken(folder_of(**{"_dot_a_dot_png": encoded(ONE)}), "no image file", NO_SUFFIX),
    "scans": Broken(folder_of(scan_dot_dcm=b"DICM"), "scan.dcm", "16-bit PNG"),
    "folder of archives": Broken(folder_of(a_dot_zip=b"PK"), "a.zip", "Name one zip archive"),
    "folder of one array": Broken(folder_of(a_dot_npy=b"x"), "a.npy", "Name the .npy file itself"),
    "CIFAR-10": Broken(folder_of(data_batch_1=b"x", batches_dot_meta=b"x"), "no image file", "set dataset.name to cifar10"),
    "images beside class folders": Broken(mixture, "logo.png", "Put every image into a class folder"),
    "link to a file outside": Broken(link_outside, "outside of", "put copies in the place of the links"),
    "link to a folder outside": Broken(linked_folder_outside, "outside of", "put copies in the place of the links"),
    "one image": Broken(holding("a.png", encoded(ONE)), "is one image", "Name the folder"),
    "unknown file": Broken(holding("a.xyz", b"\x89HDF"), "a file of 4 bytes", "PNG files in a folder"),
    "image of no bytes": Broken(one_damaged(b""), "7.png: the file is empty", "Replace them by intact copies"),
    "truncated image": Broken(
        one_damaged(encoded(pictures(1, height=64, width=64)[0])[:-900]), "7.png: image file is truncated", "set dataset.unreadable to skip"
    ),
    "text named png": Broken(one_damaged(b"<html>not found</html>"), "7.png: its content is none of", "set dataset.unreadable to skip"),
    "too few images": Broken(folder_of(a_dot_png=encoded(ONE), b_dot_png=encoded(ONE)), "2 images are too few", "at least 34"),
    "tar archive": Broken(holding("faces.tar.gz", b"\x1f\x8b"), "is none of what is accepted", "Unpack it and name the folder"),
    "pixels in a table": Broken(holding("mnist.csv", b"5,0,0"), "is none of what is accepted", "one .npy array"),
    "zip cut off": Broken(zip_truncated, "not a whole zip archive", "Copy or fetch it again"),
    "text named zip": Broken(holding("a.zip", b"hello"), "not a whole zip archive", "Copy or fetch it again"),
    "zip without images": Broken(zip_of(notes_dot_txt=b"x"), "notes.txt", NO_SUFFIX),
    "zip of scans": Broken(zip_of(scan_dot_dcm=b"x"), "scan.dcm", "DICOM"),
    "zip bomb": Broken(zip_bomb, "zip bomb", "pack the images anew"),
    "zip that climbs out": Broken(zip_escape("../../a.png"), "leads out of the archive", "relative paths"),
    "zip with an absolute path": Broken(zip_escape("/tmp/a.png"), "leads out of the archive", "relative paths"),
    "zip with a drive": Broken(zip_escape("C:\\a.png"), "leads out of the archive", "relative paths"),
    "zip with a link": Broken(zip_link, "holds the link 'a.png'", "Pack the files themselves"),
    "encrypted zip": Broken(zip_encrypted, "is encrypted", "Unpack it with its password"),
    "zip with a damaged image": Broken(zip_damaged_member, "damaged in the archive", "Replace them by intact copies"),
    "pickled array": Broken(array(np.array([Trap()], dtype=object)), "pickled Python objects", "numpy.save(path, images)"),
    "pickled array in npz": Broken(holding("x.npz", npz_with_objects()), "pickled Python objects", "numpy.save(path, images)"),
    "array cut off": Broken(array_cut, "cannot be read as NumPy's file", "Write it again"),
    "text named npy": Broken(holding("a.npy", b"hello"), "cannot be read as NumPy's file", "Write it again"),
    "compressed array bomb": Broken(array_bomb, "zip bomb", "may hold 200 times its size"),
    "five channels": Broken(array(np.zeros((4, 5, 8, 8), np.uint8)), "4x5x8x8: neither axis", "1 channel or 3"),
    "channels on either side": Broken(array(np.zeros((4, 3, 8, 3), np.uint8)), "4x3x8x3: either axis", "NHWC or NCHW"),
    "five axes": Broken(array(np.zeros((2, 2, 2, 8, 8), np.uint8)), "has 5 axes", "NHW, NHWC or NCHW"),
    "no rows": Broken(array(np.zeros((0, 8, 8), np.uint8)), "is empty", "with the images in it"),
    "whole numbers of 64 bits": Broken(array(np.zeros((40, 8, 8), np.int64)), "holds int64", "Save it as uint8"),
    "floats in 0 to 255": Broken(array(np.full((40, 8, 8), 255.0)), "from 255 to 255", "Save them in [0, 1]"),
    "not a number": Broken(
        array(np.where(np.arange(40)[:, None, None] == 3, np.nan, np.zeros((40, 8, 8)))), "first in image 3", "Remove that"
    ),
    "arrays of unknown names": Broken(arrays(foo=MANY, bar=MANY), "foo uint8[40, 8, 8, 3], bar", "Name the images `images`"),
    "fewer labels than images": Broken(arrays(images=MANY, labels=np.zeros(39, int)), "40 images and 39 labels", "as many labels"),
    "tensor of half the precision": Broken(tensor(torch.zeros(4, 8, 8, dtype=torch.bfloat16)), "BFloat16Storage", "Save plain tensors"),
    "a model": Broken(tensor(torch.nn.Linear(1, 1)), "torch.nn.modules.linear.Linear, which could run code", "Save plain tensors"),
    "weights of a network": Broken(
        tensor(torch.nn.Sequential(torch.nn.Conv2d(1, 8, 3), torch.nn.Linear(1, 1)).state_dict()), "holds no array", "Name the images"
    ),
    "a number": Broken(tensor(3), "holds no tensor but one int", "Save a tensor"),
    "pickle that runs code": Broken(described(pickle.dumps(Trap())), "mkdir, which could run code", "Save plain tensors"),
    "pickle that claims four billion objects": Broken(
        described(b"\x80\x02Nr\xff\xff\xff\xff."), "no tensor but one NoneType", "Save a tensor"
    ),
    "pickle that changes its reader": Broken(
        described(b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nN}X\x01\x00\x00\x00aNs\x86b."), "is damaged", "Save it again"
    ),
    "tensor beyond its bytes": Broken(tensor_beyond_storage, "is damaged", "Save it again"),
    "tensor of an old format": Broken(legacy_tensor, "not a whole file of today's torch.save", "save it again"),
    "parquet cut off": Broken(parquet_cut, "not a whole parquet file", "Copy or fetch it again"),
    "parquet of numbers": Broken(parquet(x=[1, 2]), "its columns are x (int64)", "Store encoded images"),
    "parquet of two data sets": Broken(parquet_of_two_sets, "has other columns", "one data set"),
    "parquet that names a file outside": Broken(parquet_naming("../../etc/passwd"), "outside of", "Replace them by intact copies"),
    "parquet that names nothing": Broken(parquet_naming("a.png"), "which is not there", "Replace them by intact copies"),
    "save_to_disk without its file": Broken(saved_without_its_file, "data-00000-of-00001.arrow is missing", "Copy the whole folder"),
    "save_to_disk of something else": Broken(saved_damaged, "not a whole Arrow file", "save_to_disk"),
    "save_to_disk of a selection": Broken(saved_selection, "selection of rows", "flatten_indices"),
    "metadata without names": Broken(metadata("a,b\n1,2\n"), "no column file_name", "Name each image"),
    "metadata of a lost image": Broken(metadata("file_name\n2.png\n"), "no image 2.png", "Put the file there"),
    "metadata that climbs out": Broken(metadata("file_name\n../2.png\n"), "no image ../2.png", "Put the file there"),
}
