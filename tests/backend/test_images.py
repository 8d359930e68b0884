"""Sheets of many images, the film of a seed, and how long browsers may keep them."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from backend.services.image_numbers import MAX_IMAGES
from backend.storage.claims import Claim
from backend.storage.tables import Evaluation
from tauscope.contracts.points import Point
from tauscope.contracts.samples import SampleSteps, SeedView
from tests.backend.conftest import API, FakeWorker, TestClient

N_SAMPLES, N_TRAIN, STEPS = 300, 20, (10, 20)


def fractions(count: int, seed: int, channels: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).integers(0, 256, (count, channels, 4, 6)).astype(np.float32) / 255


def numbers() -> np.ndarray[Any, Any]:
    return np.stack([np.arange(N_SAMPLES) % N_TRAIN, (np.arange(N_SAMPLES) + 7) % N_TRAIN], axis=1)


def distances(step: int) -> np.ndarray[Any, Any]:
    """Sample 3 is a copy at the second step alone."""
    nearest = np.full(N_SAMPLES, 0.9)
    nearest[3] = 0.2 if step == STEPS[1] else 0.5
    return np.stack([nearest, np.ones(N_SAMPLES)], axis=1)


@pytest.fixture(params=[1, 3], ids=["grey", "colour"])
def channels(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def drawn(experiment: dict[str, Any], worker: FakeWorker, channels: int) -> Claim:
    """A run with 300 samples at two steps; every pixel is random, so that no tile can be taken for another."""
    claim = worker.claim()
    worker.store(claim, "train.npz", "train", images=fractions(N_TRAIN, 0, channels))
    for step in STEPS:
        arrays = {"samples": fractions(N_SAMPLES, step, channels), "neighbours": numbers(), "distances": distances(step)}
        worker.store(claim, f"samples/{step}.npz", "samples", step, **arrays)
        worker.measure(claim, step, f_mem=0.2)
    return claim


def pixels(response: Any) -> np.ndarray[Any, Any]:
    """[height, width, channel]"""
    assert response.status_code == 200, response.text
    found = np.asarray(Image.open(io.BytesIO(response.content)))
    return found[:, :, None] if found.ndim == 2 else found


def tile(sheet: np.ndarray[Any, Any], place: int, scale: int = 1, columns: int = 16) -> np.ndarray[Any, Any]:
    row, column = divmod(place, columns)
    return sheet[row * 4 * scale : (row + 1) * 4 * scale, column * 6 * scale : (column + 1) * 6 * scale]


def image(stored: np.ndarray[Any, Any], scale: int = 1) -> np.ndarray[Any, Any]:
    return np.rint(stored * 255).astype(np.uint8).transpose(1, 2, 0).repeat(scale, 0).repeat(scale, 1)


def test_a_sheet_holds_the_asked_samples_sixteen_a_row_in_the_asked_order(client: TestClient, drawn: Claim, channels: int) -> None:
    response = client.get(f"{API}/runs/{drawn.run_id}/samples/10/sheet.png", params={"images": "299,0-20,7", "scale": 2})
    sheet, stored = pixels(response), fractions(N_SAMPLES, 10, channels)
    assert response.headers["x-sprite-columns"] == "16"
    assert (response.headers["x-sprite-tile-width"], response.headers["x-sprite-tile-height"]) == ("12", "8")
    for place, number in enumerate([299, *range(21), 7]):
        assert np.array_equal(tile(sheet, place, 2), image(stored[number], 2))
    assert not tile(sheet, 23, 2).any(), "places without an image are black"


@pytest.mark.parametrize(("of", "column"), [("nearest", 0), ("second", 1)])
def test_a_sheet_of_neighbours_holds_the_training_image_of_each_sample(
    client: TestClient, drawn: Claim, channels: int, of: str, column: int
) -> None:
    sheet = pixels(client.get(f"{API}/runs/{drawn.run_id}/samples/10/sheet.png", params={"images": "100-140", "of": of}))
    train = fractions(N_TRAIN, 0, channels)
    for place, number in enumerate(range(100, 141)):
        assert np.array_equal(tile(sheet, place), image(train[numbers()[number, column]]))


def test_training_images_come_by_number(client: TestClient, drawn: Claim, channels: int) -> None:
    sheet = pixels(client.get(f"{API}/runs/{drawn.run_id}/train/sheet.png", params={"images": "19,4"}))
    train = fractions(N_TRAIN, 0, channels)
    assert np.array_equal(tile(sheet, 0), image(train[19])) and np.array_equal(tile(sheet, 1), image(train[4]))


def test_without_numbers_a_sheet_holds_the_first_that_fit(client: TestClient, drawn: Claim) -> None:
    assert pixels(client.get(f"{API}/runs/{drawn.run_id}/samples/10/sheet.png")).shape[:2] == (16 * 4, 16 * 6)
    assert pixels(client.get(f"{API}/runs/{drawn.run_id}/train/sheet.png")).shape[:2] == (2 * 4, 16 * 6)


# What is asked is refused alike whatever is stored and wherever.
@pytest.mark.parametrize(("database_kind", "channels"), [("sqlite", 1)])
@pytest.mark.parametrize(
    ("asked", "status", "word"),
    [
        ("0,300", 404, "no image 300"),
        (f"0-{MAX_IMAGES}", 422, f"more than the {MAX_IMAGES}"),
        ("0-999999999", 422, "more than"),
        ("7-3", 422, "backwards"),
        ("a", 422, ""),
        ("1,,2", 422, ""),
    ],
)
def test_numbers_that_cannot_be_served_are_refused_by_name(client: TestClient, drawn: Claim, asked: str, status: int, word: str) -> None:
    response = client.get(f"{API}/runs/{drawn.run_id}/samples/10/sheet.png", params={"images": asked})
    assert response.status_code == status
    assert word in response.json()["detail"]
    if status == 422:
        assert response.json()["errors"][0]["path"] == "query.images"


def test_an_address_that_names_its_content_is_kept_for_good_and_any_other_is_asked_again(client: TestClient, drawn: Claim) -> None:
    version = client.get(f"{API}/runs/{drawn.run_id}/samples/20").json()["version"]
    for address in ("20/sheet.png", "20/0.png", "last/0.png"):
        plain = client.get(f"{API}/runs/{drawn.run_id}/samples/{address}")
        named = client.get(f"{API}/runs/{drawn.run_id}/samples/{address}", params={"v": version})
        other = client.get(f"{API}/runs/{drawn.run_id}/samples/{address}", params={"v": "0123456789ab"})
        assert "immutable" in named.headers["cache-control"]
        assert "no-cache" in plain.headers["cache-control"] and "no-cache" in other.headers["cache-control"]
        again = client.get(str(plain.url), headers={"If-None-Match": plain.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_the_tag_changes_with_the_content_the_numbers_the_kind_and_the_scale(client: TestClient, drawn: Claim) -> None:
    asked = [{}, {"images": "0-3"}, {"images": "0-3", "of": "nearest"}, {"images": "0-3", "of": "second"}, {"images": "0-3", "scale": 2}]
    tags = {
        client.get(f"{API}/runs/{drawn.run_id}/samples/{step}/sheet.png", params=query).headers["etag"] for step in STEPS for query in asked
    }
    # The training images nearest to a sample are the same at both steps here: those pictures are one content.
    assert len(tags) == 2 * len(asked) - 2


def test_a_seed_is_followed_over_every_measured_checkpoint(client: TestClient, drawn: Claim) -> None:
    view = SeedView.model_validate(client.get(f"{API}/runs/{drawn.run_id}/seeds/3").json())
    assert (view.step, view.is_copy, view.first_copied_at) == (STEPS, (False, True), 20)
    assert view.gap_ratio == pytest.approx((0.5, 0.2))
    assert view.nearest == (3, 3)
    assert client.get(f"{API}/runs/{drawn.run_id}/seeds/4").json()["first_copied_at"] is None
    assert client.get(f"{API}/runs/{drawn.run_id}/seeds/300").json()["code"] == "image_not_found"


def test_the_film_shows_the_seed_above_its_nearest_training_image(client: TestClient, drawn: Claim, channels: int) -> None:
    address = f"{API}/runs/{drawn.run_id}/seeds/3"
    response = client.get(f"{address}/film.png", params={"v": client.get(address).json()["version"]})
    sheet = pixels(response)
    assert "immutable" in response.headers["cache-control"]
    for column, step in enumerate(STEPS):
        assert np.array_equal(tile(sheet, column, columns=2), image(fractions(N_SAMPLES, step, channels)[3]))
        assert np.array_equal(tile(sheet, 2 + column, columns=2), image(fractions(N_TRAIN, 0, channels)[3]))


def test_the_film_changes_its_address_with_every_new_checkpoint(client: TestClient, drawn: Claim, worker: FakeWorker) -> None:
    before = client.get(f"{API}/runs/{drawn.run_id}/seeds/3").json()["version"]
    arrays = {"samples": fractions(N_SAMPLES, 30, 1), "neighbours": numbers(), "distances": distances(30)}
    worker.store(drawn, "samples/30.npz", "samples", 30, **arrays)
    assert client.get(f"{API}/runs/{drawn.run_id}/seeds/3").json()["version"] == before, "not measured yet"
    worker.measure(drawn, 30)
    assert client.get(f"{API}/runs/{drawn.run_id}/seeds/3").json()["version"] != before


def test_every_checkpoint_says_whether_it_is_measured_waits_or_gave_nothing(client: TestClient, drawn: Claim, worker: FakeWorker) -> None:
    worker.store(drawn, "samples/30.npz", "samples", 30, samples=fractions(2, 0, 1))
    with worker.sessions.begin() as session:
        session.add(Evaluation(run_id=drawn.run_id, step=40, code_version="a", reason="its worker fell silent"))
    worker.flush(drawn, points=[Point(step=50, metric="f_mem", value=None, count=7, reason="diverged")], step=50)
    found = SampleSteps.model_validate(client.get(f"{API}/runs/{drawn.run_id}/samples").json()).steps
    states = [(item.step, item.state, item.reason) for item in found]
    assert states == [
        (10, "measured", ""),
        (20, "measured", ""),
        (30, "waiting", ""),
        (40, "waiting", "its worker fell silent"),
        (50, "diverged", "diverged"),
    ]
    assert (found[0].f_mem, found[0].f_mem_low, found[0].n_generated, found[0].control_count) == (0.2, 0.4, 32, 1000)
    assert found[0].version == client.get(f"{API}/runs/{drawn.run_id}/samples/10").json()["version"]


def test_samples_carry_the_shape_of_their_images(client: TestClient, drawn: Claim, channels: int) -> None:
    assert client.get(f"{API}/runs/{drawn.run_id}/samples/10").json()["image_shape"] == [channels, 4, 6]
