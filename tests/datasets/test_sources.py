"""Every known data set opens in each of its layouts, in its order; anything else is refused with what was expected and found."""

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy import ndarray
from PIL import Image

from tauscope.datasets import DATASETS, DatasetError, dataset_views
from tauscope.datasets.image_list import ImageList, UnreadableImageError
from tests.datasets import made


def pictures(images: ImageList) -> ndarray:
    return np.stack([images.picture(index) for index in range(len(images))])


FASHION: dict[str, Callable[[Path], ndarray]] = {
    "packed": lambda root: made.write_idx(root),
    "unpacked": lambda root: made.write_idx(root, packed=False),
    "dotted": lambda root: made.write_idx(root, packed=False, dotted=True),
    "torchvision": lambda root: made.write_idx(root / "FashionMNIST/raw", packed=False),
    "hub": lambda root: made.write_parquet(root),
    "hub-folder": lambda root: made.write_parquet(root / "fashion_mnist"),
}


@pytest.mark.parametrize("layout", FASHION)
def test_fashion_mnist_opens_in_every_layout_training_images_first(tmp_path: Path, layout: str) -> None:
    expected = FASHION[layout](tmp_path)
    images = DATASETS["fashion_mnist"].open(str(tmp_path))
    assert np.array_equal(pictures(images).squeeze(), expected.squeeze())
    assert list(images.labels()) == [index % 10 for index in range(64)]  # type: ignore[arg-type]
    assert not DATASETS["fashion_mnist"].missing(str(tmp_path))


def test_labels_of_another_set_are_refused(tmp_path: Path) -> None:
    made.write_idx(tmp_path, packed=False)
    made.write_idx(tmp_path / "other", n=(49, 15), packed=False)
    (tmp_path / "other/train-labels-idx1-ubyte").rename(tmp_path / "train-labels-idx1-ubyte")
    with pytest.raises(DatasetError, match="train-labels-idx1-ubyte holds 49 labels for 50 images"):
        DATASETS["fashion_mnist"].open(str(tmp_path)).labels()


def test_idx_files_without_labels_open_without_labels(tmp_path: Path) -> None:
    made.write_idx(tmp_path, labels=False)
    assert DATASETS["fashion_mnist"].open(str(tmp_path)).labels() is None


CIFAR: dict[str, Callable[[Path], ndarray]] = {
    "batches": lambda root: made.write_cifar(root),
    "unpacked-archive": lambda root: made.write_cifar(root / "cifar-10-batches-py"),
    "hub": lambda root: made.write_parquet(root / "plain_text", image="img", channels=3),
}


@pytest.mark.parametrize("layout", CIFAR)
def test_cifar10_opens_in_every_layout_in_colour_training_images_first(tmp_path: Path, layout: str) -> None:
    expected = CIFAR[layout](tmp_path)
    images = DATASETS["cifar10"].open(str(tmp_path))
    expected = expected if layout == "hub" else expected.transpose(0, 2, 3, 1)
    assert np.array_equal(pictures(images), expected)
    assert images.labels() is not None and len(images.labels()) == len(expected)  # type: ignore[arg-type]


@pytest.mark.parametrize("inside", ["celeba/img_align_celeba", "img_align_celeba/img_align_celeba", "img_align_celeba", "."])
def test_celeba_opens_in_every_layout_in_natural_order(tmp_path: Path, inside: str) -> None:
    made.write_jpegs(tmp_path / inside)
    images = DATASETS["celeba"].open(str(tmp_path))
    assert [Path(images.place(index)).name for index in range(12)] == [f"{number}.jpg" for number in range(1, 13)]
    assert images.picture(1).shape == (218, 178, 3)
    assert np.array_equal(images.picture(1), np.asarray(Image.open(tmp_path / inside / "2.jpg")))


@pytest.mark.parametrize("inside", ["ORL_faces", "."])
def test_orl_faces_open_person_by_person(tmp_path: Path, inside: str) -> None:
    made.write_faces(tmp_path / inside)
    images = DATASETS["orl_faces"].open(str(tmp_path))
    assert list(images.labels()) == [person for person in range(11) for _ in range(10)]  # type: ignore[arg-type]
    assert images.place(19).endswith("s2/10.pgm") and images.place(109).endswith("s11/10.pgm")
    assert images.picture(0).shape == (112, 92, 1)


def test_mnist5k_opens_shuffled_for_its_file_is_sorted_by_digit(tmp_path: Path) -> None:
    rows = made.write_mnist5k(tmp_path / "mnist_5k.csv.gz")
    for path in (tmp_path, tmp_path / "mnist_5k.csv.gz"):
        images = DATASETS["mnist5k"].open(str(path))
        labels = images.labels()
        assert labels is not None and len(set(labels[:6])) > 1
        held = np.concatenate([pictures(images).reshape(60, 784), labels[:, None]], 1)
        assert np.array_equal(held[np.lexsort(held.T)], rows[np.lexsort(rows.T)])


@pytest.mark.parametrize("name", ["fashion_mnist", "cifar10", "celeba", "orl_faces"])
def test_another_layout_is_refused_with_what_is_accepted_and_what_was_found(tmp_path: Path, name: str) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.txt").touch()
    with pytest.raises(DatasetError) as refused:
        DATASETS[name].open(str(tmp_path))
    assert all(layout in refused.value.remedy for layout in DATASETS[name].layouts)
    assert "Found: photos/ (a.txt)" in refused.value.remedy
    assert "Found: nothing of that name" in DATASETS[name].missing(str(tmp_path / "nowhere"))


DAMAGES: dict[str, tuple[str, Callable[[Path], object], str, str]] = {
    "idx-cut-off": (
        "train-images-idx3-ubyte",
        lambda file: file.write_bytes(file.read_bytes()[:-1]),
        "fashion_mnist",
        "39,199 bytes where",
    ),
    "idx-of-labels": (
        "train-images-idx3-ubyte",
        lambda file: file.write_bytes(b"\0\0\x08\x01" + bytes(20)),
        "fashion_mnist",
        "no idx file",
    ),
    "idx-packed-in-name-only": (
        "t10k-images-idx3-ubyte",
        lambda file: file.rename(f"{file}.gz"),
        "fashion_mnist",
        "t10k-images-idx3-ubyte.gz is damaged",
    ),
    "batch-of-other-things": ("data_batch_2", lambda file: file.write_bytes(b"\x80\x02]."), "cifar10", "data_batch_2 is no batch"),
    "batch-cut-off": ("test_batch", lambda file: file.write_bytes(file.read_bytes()[:-9]), "cifar10", "test_batch is no batch"),
    "batch-empty": ("data_batch_1", lambda file: file.write_bytes(b""), "cifar10", "data_batch_1 is no batch"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_with_the_remedy(tmp_path: Path, damage: str) -> None:
    name, spoil, source, words = DAMAGES[damage]
    made.write_idx(tmp_path, packed=False)
    made.write_cifar(tmp_path)
    spoil(tmp_path / name)
    with pytest.raises(DatasetError, match=words) as refused:
        pictures(DATASETS[source].open(str(tmp_path)))
    assert refused.value.remedy


def test_a_gz_file_that_is_cut_off_is_named(tmp_path: Path) -> None:
    made.write_idx(tmp_path)
    file = tmp_path / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(DatasetError, match="train-images-idx3-ubyte"):
        pictures(DATASETS["fashion_mnist"].open(str(tmp_path)))


@pytest.mark.parametrize(
    "content",
    [b"1,2,3\n", b"\x1f\x8b", *(gzip.compress(text) for text in (b"0,1,x\n", b"0,300\n", b"1,2\n"))],
    ids=["not packed", "cut off", "a word", "beyond a byte", "ragged"],
)
def test_a_damaged_mnist_file_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "mnist_5k.csv.gz"
    file.write_bytes(content)
    with pytest.raises(DatasetError, match="is no intact"):
        DATASETS["mnist5k"].open(str(file))


def test_a_parquet_row_without_an_image_is_named_and_one_that_reaches_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    from pyarrow import parquet, table

    from tauscope.datasets.image_tables import parquet_images

    Image.fromarray(made.pixels(8, 8)).save(tmp_path / "outside.png")
    shutil.copy(tmp_path / "outside.png", tmp_path / "x.png")
    (tmp_path / "set").mkdir()
    shutil.copy(tmp_path / "x.png", tmp_path / "set/inside.png")
    rows = [{"bytes": None, "path": path} for path in ("inside.png", None, "../outside.png")] + [{"bytes": b"no png", "path": None}]
    parquet.write_table(table({"image": rows}), tmp_path / "set/a.parquet")
    images = parquet_images([tmp_path / "set/a.parquet"])
    assert images.picture(0).shape == (8, 8, 1) and images.labels() is None
    for row, words in ((1, "is empty"), (2, "outside"), (3, "is none of")):
        with pytest.raises(UnreadableImageError, match=rf"row {row} of .*a\.parquet: .*{words}"):
            images.picture(row)


def test_what_is_no_table_of_images_is_refused(tmp_path: Path) -> None:
    from pyarrow import parquet, table

    for part in ("train", "test"):
        parquet.write_table(table({"text": ["a"]}), tmp_path / f"{part}-0.parquet")
    with pytest.raises(DatasetError, match="has no column of images: its columns are text"):
        DATASETS["cifar10"].open(str(tmp_path))
    (tmp_path / "train-0.parquet").write_bytes(b"PAR")
    with pytest.raises(DatasetError, match=r"train-0\.parquet"):
        DATASETS["cifar10"].open(str(tmp_path))


@pytest.mark.parametrize("name", DATASETS)
def test_a_card_names_licence_and_source_and_what_to_do_where_it_is_missing(name: str) -> None:
    card = {view.name: view for view in dataset_views()}[name]
    assert card.licence and card.source and card.description and card.attribution
    assert card.available or card.remedy


REAL = {"mnist5k": (5000, (28, 28, 1), 10), "fashion_mnist": (70_000, (28, 28, 1), 10), "orl_faces": (400, (112, 92, 1), 40)}


@pytest.mark.parametrize("name", REAL)
def test_the_real_files_hold_what_their_cards_say(name: str) -> None:
    source = DATASETS[name]
    if source.missing(None):
        pytest.skip(source.missing(None))
    images = source.open(None)
    n, shape, n_classes = REAL[name]
    labels = images.labels()
    assert len(images) == source.n_images == n and images.picture(n - 1).shape == shape
    assert labels is not None and np.array_equal(np.bincount(labels), np.full(n_classes, n // n_classes))
