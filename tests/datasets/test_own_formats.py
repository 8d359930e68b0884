"""Every format gives back the pixels and the classes that were written, in an order that depends on nothing but the number of images."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy import ndarray

from tauscope.datasets import find_dataset, load_split
from tauscope.datasets.checking import check_images
from tauscope.datasets.image_list import ImageList
from tauscope.datasets.images import recognise
from tauscope.specs.dataset import DatasetSpec
from tests.datasets.own_files import encoded, pictures, save_to_disk, table, write_files, write_parquet, write_zip

N = 12
PIXELS = pictures(N)
LABELS = [index % 2 for index in range(N)]
FLAT = [f"img{index}.png" for index in range(N)]
CLASSED = [f"{('cat', 'dog')[label]}/{index}.png" for index, label in enumerate(LABELS)]
UNSIGNED, SIGNED = PIXELS / 255, PIXELS / 127.5 - 1


def in_splits(root: Path) -> Path:
    names = [f"{'train' if index < 8 else 'test'}/{name}" for index, name in enumerate(CLASSED)]
    return write_files(root, names, PIXELS)


def zipped(root: Path) -> Path:
    members = {f"faces/{name}": encoded(image) for name, image in zip(CLASSED, PIXELS, strict=True)}
    junk = {"__MACOSX/faces/cat/._0.png": b"\0", "faces/.DS_Store": b"\0", "faces/readme.txt": b"hello"}
    return write_zip(root / "faces.zip", members | junk)


def nested(root: Path) -> Path:
    write_files(root / "img" / "img", FLAT, PIXELS)
    (root / ".hidden.png").write_bytes(b"")
    return root


def with_metadata(root: Path, name: str) -> Path:
    write_files(root / "train", FLAT, PIXELS)
    named = zip(FLAT, LABELS, strict=True)
    rows = (
        ["file_name,label", *(f"{file},{('cat', 'dog')[label]}" for file, label in named)]
        if name.endswith("csv")
        else [f'{{"file_name": "{file}", "label": "{("cat", "dog")[label]}"}}' for file, label in named]
    )
    (root / "train" / name).write_text("\n".join(rows) + "\n")
    return root


def numpy_file(root: Path, images: ndarray) -> Path:
    np.save(root / "x.npy", images)
    return root / "x.npy"


def numpy_files(root: Path, *, compressed: bool = False, **arrays: ndarray) -> Path:
    (np.savez_compressed if compressed else np.savez)(root / "x.npz", **arrays)
    return root / "x.npz"


def torch_file(root: Path, saved: object) -> Path:
    torch.save(saved, root / "x.pt")
    return root / "x.pt"


def parquet_parts(root: Path) -> Path:
    write_parquet(root / "data" / "test-00000-of-00001.parquet", table(PIXELS[8:], LABELS[8:]))
    write_parquet(root / "data" / "train-00000-of-00001.parquet", table(PIXELS[:8], LABELS[:8]))
    return root


def parquet_with_paths(root: Path) -> Path:
    write_files(root / "pictures", FLAT, PIXELS)
    return write_parquet(root / "x.parquet", table(PIXELS, LABELS, paths=[f"pictures/{name}" for name in FLAT]))


def saved_splits(root: Path) -> Path:
    save_to_disk(root / "test", table(PIXELS[8:], LABELS[8:]))
    save_to_disk(root / "train", table(PIXELS[:8], LABELS[:8]))
    (root / "dataset_dict.json").write_text('{"splits": ["test", "train"]}')
    return root


NCHW = PIXELS.transpose(0, 3, 1, 2)
GOOD: dict[str, tuple[Callable[[Path], Path], str, bool]] = {
    "flat folder": (lambda root: write_files(root, FLAT, PIXELS), "image_folder", False),
    "class folders": (lambda root: write_files(root, CLASSED, PIXELS), "image_folder", True),
    "class folders below splits": (in_splits, "image_folder", True),
    "zip of a folder of class folders": (zipped, "image_folder", True),
    "nested single folders": (nested, "image_folder", False),
    "npy NHWC": (lambda root: numpy_file(root, PIXELS), "npy", False),
    "npy NCHW": (lambda root: numpy_file(root, NCHW), "npy", False),
    "npy float in [0, 1]": (lambda root: numpy_file(root, UNSIGNED.astype(np.float32)), "npy", False),
    "npy float in [-1, 1]": (lambda root: numpy_file(root, SIGNED), "arrays", False),
    "npy half": (lambda root: numpy_file(root, UNSIGNED.astype(np.float16)), "arrays", False),
    "npy 16 bits": (lambda root: numpy_file(root, PIXELS.astype(np.uint16) * 257), "arrays", False),
    "npy 16 bits, the other way round": (lambda root: numpy_file(root, (PIXELS.astype(np.uint16) * 257).astype(">u2")), "arrays", False),
    "npy in Fortran order": (lambda root: numpy_file(root, np.asfortranarray(PIXELS)), "arrays", False),
    "npz": (lambda root: numpy_files(root, images=PIXELS, labels=np.array(LABELS)), "npz", True),
    "npz in Fortran order": (lambda root: numpy_files(root, x=np.asfortranarray(PIXELS), y=np.array(LABELS)), "npz", True),
    "npz compressed": (lambda root: numpy_files(root, compressed=True, X=NCHW, y=np.array(LABELS)[:, None]), "npz", True),
    "npz of Keras": (
        lambda root: numpy_files(
            root, x_test=PIXELS[8:], y_test=np.array(LABELS[8:]), x_train=PIXELS[:8], y_train=np.array(LABELS[:8], np.uint8)
        ),
        "arrays",
        True,
    ),
    "npz of MedMNIST": (
        lambda root: numpy_files(
            root,
            train_images=PIXELS[:6],
            val_images=PIXELS[6:8],
            test_images=PIXELS[8:],
            train_labels=np.array(LABELS[:6])[:, None],
            val_labels=np.array(LABELS[6:8])[:, None],
            test_labels=np.array(LABELS[8:])[:, None],
        ),
        "arrays",
        True,
    ),
    "tensor": (lambda root: torch_file(root, torch.tensor(NCHW)), "pt", False),
    "tensor not contiguous": (lambda root: torch_file(root, torch.tensor(PIXELS).permute(0, 3, 1, 2)), "pt", False),
    "tensors in a dictionary": (
        lambda root: torch_file(root, {"images": torch.tensor(SIGNED).float(), "labels": torch.tensor(LABELS)}),
        "tensor",
        True,
    ),
    "pair of tensors": (lambda root: torch_file(root, (torch.tensor(PIXELS), torch.tensor(LABELS))), "tensor", True),
    "parquet": (lambda root: write_parquet(root / "x.parquet", table(PIXELS, LABELS)), "parquet", True),
    "parquet parts": (parquet_parts, "huggingface", True),
    "parquet that names files": (parquet_with_paths, "parquet", True),
    "save_to_disk": (lambda root: save_to_disk(root / "saved", table(PIXELS, LABELS)), "save_to_disk", True),
    "save_to_disk with splits": (saved_splits, "huggingface", True),
    "imagefolder with metadata.csv": (lambda root: with_metadata(root, "metadata.csv"), "imagefolder", True),
    "imagefolder with metadata.jsonl": (lambda root: with_metadata(root, "metadata.jsonl"), "imagefolder", True),
}


def by_content(images: ImageList) -> dict[bytes, int | None]:
    labels = images.labels()
    return {images.picture(index).tobytes(): None if labels is None else int(labels[index]) for index in range(len(images))}


@pytest.mark.parametrize("case", GOOD)
def test_a_format_gives_the_pixels_and_classes_that_were_written(case: str, tmp_path: Path) -> None:
    write, name, classed = GOOD[case]
    path = write(tmp_path)
    expected = {image.tobytes(): label if classed else None for image, label in zip(PIXELS, LABELS, strict=True)}
    source = find_dataset(name)
    assert source.missing(str(path)) == ""
    assert by_content(source.open(str(path))) == expected
    # Under the one name for all formats it is the same list.
    recognised = find_dataset("images").open(str(path))
    assert [recognised.place(index) for index in range(N)] == [source.open(str(path)).place(index) for index in range(N)]
    assert len({recognised.place(index) for index in range(N)}) == N


@pytest.mark.parametrize("shape", [(10, 12), (10, 12, 3), (10, 12, 1)])
def test_one_image_as_an_array_is_a_list_of_one(shape: tuple[int, ...], tmp_path: Path) -> None:
    pixels = pictures(1, channels=3)[0].reshape(-1)[: int(np.prod(shape))].reshape(shape)
    images = find_dataset("arrays").open(str(numpy_file(tmp_path, pixels)))
    assert len(images) == 1
    assert (images.picture(0) == pixels.reshape(10, 12, -1)).all()


def test_grey_images_without_an_axis_of_channels_are_told_from_colour(tmp_path: Path) -> None:
    images = find_dataset("arrays").open(str(numpy_file(tmp_path, PIXELS[..., 0])))
    assert len(images) == N
    assert images.picture(0).shape == (10, 12, 1)


def test_an_array_is_mapped_and_not_read(tmp_path: Path) -> None:
    """Four gigabytes that the disk does not hold either, for all are zero."""
    path = tmp_path / "sparse.npy"
    shape = (1_000_000, 64, 64, 1)
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        file.truncate(file.tell() + int(np.prod(shape)))
    program = (
        "import sys; from tauscope.datasets.arrays import Arrays\n"
        "images = Arrays().open(sys.argv[1]); images.picture(999_999)\n"
        # Not getrusage, whose maximum a child inherits from its parent.
        "print(len(images), next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    n_images, peak = map(int, subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, check=True).stdout.split())
    assert n_images == 1_000_000
    assert peak < 1_000_000, "kB; the array alone has 4,096,000"


def test_the_range_of_floats_is_said(tmp_path: Path) -> None:
    unsigned, signed = tmp_path / "unsigned", tmp_path / "signed"
    unsigned.mkdir()
    signed.mkdir()
    images = find_dataset("images")
    assert check_images(images, str(numpy_file(unsigned, UNSIGNED))).kinds[0].treatment == "0 to 1 scaled to 0 to 255"
    assert check_images(images, str(numpy_file(signed, SIGNED))).kinds[0].treatment == "-1 to 1 scaled to 0 to 255"


def test_labels_that_are_no_classes_are_told_and_not_used(tmp_path: Path) -> None:
    report = check_images(find_dataset("images"), str(numpy_files(tmp_path, images=PIXELS, labels=np.eye(N))))
    assert report.classes == ()
    assert any("are not used: they are float64[12, 12], not one whole number an image" in note for note in report.notes)


def test_the_order_is_fixed_and_mixes_the_classes(tmp_path: Path) -> None:
    labels = np.repeat([0, 1], 100)
    names = [f"{('cat', 'dog')[label]}/{index}.png" for index, label in enumerate(labels)]
    write_files(tmp_path / "a", names, pictures(200, height=4, width=4))
    write_files(tmp_path / "b", names[::-1], pictures(200, height=4, width=4)[::-1])
    first, second = (find_dataset("image_folder").open(str(tmp_path / folder)) for folder in "ab")
    relative = [
        [Path(images.place(index)).relative_to(tmp_path / folder) for index in range(200)]
        for images, folder in ((first, "a"), (second, "b"))
    ]
    assert relative[0] == relative[1]
    found = first.labels()
    assert found is not None
    # Of 50 drawn without replacement from 100 and 100, fewer than 12 of a kind have a probability below 1e-5.
    assert 12 <= found[-50:].sum() <= 38


def test_classes_count_in_natural_order(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{number}/x.png" for number in (10, 9, 1)], pictures(3))
    images = find_dataset("image_folder").open(str(tmp_path))
    labels = images.labels()
    assert labels is not None
    assert {Path(images.place(index)).parent.name: int(labels[index]) for index in range(3)} == {"1": 0, "9": 1, "10": 2}


def test_a_name_that_is_no_text_is_read_and_told(tmp_path: Path) -> None:
    write_files(tmp_path, ["a.png"], PIXELS[:1])
    (tmp_path / "a.png").rename(tmp_path / os.fsdecode(b"\xff.png"))
    images = find_dataset("images").open(str(tmp_path))
    assert (images.picture(0) == PIXELS[0]).all()
    assert images.place(0).encode() == f"{tmp_path}/\\udcff.png".encode()
    assert images.fingerprint()


def test_a_changed_file_has_another_fingerprint(tmp_path: Path) -> None:
    for write in (GOOD["flat folder"][0], zipped, parquet_parts, GOOD["tensor"][0]):
        root = tmp_path / str(len(list(tmp_path.iterdir())))
        root.mkdir()
        path = write(root)
        before = find_dataset("images").open(str(path)).fingerprint()
        assert find_dataset("images").open(str(path)).fingerprint() == before
        changed = path if path.is_file() else next(file for file in sorted(path.rglob("*")) if file.is_file())
        os.utime(changed, (1, 1))
        assert find_dataset("images").open(str(path)).fingerprint() != before


def test_the_same_files_under_another_name_are_another_list(tmp_path: Path) -> None:
    """CelebA stands in natural order, one's own images in a random one: prepared images of the one must not be taken for the other's."""
    (tmp_path / "1.jpg").write_bytes(encoded(PIXELS[0], "JPEG"))
    names = ("celeba", "image_folder")
    assert len({find_dataset(name).open(str(tmp_path)).fingerprint() for name in names}) == 2


def test_a_run_is_given_disjoint_slices_of_a_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAUSCOPE_CACHE", str(tmp_path / "cache"))
    labels = [index % 3 for index in range(80)]
    write_files(tmp_path / "own", [f"{label}/{index}.png" for index, label in enumerate(labels)], pictures(80))
    spec = DatasetSpec(name="images", path=str(tmp_path / "own"), n_train=16, subset=1, size=8, n_held_out=32, colour=True)
    split = load_split(spec)
    assert split.train.shape == (16, 3, 8, 8)
    assert split.held_out.shape == (32, 3, 8, 8)
    assert split.train_labels is not None
    assert not {image.tobytes() for image in split.train} & {image.tobytes() for image in split.held_out}
    assert load_split(spec).sha256() == split.sha256()


def test_the_file_of_torch_is_read_without_torch(tmp_path: Path) -> None:
    path = torch_file(tmp_path, torch.tensor(NCHW))
    program = (
        "import sys; from tauscope.datasets.tensor import SavedTensor\n"
        "SavedTensor().open(sys.argv[1]).picture(0); print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, check=True, text=True).stdout == "False\n"


def test_a_stored_member_of_npz_is_mapped(tmp_path: Path) -> None:
    from tauscope.datasets.arrays import _named

    path = numpy_files(tmp_path, images=PIXELS)
    assert isinstance(_named(path)["images"], np.memmap)
    with zipfile.ZipFile(path) as archive:
        assert archive.infolist()[0].compress_type == zipfile.ZIP_STORED


def test_a_format_is_recognised_by_its_path(tmp_path: Path) -> None:
    assert recognise(write_files(tmp_path / "f", ["a.png"], PIXELS[:1])).name == "image_folder"
    assert recognise(tmp_path / "x.NPZ").name == "arrays"
    assert recognise(tmp_path / "x.pth").name == "tensor"
