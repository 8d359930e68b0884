"""A run is given disjoint slices of one ordered list, with their classes, and keeps the record of what it was given."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tauscope.datasets import DATASETS, DatasetError, check_card, dataset_problems, load_split
from tauscope.specs import SpecError
from tauscope.specs.dataset import DatasetSpec
from tests.datasets import made


def test_digits_are_the_images_they_always_were() -> None:
    # The digest of the first slice as the first release of the loader gave it: every published run hangs on it.
    split = load_split(DatasetSpec(n_train=64, n_held_out=1000))
    assert split.sha256() == "ba1220e2d015108900d4c2d52d9f7552ac3fcb3fba3a24a3fa1cdc383e3802ea"
    assert split.train.dtype == np.uint8 and split.train.shape == (64, 1, 8, 8)


def test_labels_stand_beside_their_images() -> None:
    split = load_split(DatasetSpec(n_train=700, n_held_out=1000))
    assert split.train_labels is not None and split.held_out_labels is not None
    assert (len(split.train_labels), len(split.held_out_labels)) == (700, 1000)
    means = np.stack([split.train[split.train_labels == digit].mean(0).ravel() for digit in range(10)])
    distances = ((split.held_out.reshape(1000, 1, 64) - means) ** 2).sum(-1)
    assert (distances.argmin(1) == split.held_out_labels).mean() > 0.85, "the nearest class mean knows digits"


def celeba(path: Path, **fields: Any) -> DatasetSpec:
    return DatasetSpec.model_validate({"name": "celeba", "path": str(path), "n_train": 4, "n_held_out": 32, "size": 8, **fields})


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.write_jpegs(tmp_path_factory.mktemp("celeba") / "img_align_celeba", 60, size=(20, 24)).parent


def test_the_parts_are_disjoint_and_in_order(faces: Path) -> None:
    whole = load_split(celeba(faces, n_train=28)).train
    first, second = (load_split(celeba(faces, subset=subset, n_calibration=10)) for subset in (0, 1))
    assert np.array_equal(first.train, whole[:4]) and np.array_equal(second.train, whole[4:8])
    assert np.array_equal(first.calibration, whole[-10:])
    assert len(first.held_out) == 32 and np.array_equal(first.held_out, second.held_out)
    every = np.concatenate([whole, first.held_out]).reshape(60, -1)
    assert len(np.unique(every, axis=0)) == 60


def test_colour_has_three_channels_and_grey_is_made_of_it_before_the_resize(faces: Path) -> None:
    colour, grey = load_split(celeba(faces, colour=True)).train, load_split(celeba(faces)).train
    assert colour.shape == (4, 3, 8, 8) and grey.shape == (4, 1, 8, 8)
    luma = np.einsum("nchw,c->nhw", colour, [0.299, 0.587, 0.114])
    assert np.abs(luma - grey[:, 0]).max() <= 2.5, "apart from rounding at two places"


@pytest.mark.parametrize("name", ["digits", "mnist5k", "fashion_mnist", "orl_faces"])
def test_colour_of_grey_images_is_refused_at_the_field(name: str) -> None:
    spec = DatasetSpec.model_validate({"name": name, "n_train": 4, "n_held_out": 32, "colour": True})
    with pytest.raises(SpecError) as refused:
        check_card(spec)
    assert str(refused.value) == f"dataset.colour: the images of {name} are grey. Set dataset.colour to false"
    if not DATASETS[name].missing(None):
        assert [problem.path for problem in dataset_problems(spec)] == ["dataset.colour"]
        with pytest.raises(DatasetError, match="are grey"):
            load_split(spec)


def test_labels_are_refused_at_the_field_where_the_card_says_that_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as refused:
        check_card(celeba(tmp_path), labels=True)
    assert str(refused.value) == "network.classes: celeba has no labels. Leave network.classes out, or name a labelled data set"
    check_card(DatasetSpec(), labels=True)
    check_card(DatasetSpec(name="images", path=str(tmp_path)), labels=True)  # Only the images tell.


@pytest.mark.parametrize("name", [name for name, source in DATASETS.items() if source.labelled is not None])
def test_a_card_says_of_labels_what_the_images_do(name: str) -> None:
    if DATASETS[name].missing(None):
        pytest.skip(f"{name} is not on this machine")
    assert (DATASETS[name].open(None).labels() is not None) is DATASETS[name].labelled


def test_a_place_of_ones_own_is_asked_for_labels(tmp_path: Path) -> None:
    made.write_jpegs(tmp_path / "flat", 40, size=(20, 24))
    flat = DatasetSpec(name="images", path=str(tmp_path / "flat"), n_train=4, n_held_out=32)
    assert [problem.path for problem in dataset_problems(flat, labels=True)] == ["network.classes"]
    assert dataset_problems(flat) == ()
    for name in "ab":
        made.write_jpegs(tmp_path / "classes" / name, 20, size=(20, 24))
    assert dataset_problems(flat.model_copy(update={"path": str(tmp_path / "classes")}), labels=True) == ()


def test_too_few_images_says_how_many_there_are_and_were_asked(faces: Path, cache: Path) -> None:
    spec = celeba(faces, n_train=20, subset=1, n_calibration=3)
    with pytest.raises(DatasetError) as refused:
        load_split(spec)
    assert refused.value.message == (
        "celeba has 60 images, of which 32 are held out and 3 are for calibration; subset 1 of n_train = 20 needs the first 40"
    )
    assert refused.value.remedy.startswith("Ask for at most 25 training images in all")
    assert not cache.exists(), "nothing is prepared that cannot be used"
    assert [(problem.path, problem.message) for problem in dataset_problems(spec)] == [("dataset.n_train", refused.value.message)]


def test_an_unreadable_image_is_named_or_left_out_and_kept_in_the_record(tmp_path: Path) -> None:
    made.write_jpegs(tmp_path, 40, size=(20, 24))
    file = tmp_path / "3.jpg"
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(DatasetError) as refused:
        load_split(celeba(tmp_path))
    assert str(file) in refused.value.message and "dataset.unreadable to skip" in refused.value.remedy
    spec = celeba(tmp_path, unreadable="skip")
    split = load_split(spec)
    record = split.record(spec)
    assert record["sha256"] == split.sha256() and record["spec"]["unreadable"] == "skip"
    assert record["preparation"]["n_listed"] == 40 and record["preparation"]["n_enlarged"] == 0
    assert [item["place"] for item in record["preparation"]["unreadable"]] == [str(file)]
    (remark,) = record["remarks"]
    assert remark.startswith(f"1 of 40 images cannot be read and are left out, the first: {file} (")
    larger = celeba(tmp_path, unreadable="skip", size=32)
    assert load_split(larger).record(larger)["remarks"][1] == "39 of 39 images are smaller than 32 pixels and are enlarged"
    with pytest.raises(DatasetError, match="has 39 images"):
        load_split(celeba(tmp_path, unreadable="skip", n_train=8))


def test_labels_skip_what_the_images_skip(tmp_path: Path) -> None:
    made.write_faces(tmp_path, people=5)
    (tmp_path / "s1/2.pgm").write_bytes(b"")
    spec = DatasetSpec(name="orl_faces", path=str(tmp_path), n_train=17, n_held_out=32, size=8, unreadable="skip")
    split = load_split(spec)
    assert split.train_labels is not None and list(split.train_labels) == [0] * 9 + [1] * 8


def test_a_stored_spec_from_before_these_fields_reads_as_it_was_meant() -> None:
    spec = DatasetSpec.model_validate({"name": "celeba", "path": "/x", "n_train": 64, "subset": 0, "size": 32, "n_held_out": 1000})
    assert (spec.colour, spec.n_calibration, spec.unreadable) == (False, 0, "fail")
