"""A name that was registered on this machine stands for its place in a sweep that runs without a service."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tauscope.cli.app import app
from tauscope.datasets import DatasetError, dataset_problems, load_split
from tauscope.datasets.local_names import forget_here, names_here, pinned_here, register_here, views_here
from tauscope.specs import SpecError, SweepSpec, apply_settings, load_preset
from tests.datasets import made


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TAUSCOPE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    return made.write_jpegs(tmp_path / "faces", 40, size=(20, 24))


def asking(**dataset: object) -> SweepSpec:
    settings = {"dataset.name": "faces", "n_train": [8], "dataset.n_held_out": 32}
    return apply_settings(load_preset("digits-ci").sweep, settings | {f"dataset.{name}": value for name, value in dataset.items()})


def test_a_run_is_given_the_images_that_the_name_stands_for_and_its_spec_their_place(faces: Path) -> None:
    assert register_here("faces", str(faces)) == 40
    pinned = pinned_here(asking()).base
    assert (pinned.dataset.name, pinned.dataset.path) == ("faces", str(faces))
    (run,) = pinned_here(asking()).resolve()
    assert dataset_problems(run.spec.dataset) == () and load_split(run.spec.dataset).train.shape == (8, 1, 8, 8)
    assert pinned_here(pinned_here(asking())) == pinned_here(asking())


def test_the_name_outlives_the_process_and_is_listed_until_it_is_forgotten(faces: Path, home: Path) -> None:
    register_here("faces", str(faces))
    assert json.loads((home / "datasets.json").read_text()) == {"faces": str(faces)}
    (view,) = views_here()
    assert (view.name, view.n_images, view.source, view.available) == ("faces", 40, str(faces), True)
    for file in faces.iterdir():
        file.unlink()
    assert not views_here()[0].available
    forget_here("faces")
    assert names_here() == {}
    with pytest.raises(DatasetError, match="no data set 'faces' is registered on this machine"):
        forget_here("faces")


@pytest.mark.parametrize("name", ["digits", "npz", "Faces", "a b", "x" * 41])
def test_a_name_that_is_taken_or_none_is_refused(faces: Path, name: str) -> None:
    with pytest.raises(DatasetError, match=r"taken|is no name"):
        register_here(name, str(faces))
    assert names_here() == {}


def test_a_name_that_nobody_registered_here_is_refused_with_the_ways_there_are() -> None:
    (run,) = pinned_here(asking()).resolve()
    (problem,) = dataset_problems(run.spec.dataset)
    assert (problem.path, problem.message) == ("dataset.name", "there is no data set 'faces'")
    for words in ("dataset.path", "datasets add NAME PATH --here", "known to that service alone"):
        assert words in problem.remedy


def test_another_place_than_the_names_is_refused_and_so_is_a_damaged_file_of_names(faces: Path, home: Path) -> None:
    register_here("faces", str(faces))
    with pytest.raises(SpecError, match="is another place than faces was registered with"):
        pinned_here(asking(path="/elsewhere"))
    (home / "datasets.json").write_text("[")
    with pytest.raises(SpecError, match=r"datasets\.json cannot be read"):
        pinned_here(asking())
    assert pinned_here(load_preset("digits-ci").sweep) == load_preset("digits-ci").sweep, "a built-in name does not need it"


def test_where_the_data_set_varies_no_run_takes_the_place_of_another(faces: Path) -> None:
    register_here("faces", str(faces))
    sweep = apply_settings(asking(), {"dataset.name": ["faces", "digits"]})
    assert pinned_here(sweep).base.dataset.path is None


def test_the_commands_register_list_and_forget(faces: Path, tmp_path: Path) -> None:
    added = CliRunner().invoke(app, ["datasets", "add", "faces", str(faces), "--here"])
    assert added.exit_code == 0 and "faces is registered on this machine: 40 images" in added.output
    listed = json.loads(CliRunner().invoke(app, ["datasets", "list", "--json"]).stdout)
    assert listed[0]["name"] == "faces"
    refused = CliRunner().invoke(app, ["datasets", "add", "none", str(tmp_path / "none"), "--here"])
    assert refused.exit_code == 1 and "does not exist" in refused.output
    assert CliRunner().invoke(app, ["datasets", "remove", "faces", "--here"]).exit_code == 0
    assert CliRunner().invoke(app, ["datasets", "remove", "faces", "--here"]).exit_code == 1
