"""Samples, images and exports of what a worker stored."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from backend.services.images import MAX_SCALE
from backend.storage.claims import Claim
from tauscope.contracts.samples import SamplesView
from tauscope.results.folder import read_measurements, read_spec, read_summary
from tests.backend.conftest import API, FakeWorker, TestClient


@pytest.fixture
def measured(experiment: dict[str, Any], worker: FakeWorker) -> Claim:
    """The longest run, with samples at steps 10 and 20 and its training images."""
    claim = worker.claim()
    worker.store_train(claim)
    for step in (10, 20):
        worker.store_samples(claim, step)
        worker.measure(claim, step, f_mem=0.2)
    return claim


def test_samples_come_with_neighbours_ratios_and_the_control(client: TestClient, measured: Claim) -> None:
    view = SamplesView.model_validate(client.get(f"{API}/runs/{measured.run_id}/samples/10").json())
    assert (view.step, view.steps, view.n_generated, view.n_copies) == (10, (10, 20), 5, 1)
    assert view.is_copy == (True, False, False, False, False)
    assert view.gap_ratio == pytest.approx((0.1, 0.9, 0.9, 0.9, 0.9))
    assert (view.f_mem, view.f_mem_control, view.control_count) == (0.2, 0.0, 1000)
    assert view.labels is None and view.neighbour_labels is None, "an older run, or a data set without labels"


def test_labels_stand_beside_samples_and_neighbours_where_the_run_has_kept_them(
    client: TestClient, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    claim = worker.claim()
    images, found = (
        np.ones((3, 1, 8, 8), np.float32),
        {"neighbours": np.array([[2, 0], [1, 2]]), "distances": np.array([[0.1, 1.0], [0.9, 1.0]])},
    )
    worker.store(claim, "samples/10.npz", "samples", 10, samples=images[:2], labels=np.array([4, 7]), **found)
    worker.measure(claim, 10, f_mem=0.2)
    address = f"{API}/runs/{claim.run_id}/samples/10"
    before = client.get(address).json()
    assert (before["labels"], before["neighbour_labels"]) == ([4, 7], None)
    worker.store(claim, "train.npz", "train", images=images, labels=np.array([5, 7, 4]))
    assert client.get(address).json()["neighbour_labels"] == [[4, 5], [7, 4]]


def test_the_last_step_can_be_asked_for_by_name(client: TestClient, measured: Claim) -> None:
    assert client.get(f"{API}/runs/{measured.run_id}/samples/last").json()["step"] == 20


def test_a_step_without_samples_lists_those_that_have_some(client: TestClient, measured: Claim) -> None:
    problem = client.get(f"{API}/runs/{measured.run_id}/samples/11").json()
    assert (problem["code"], problem["remedy"]) == ("samples_not_found", "Steps with samples: 10, 20")


def test_samples_that_are_not_measured_yet_are_not_shown_without_their_f_mem(
    client: TestClient, measured: Claim, worker: FakeWorker
) -> None:
    worker.store_samples(measured, 30)
    assert client.get(f"{API}/runs/{measured.run_id}/samples/30").json()["code"] == "samples_not_found"


def pixels(response: Any) -> np.ndarray[Any, Any]:
    assert response.headers["content-type"] == "image/png"
    return np.asarray(Image.open(io.BytesIO(response.content)))


def test_an_image_is_enlarged_by_repeating_pixels(client: TestClient, measured: Claim) -> None:
    address = f"{API}/runs/{measured.run_id}/samples/10/3.png"
    small, large = pixels(client.get(address)), pixels(client.get(address, params={"scale": 4}))
    assert small.shape == (8, 8)
    assert np.array_equal(large, small.repeat(4, 0).repeat(4, 1))
    expected = np.linspace(0, 1, 5 * 64, dtype=np.float32).reshape(5, 8, 8)[3]
    assert np.abs(small - expected * 255).max() <= 0.51, "rounded to the nearest of 256 levels"


def test_a_training_image_is_white_where_it_was_stored_so(client: TestClient, measured: Claim) -> None:
    assert (pixels(client.get(f"{API}/runs/{measured.run_id}/train/2.png")) == 255).all()


@pytest.mark.parametrize("address", ["samples/10/5.png", "train/3.png", "samples/10/99999.png"])
def test_an_image_beyond_the_last_is_not_found(client: TestClient, measured: Claim, address: str) -> None:
    assert client.get(f"{API}/runs/{measured.run_id}/{address}").json()["code"] == "image_not_found"


@pytest.mark.parametrize("scale", [0, -1, MAX_SCALE + 1, "big"])
def test_a_scale_beyond_the_bound_is_refused(client: TestClient, measured: Claim, scale: object) -> None:
    response = client.get(f"{API}/runs/{measured.run_id}/samples/10/0.png", params={"scale": str(scale)})
    assert (response.status_code, response.json()["errors"][0]["path"]) == (422, "query.scale")


def test_a_damaged_file_is_told_apart_from_a_crash(client: TestClient, measured: Claim, worker: FakeWorker) -> None:
    worker.damage(worker.store_samples(measured, 40, n=7))
    assert client.get(f"{API}/runs/{measured.run_id}/samples/40/0.png").json()["code"] == "artifact_damaged"


def test_an_export_is_a_results_folder_with_every_file(
    client: TestClient, experiment: dict[str, Any], measured: Claim, worker: FakeWorker, tmp_path: Path
) -> None:
    worker.finish(measured, tau_mem=15.0)
    response = client.get(f"{API}/experiments/{experiment['id']}/export")
    assert response.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        archive.extractall(tmp_path / "out")
    folder = tmp_path / "out"
    names = [entry["run"] for entry in read_spec(folder)["runs"]]
    assert [run.id for run in read_summary(folder).runs] == names
    points = read_measurements(folder)[names[2]]
    assert {(point.step, point.metric) for point in points if point.reason} == {(10, "frechet_pca"), (20, "frechet_pca")}
    run = folder / "runs" / names[2]
    assert sorted(path.relative_to(run).as_posix() for path in run.rglob("*.npz")) == ["samples/10.npz", "samples/20.npz", "train.npz"]
    assert np.load(run / "samples" / "10.npz")["samples"].shape == (5, 1, 8, 8)


def test_samples_that_the_reader_holds_are_not_sent_again(client: TestClient, experiment: dict[str, Any], worker: FakeWorker) -> None:
    claim = worker.claim()
    worker.store_samples(claim, 20)
    worker.measure(claim, 20)
    address = f"{API}/runs/{claim.run_id}/samples/last"
    tag = client.get(address).headers["etag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
    worker.store_samples(claim, 30)
    worker.measure(claim, 30)
    again = client.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.json()["step"]) == (200, 30)
