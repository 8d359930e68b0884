"""Which training images a run copies, over HTTP: pages, CSV, what is not measured, and what is computed again."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.services.context import Context
from backend.services.copied_cache import CopiedCache
from backend.storage.claims import Claim
from backend.storage.tables import Evaluation
from tauscope.contracts.copied import CopiedImages
from tauscope.contracts.points import Point
from tests.backend.conftest import API, FakeWorker, TestClient

N_SAMPLES = 8
# Image 2 repeats image 0.
TRAIN = np.stack([np.full((1, 2, 2), level, np.float32) for level in (0.0, 0.1, 0.0, 0.5, 1.0)])


def store(worker: FakeWorker, claim: Claim, step: int, copied: dict[int, int]) -> None:
    """Samples of a step, of which those named, seed to image, are copies; the others are near image 4."""
    nearest = np.array([[copied.get(seed, 4), 3] for seed in range(N_SAMPLES)])
    distances = np.array([[0.1 if seed in copied else 0.9, 1.0] for seed in range(N_SAMPLES)])
    samples = np.full((N_SAMPLES, 1, 2, 2), step / 1000, np.float32)
    worker.store(claim, f"samples/{step}.npz", "samples", step, samples=samples, neighbours=nearest, distances=distances)


@pytest.fixture
def copying(experiment: dict[str, Any], worker: FakeWorker) -> Claim:
    """The longest run of a sweep: image 0 copied by two seeds at 20, and image 1 beside it at 30."""
    claim = worker.claim()
    worker.store(claim, "train.npz", "train", images=TRAIN)
    worker.store(claim, "held_out.npz", "held_out", images=TRAIN[3:] - np.float32(0.05))
    for step, copied in {10: {}, 20: {0: 0, 3: 0}, 30: {0: 0, 5: 1, 6: 1}}.items():
        store(worker, claim, step, copied)
        worker.measure(claim, step, f_mem=len(copied) / N_SAMPLES)
    return claim


def asked(client: TestClient, claim: Claim, **query: object) -> CopiedImages:
    response = client.get(f"{API}/runs/{claim.run_id}/copied", params={key: str(value) for key, value in query.items()})
    assert response.status_code == 200, response.text
    return CopiedImages.model_validate(response.json())


def test_training_images_come_with_copies_first_step_seeds_typicality_and_control(client: TestClient, copying: Claim) -> None:
    view = asked(client, copying)
    assert (view.run_id, view.step, view.steps, view.n_generated, view.n_copies) == (copying.run_id, 30, (10, 20, 30), 8, 3)
    assert (view.n_train, view.n_distinct, view.n_copied, view.n_copied_ever, view.total) == (5, 4, 2, 2, 4)
    assert [(item.image, item.copies, item.copies_by_step) for item in view.items[:2]] == [(1, 2, (0, 0, 2)), (0, 1, (0, 2, 1))]
    one, zero = view.items[:2]
    assert (one.first_copied_at, one.not_copied_at, one.seeds) == (30, 20, 2)
    assert (zero.first_copied_at, zero.not_copied_at, zero.seeds, zero.equal_images) == (20, 10, 2, 2)
    assert zero.nearest_distance == pytest.approx(0.2) and (zero.nearest_image, zero.typicality_rank) == (1, 1)
    # 0.45 and 0.95 are 0.05 from one image and at least 0.35 from the next: by the rule both are copies.
    assert (view.n_held_out, view.n_held_out_copies) == (2, 2)
    assert view.typicality.value is None and "too few" in view.typicality.reason
    assert view.uniform.expected == pytest.approx(3 / 5)


def test_an_earlier_step_pages_and_one_image_can_be_asked_for(client: TestClient, copying: Claim) -> None:
    assert [item.image for item in asked(client, copying, step=20).items] == [0, 1, 3, 4]
    assert asked(client, copying, step=10).n_copies == 0
    page = asked(client, copying, step=20, offset=1, limit=2)
    assert ([item.image for item in page.items], page.offset, page.total) == ([1, 3], 1, 4)
    assert [item.image for item in asked(client, copying, image=4).items] == [4]


def test_csv_has_a_row_a_training_image_and_leaves_unmeasured_checkpoints_empty(
    client: TestClient, copying: Claim, worker: FakeWorker
) -> None:
    with worker.sessions.begin() as session:
        session.add(Evaluation(run_id=copying.run_id, step=40, code_version="a", reason=""))
    response = client.get(f"{API}/runs/{copying.run_id}/copied.csv", params={"step": "30"})
    assert response.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [(row["image"], row["copies"], row["copies_at_20"], row["copies_at_40"]) for row in rows[:2]] == [
        ("1", "2", "0", ""),
        ("0", "1", "2", ""),
    ]
    assert len(rows) == 4 and {row["n_generated"] for row in rows} == {"8"}
    assert [float(row["high"]) for row in rows] == [item.high for item in asked(client, copying).items]


def test_checkpoints_without_copies_say_why(client: TestClient, copying: Claim, worker: FakeWorker) -> None:
    with worker.sessions.begin() as session:
        session.add(Evaluation(run_id=copying.run_id, step=40, code_version="a", reason="its worker fell silent"))
    worker.flush(copying, points=[Point(step=50, metric="f_mem", value=None, count=8, reason="diverged")], step=50)
    told = {item.step: (item.state, item.reason) for item in asked(client, copying).unmeasured}
    assert told[40] == ("waiting", "its worker fell silent")
    assert told[50] == ("diverged", "diverged")
    assert told[17] == ("not_sampled", "no samples are stored of this step"), "the schedule has it"
    assert told[800] == ("not_sampled", "training has not come this far")
    problem = client.get(f"{API}/runs/{copying.run_id}/copied", params={"step": "40"}).json()
    assert (problem["code"], problem["remedy"]) == ("samples_not_found", "Steps with measured samples: 10, 20, 30")


def test_samples_whose_measurement_is_on_its_way_are_not_counted_yet(client: TestClient, copying: Claim, worker: FakeWorker) -> None:
    store(worker, copying, 40, {0: 0})
    view = asked(client, copying)
    assert view.step == 30
    assert [item.state for item in view.unmeasured if item.step == 40] == ["waiting"]
    worker.measure(copying, 40)
    assert asked(client, copying).step == 40


@pytest.mark.parametrize("database_kind", ["sqlite"])  # What is asked is refused alike wherever the rest is stored.
@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"step": "soon"}, 422, "invalid_request"),
        ({"limit": "0"}, 422, "invalid_request"),
        ({"image": "2"}, 404, "image_not_found"),
        ({"image": "99"}, 404, "image_not_found"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(
    client: TestClient, copying: Claim, query: dict[str, str], status: int, code: str
) -> None:
    response = client.get(f"{API}/runs/{copying.run_id}/copied", params=query)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_run_that_stored_nothing_says_so(client: TestClient, experiment: dict[str, Any]) -> None:
    run = experiment["runs"][0]["id"]
    assert client.get(f"{API}/runs/{run}/copied").json()["code"] == "image_not_found"
    assert client.get(f"{API}/runs/unknown/copied").json()["code"] == "run_not_found"


def test_a_record_is_made_once_for_its_files_and_anew_with_a_new_checkpoint(
    client: TestClient, context: Context, copying: Claim, worker: FakeWorker
) -> None:
    for step in (10, 20, 30, "last"):
        asked(client, copying, step=step)
    assert context.copied.record.cache_info().misses == 1
    store(worker, copying, 40, {0: 0})
    worker.measure(copying, 40)
    assert asked(client, copying).steps == (10, 20, 30, 40)
    assert context.copied.record.cache_info().misses == 2


def test_what_the_reader_holds_is_not_sent_again(client: TestClient, copying: Claim, worker: FakeWorker) -> None:
    for name in ("copied", "copied.csv"):
        address = f"{API}/runs/{copying.run_id}/{name}"
        tag = client.get(address).headers["etag"]
        assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
        assert client.get(address, params={"step": "20"}, headers={"If-None-Match": tag}).status_code == 200


def test_a_training_set_too_large_to_compare_leaves_typicality_out_and_says_where_to_get_it(
    client: TestClient, context: Context, copying: Claim
) -> None:
    small = CopiedCache(context.artifacts, context.images, most_comparisons=10)
    object.__setattr__(context, "copied", small)
    view = asked(client, copying)
    assert "too large" in view.typicality_missing and "tauscope copied" in view.typicality_missing
    assert view.items[0].copies == 2 and view.items[0].nearest_distance is None


def test_a_run_without_held_out_images_has_no_control_and_says_so(
    client: TestClient, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    claim = worker.claim()
    worker.store(claim, "train.npz", "train", images=TRAIN)
    store(worker, claim, 10, {0: 0})
    worker.measure(claim, 10)
    view = asked(client, claim)
    assert (view.n_held_out, view.n_held_out_copies, view.items[0].held_out_copies) == (None, None, None)


def test_a_damaged_file_of_samples_is_told_apart_from_a_crash(
    client: TestClient, context: Context, copying: Claim, worker: FakeWorker
) -> None:
    nearest, distances = np.zeros((N_SAMPLES, 2), np.int64), np.ones((N_SAMPLES, 2))
    arrays = {"samples": np.zeros((N_SAMPLES, 1, 2, 2), np.float32), "neighbours": nearest, "distances": distances}
    record = worker.store(copying, "samples/40.npz", "samples", 40, **arrays)
    path = Path(context.settings.artifacts_url) / record.sha256[:2] / record.sha256[2:]
    whole = path.read_bytes()
    # One bit within the distances, whose ones are 3FF0.
    place = whole.rindex(b"\xf0\x3f")
    path.write_bytes(whole[:place] + b"\xf1" + whole[place + 1 :])
    worker.measure(copying, 40)
    assert client.get(f"{API}/runs/{copying.run_id}/copied").json()["code"] == "artifact_damaged"
    worker.damage(record)
    assert client.get(f"{API}/runs/{copying.run_id}/copied").json()["code"] == "artifact_damaged"
