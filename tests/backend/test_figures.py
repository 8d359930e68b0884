"""Figures over HTTP: drawn once for the same measurements, refused in words, and no more than the service can draw."""

import csv
import io
import threading
import zipfile
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from backend.services.errors import NotReadyError
from backend.services.figure_cache import FigureCache
from backend.storage.curves import run_curves
from tauscope.figures.naming import configuration_hash
from tests.backend.conftest import API, FakeWorker, TestClient


@pytest.fixture
def figures(experiment: dict[str, Any], worker: FakeWorker) -> str:
    """The address of the figures of an experiment with one measured run."""
    claim = worker.claim()
    worker.store_train(claim)
    for step in (10, 20):
        worker.store_samples(claim, step)
        worker.measure(claim, step, f_mem=0.2)
    worker.finish(claim, tau_mem=15.0)
    return f"{API}/experiments/{experiment['id']}/figures"


@pytest.mark.parametrize("database_kind", ["sqlite"])  # The form is made of what was read; the others read it from both.
@pytest.mark.parametrize(
    ("form", "media_type", "begins"),
    [("svg", "image/svg+xml", b"<?xml"), ("pdf", "application/pdf", b"%PDF"), ("png", "image/png", b"\x89PNG")],
)
def test_a_figure_comes_in_every_form_under_its_own_name(
    client: TestClient, experiment: dict[str, Any], figures: str, form: str, media_type: str, begins: bytes
) -> None:
    answer = client.get(f"{figures}/3.{form}", params={"width": 85})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == media_type
    assert answer.content.startswith(begins)
    digest = configuration_hash(experiment["sweep"])
    assert answer.headers["content-disposition"] == f'attachment; filename="digits-ci-figure-3-{digest}-85mm.{form}"'


def test_a_figure_shows_what_is_stored_with_its_pictures(client: TestClient, figures: str) -> None:
    with zipfile.ZipFile(io.BytesIO(client.get(f"{figures}/2.zip").content)) as archive:
        numbers = next(archive.read(name).decode() for name in archive.namelist() if name.endswith(".csv"))
        with Image.open(io.BytesIO(next(archive.read(name) for name in archive.namelist() if name.endswith(".png")))) as image:
            assert image.width == pytest.approx(175 / 25.4 * 600, abs=1)
    images = [row for row in csv.DictReader(io.StringIO(numbers)) if row["kind"] == "image"]
    assert [row["note"] for row in images] == ["tau 10"] * 5 + ["tau 20"] * 5
    assert [row["x"] for row in images if row["status"] == "copy"] == ["0", "0"]


def test_the_same_measurements_are_drawn_once(client: TestClient, figures: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = client.get(f"{figures}/3.svg")
    monkeypatch.setattr("backend.services.figures.render", lambda *_: pytest.fail("drawn again"))
    assert client.get(f"{figures}/3.svg").content == first.content
    assert client.get(f"{figures}/3.svg", headers={"If-None-Match": first.headers["etag"]}).status_code == 304


def test_a_figure_reads_the_curves_that_it_draws_once(client: TestClient, figures: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Any] = []

    def noted(session: Any, run_ids: Any, metrics: Any) -> Any:
        read.append(metrics)
        return run_curves(session, run_ids, metrics)

    monkeypatch.setattr("backend.services.figures.points.run_curves", noted)
    for path in ("2.svg", "2.svg", "3.svg"):
        assert client.get(f"{figures}/{path}").status_code == 200
    quality, *others = read[0]
    assert quality == "loss_held_out@100"
    assert {"f_mem", "f_mem_control"} < set(others)
    assert len(others) < 8
    assert read[1:] == [None]


def test_a_new_measurement_is_drawn(client: TestClient, figures: str, worker: FakeWorker) -> None:
    first = client.get(f"{figures}/2.svg")
    claim = worker.claim()
    worker.measure(claim, 10, f_mem=0.5)
    again = client.get(f"{figures}/2.svg", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 200
    root = ElementTree.fromstring(again.content)
    assert "n = 16" in " ".join(root.itertext())


@pytest.mark.parametrize("database_kind", ["sqlite"])  # What is asked is refused alike wherever the rest is stored.
@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("2.svg?width=100", 422, "query.width"),
        ("2.svg?a=7", 422, "query.a"),
        ("2.svg?quality=fid", 422, "quality"),
        ("4.svg", 404, ""),
        ("2.jpeg", 404, ""),
    ],
)
def test_what_cannot_be_drawn_is_refused_at_its_field(client: TestClient, figures: str, path: str, status: int, field: str) -> None:
    answer = client.get(f"{figures}/{path}")
    assert answer.status_code == status
    assert [item["path"] for item in answer.json()["errors"]] == ([field] if field else [])


def test_an_unknown_experiment_has_no_figures(client: TestClient) -> None:
    assert client.get(f"{API}/experiments/nosuch/figures/2.svg").json()["code"] == "experiment_not_found"


def test_a_reader_who_would_wait_too_long_is_told_to_ask_again() -> None:
    cache, begun, goes_on = FigureCache(patience=0.05), threading.Event(), threading.Event()

    def slow() -> bytes:
        begun.set()
        goes_on.wait(60)
        return b"slow"

    drawing = threading.Thread(target=cache.of, args=("slow", slow))
    drawing.start()
    begun.wait(60)
    with pytest.raises(NotReadyError, match="Other figures"):
        cache.of("other", lambda: b"other")
    goes_on.set()
    drawing.join()
    assert cache.of("slow", lambda: b"again") == b"slow"


def test_the_remembered_figures_are_bounded() -> None:
    cache = FigureCache(max_bytes=10)
    for key in "abc":
        cache.of(key, lambda: b"1234")
    assert cache.of("a", lambda: b"anew") == b"anew"
    assert cache.of("c", lambda: b"anew") == b"1234"
