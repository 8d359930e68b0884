"""``tauscope datasets``: the table of sets, what is at a place, and a data set of the hub brought here on demand alone."""

import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from typer.testing import CliRunner

from tauscope.cli.app import app
from tauscope.datasets import DATASETS, dataset_problems
from tauscope.specs.dataset import DatasetSpec
from tests.datasets.own_files import encoded, pictures, save_to_disk, table, write_files


def invoke(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["datasets", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def own_folder(root: Path, n: int = 40, **options: int) -> Path:
    return write_files(root / "own", [f"{('cat', 'dog')[index % 2]}/{index}.png" for index in range(n)], pictures(n, **options))


def test_the_data_sets_are_listed_with_and_without_the_word_list() -> None:
    bare, listed = invoke(), invoke("list")
    assert bare == listed
    assert all(name in bare[1] for name in DATASETS)
    assert [item["name"] for item in json.loads(invoke("list", "--json")[1])] == list(DATASETS)


def test_the_check_tells_sizes_modes_classes_and_a_spec_that_can_be_launched(tmp_path: Path) -> None:
    folder = own_folder(tmp_path, height=40, width=50)
    (folder / "cat" / "0.png").write_bytes(encoded(pictures(1, channels=4)[0]))
    code, text, _ = invoke("check", str(folder))
    assert code == 0
    for words in (
        "40 images",
        "class folders",
        "50 x 40",
        "12 x 10",
        "RGBA",
        "transparency laid on white",
        "2 classes: cat (20), dog (20)",
    ):
        assert words in text
    assert "0 can be trained on with the default of 1,000 held out" in text
    spec = DatasetSpec.model_validate(yaml.safe_load(text[text.index("dataset:") :])["dataset"])
    assert (spec.n_train, spec.n_held_out, spec.size, spec.colour) == (8, 32, 8, True)
    assert dataset_problems(spec) == ()


def test_the_check_counts_what_can_be_trained_on(tmp_path: Path) -> None:
    report = json.loads(invoke("check", str(own_folder(tmp_path, 1100, height=4, width=4)), "--json")[1])
    assert (report["n_images"], report["n_trainable"], report["n_held_out"]) == (1100, 100, 1000)
    assert report["spec"] | {"path": None} == {"name": "images", "path": None, "n_train": 64, "size": 8, "n_held_out": 1000, "colour": True}
    assert report["classes"] == [["cat", 550], ["dog", 550]]


def test_the_check_counts_unreadable_images_and_names_the_first_ten(tmp_path: Path) -> None:
    folder = own_folder(tmp_path, 60)
    for index in range(0, 24, 2):
        (folder / "cat" / f"{index}.png").write_bytes(b"")
    code, text, _ = invoke("check", str(folder), "--json")
    report = json.loads(text)
    assert code == 1
    assert (report["n_unreadable"], len(report["unreadable"])) == (12, 10)
    assert report["unreadable"][1] == f"{folder}/cat/2.png: the file is empty"
    assert report["problem"] == "12 of 60 images cannot be read"
    assert report["spec"]["unreadable"] == "skip"
    assert sum(kind["n_images"] for kind in report["kinds"]) == 48


def test_the_check_tells_images_that_are_there_twice_as_the_card_and_the_run_do(tmp_path: Path) -> None:
    folder = own_folder(tmp_path, height=32, width=32)
    for index in range(3):
        (folder / "dog" / f"again{index}.png").write_bytes((folder / "cat" / f"{2 * index}.png").read_bytes())
    report = json.loads(invoke("check", str(folder), "--json")[1])
    assert (report["n_equal"], report["n_near"]) == (6, 0)
    assert "6 equal another and 0 have a near duplicate" in invoke("check", str(folder))[1]
    assert "near duplicate" not in invoke("check", str(own_folder(tmp_path / "other", height=32, width=32)))[1]


def test_the_check_does_not_pass_what_a_run_would_refuse_for_its_shape(tmp_path: Path) -> None:
    folder = own_folder(tmp_path)
    (folder / "cat" / "0.png").write_bytes(encoded(pictures(1, height=1, width=200)[0]))
    code, text, _ = invoke("check", str(folder))
    assert code == 1
    assert "0.png: it is 200 x 1 pixels, more than 64 times as long as wide" in text


def test_the_check_tells_images_smaller_than_any_run(tmp_path: Path) -> None:
    text = invoke("check", str(own_folder(tmp_path, height=3, width=9)))[1]
    assert "40 images are smaller than 8 pixels, the least size of a run, and would be enlarged" in text


def test_names_of_files_do_not_command_the_terminal_and_may_be_in_no_encoding(tmp_path: Path) -> None:
    folder = own_folder(tmp_path)
    (folder / "cat" / "\x1b[2Jcleared\n.png").write_bytes(b"nothing")
    (folder / "cat" / os.fsdecode(b"caf\xe9.png")).write_bytes(b"nothing")
    (folder / "dog").rename(folder / "\x1b[31mdog")
    code, text, _ = invoke("check", str(folder))
    assert code == 1
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert r"cat/\x1b[2Jcleared\n.png" in text
    assert r"caf\udce9.png" in text
    assert r"2 classes: \x1b[31mdog (20), cat (22)" in text


def test_an_address_is_told_from_a_place_on_this_machine() -> None:
    code, _, said = invoke("check", "https://example.org/faces.zip")
    assert code == 1
    assert "https://example.org/faces.zip is an address" in said
    assert "A run never fetches data" in said


def test_grey_pictures_stored_as_colour_are_taken_for_grey(tmp_path: Path) -> None:
    grey = pictures(40, channels=1).repeat(3, axis=3)
    folder = write_files(tmp_path / "own", [f"{index}.png" for index in range(40)], grey)
    assert "colour" not in json.loads(invoke("check", str(folder), "--json")[1])["spec"]


def test_scans_of_twelve_bits_in_sixteen_are_told(tmp_path: Path) -> None:
    import numpy as np

    scans = np.random.default_rng(0).integers(0, 4096, (40, 8, 8), dtype=np.uint16)
    folder = tmp_path / "scans"
    folder.mkdir()
    for index, scan in enumerate(scans):
        (folder / f"{index}.png").write_bytes(encoded(scan))
    notes = json.loads(invoke("check", str(folder), "--json")[1])["notes"]
    assert any("nearly black" in note and "multiply the pixels by 16" in note for note in notes)


def test_a_refused_place_shows_what_was_expected_and_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    code, _, said = invoke("check", str(tmp_path))
    assert code == 1
    assert "Expected: a folder or zip archive of images" in said
    assert "Found: notes.txt" in said


def test_a_known_data_set_can_be_checked_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(encoded(pictures(1)[0], "JPEG"))
    report = json.loads(invoke("check", str(tmp_path), "--as", "celeba", "--json")[1])
    assert report["n_images"] == 1
    assert "at least 34" in report["remedy"]


def test_a_name_of_the_hub_is_never_fetched_in_silence() -> None:
    code, _, said = invoke("check", "owner/faces")
    assert code == 1
    assert "tauscope datasets fetch owner/faces FOLDER" in said
    (problem,) = dataset_problems(DatasetSpec(name="huggingface", path="owner/faces"))
    assert "tauscope datasets fetch owner/faces FOLDER" in problem.remedy


def test_fetch_brings_a_data_set_of_the_hub_to_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Fetched:
        def save_to_disk(self, folder: str) -> None:
            save_to_disk(Path(folder), table(pictures(40), [0] * 40))

    def load_dataset(name: str, *, revision: str | None) -> Fetched:
        asked.append((name, revision))
        return Fetched()

    hub = ModuleType("datasets")
    hub.load_dataset = load_dataset  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", hub)
    code, text, _ = invoke("fetch", "owner/faces", str(tmp_path / "faces"), "--revision", "abc")
    assert code == 0
    assert "Downloading owner/faces from huggingface.co" in text
    assert asked == [("owner/faces", "abc")]
    assert invoke("check", str(tmp_path / "faces"))[0] == 0
    code, _, said = invoke("fetch", "owner/faces", str(tmp_path / "faces"))
    assert (code, len(asked)) == (1, 1)
    assert "there already" in said


def test_fetch_without_the_optional_package_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    code, _, said = invoke("fetch", "owner/faces", str(tmp_path / "faces"))
    assert code == 1
    assert "pip install 'tauscope[hub]'" in said
