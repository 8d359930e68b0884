"""Windows of a time series stand on the pages where images do, as pictures of their lines."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from backend.storage.claims import Claim
from tauscope.contracts.samples import SamplesView
from tauscope.figures.window_pictures import draw_windows, picture_shape
from tests.backend.conftest import API, FakeWorker, TestClient

SAMPLES = np.random.default_rng(0).standard_normal((5, 4, 24)).astype(np.float32)


@pytest.fixture
def measured(client: TestClient, worker: FakeWorker) -> Claim:
    """A run on windows with samples at step 10."""
    response = client.post(f"{API}/experiments", json={"preset": "weather", "settings": {"n_train": 16}})
    assert response.status_code == 201, response.text
    claim = worker.claim()
    worker.store(claim, "train.npz", "train", images=SAMPLES[::-1], starts=24 * np.arange(5))
    arrays: dict[str, Any] = {"distances": np.array([[0.1, 1.0]] * 5), "neighbours": np.array([[4, 1]] * 5)}
    worker.store(claim, "samples/10.npz", "samples", 10, samples=SAMPLES, **arrays)
    worker.measure(claim, 10)
    return claim


def test_a_view_names_the_channels_of_its_pictures_and_their_shape(client: TestClient, measured: Claim) -> None:
    view = SamplesView.model_validate(client.get(f"{API}/runs/{measured.run_id}/samples/10").json())
    assert view.window_channels == ("temp", "dewp", "wind_speed", "pressure")
    assert view.image_shape == picture_shape(4, 24)
    assert view.n_copies == 5


@pytest.mark.parametrize(("path", "window"), [("samples/10/2.png", SAMPLES[2]), ("train/0.png", SAMPLES[4])])
def test_a_picture_is_the_drawn_window(client: TestClient, measured: Claim, path: str, window: np.ndarray) -> None:
    response = client.get(f"{API}/runs/{measured.run_id}/{path}")
    assert response.status_code == 200, response.text
    pixels = np.asarray(Image.open(io.BytesIO(response.content)).convert("RGB"))
    np.testing.assert_array_equal(pixels.transpose(2, 0, 1), draw_windows(window[None])[0])


def test_a_film_of_a_seed_shows_each_window_beside_its_nearest(client: TestClient, measured: Claim) -> None:
    response = client.get(f"{API}/runs/{measured.run_id}/seeds/0/film.png")
    assert response.status_code == 200, response.text
    _, height, width = picture_shape(4, 24)
    assert Image.open(io.BytesIO(response.content)).size == (width, 2 * height)


def test_copied_windows_are_counted_as_copied_images_are(client: TestClient, measured: Claim) -> None:
    response = client.get(f"{API}/runs/{measured.run_id}/copied")
    assert response.status_code == 200, response.text
    assert response.json()["n_train"] == 5


def test_a_series_that_is_not_registered_is_refused_before_launch(client: TestClient) -> None:
    response = client.post(f"{API}/experiments", json={"preset": "weather", "settings": {"dataset.name": "rain"}})
    assert response.status_code == 422
    assert "weather_jfk" in response.text
