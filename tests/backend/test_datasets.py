"""Data sets are registered once and named from then on, over HTTP, on both databases."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import update

from backend.services import datasets
from backend.services.context import Context
from backend.services.errors import InvalidRequestError
from backend.settings import ApiSettings
from backend.storage.backup import save
from backend.storage.garbage import collect
from backend.storage.tables import Artifact, Run
from tauscope.contracts.datasets import DatasetCreate
from tauscope.datasets import load_split
from tauscope.datasets.registered import archive_file
from tauscope.specs.dataset import DatasetSpec
from tests.backend.conftest import API, FakeWorker, TestClient


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAUSCOPE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> ApiSettings:
    """A root for data sets, and room for archives of a megabyte."""
    (tmp_path / "data").mkdir()
    return ApiSettings(
        database_url=database_url,
        home=tmp_path / "home",
        broker_url="redis://127.0.0.1:1/0",
        data_roots=(tmp_path / "data",),
        upload_mb=1,
    )


def png(seed: int) -> bytes:
    file = io.BytesIO()
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((16, 16), Image.Resampling.BICUBIC).save(file, "png")
    return file.getvalue()


def packed(n: int = 52, *, twice: int = 0, **others: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for index in range(n + twice):
            archive.writestr(f"{'ab'[index % 2]}/{index}.png", png(index % n))
        for name, content in others.items():
            archive.writestr(name, content)
    return file.getvalue()


def upload(client: TestClient, name: str, content: bytes, **words: str) -> Any:
    return client.put(f"{API}/datasets/{name}/archive", content=content, params={"file": f"{name}.zip"} | words)


def launch(client: TestClient, name: str, **settings: Any) -> Any:
    held_out = {"dataset.n_held_out": 32, "dataset.size": 8, "dataset.name": name}
    return client.post(f"{API}/experiments", json={"preset": "digits-ci", "settings": {"n_train": [16]} | held_out | settings})


def test_an_uploaded_archive_has_a_card_and_is_trained_on_by_its_name(client: TestClient, context: Context) -> None:
    response = upload(client, "faces", packed(twice=3), description="Faces of nobody", licence="CC0")
    assert response.status_code == 201, response.text
    card = response.json()
    assert (card["n_images"], card["n_classes"], card["size"], card["licence"]) == (55, 2, "16x16", "CC0")
    assert (card["n_equal"], card["n_near"], card["n_unreadable"]) == (6, 0, 0)
    assert card["registered"] and card["available"]
    assert Image.open(io.BytesIO(client.get(f"{API}/datasets/faces/sheet.png").content)).size == (8 * 32, 4 * 32)
    created = launch(client, "faces")
    assert created.status_code == 201, created.text
    (run,) = created.json()["runs"]
    with context.sessions() as session:
        spec = session.get_one(Run, run["id"]).spec["dataset"]
    assert spec["name"] == "faces" and len(spec["registered"]["sha256"]) == 64
    assert len(load_split(DatasetSpec.model_validate(spec)).train) == 16
    assert client.get(f"{API}/datasets").json()[0]["n_experiments"] == 1


def test_duplicates_are_told_before_the_launch_and_refuse_nothing(client: TestClient) -> None:
    upload(client, "faces", packed(30, twice=30))
    held_out = {"n_train": [16], "dataset.n_held_out": 32, "dataset.size": 8, "dataset.name": "faces"}
    response = client.post(f"{API}/specs/plan", json={"preset": "digits-ci", "settings": held_out})
    (run,) = response.json()["runs"]
    assert run["requirements"] == []
    assert "held-out images equal a training image" in run["data"]["remarks"][0]
    assert run["data"]["pairs"][0]["picture"].startswith("data:image/png;base64,")


def test_a_path_below_a_root_is_registered_and_kept_where_it_is(client: TestClient, settings: ApiSettings) -> None:
    root = settings.data_roots[0]
    (root / "own").mkdir()
    for index in range(50):
        (root / "own" / f"{index}.png").write_bytes(png(index))
    response = client.post(f"{API}/datasets", json={"name": "own", "path": str(root / "own")})
    assert response.status_code == 201, response.text
    assert str(root / "own") in response.json()["source"] and "must exist on every worker" in response.json()["source"]
    assert launch(client, "own").status_code == 201
    assert not client.get(f"{API}/datasets").json()[0]["changed"]
    (root / "own" / "50.png").write_bytes(png(50))
    assert client.get(f"{API}/datasets").json()[0]["changed"], "its card is of fewer images"
    elsewhere = launch(client, "own", **{"dataset.path": "/elsewhere"})
    assert elsewhere.json()["errors"][0]["path"] == "dataset.path"
    too_many = launch(client, "own", **{"dataset.n_held_out": 40})
    assert too_many.json()["errors"][0]["path"] == "dataset.n_train" and "50 images" in too_many.text


def test_what_lies_outside_of_the_roots_is_refused_whichever_way_it_is_named(client: TestClient, settings: ApiSettings) -> None:
    root = settings.data_roots[0]
    outside = root.parent / "secret"
    outside.mkdir()
    (outside / "1.png").write_bytes(png(1))
    (root / "link").symlink_to(outside)
    (root / "inside").mkdir()
    (root / "inside" / "leak.png").symlink_to(outside / "1.png")
    for path in (outside, root / ".." / "secret", root / "link", root.parent, "/etc", root / "inside"):
        response = client.post(f"{API}/datasets", json={"name": "own", "path": str(path)})
        assert response.status_code == 422, path
        assert response.json()["errors"][0]["path"] == "path" and response.json()["errors"][0]["remedy"]
    assert not client.get(f"{API}/datasets").json()[0]["registered"]


def test_without_a_root_the_remedy_says_how_to_name_one(context: Context) -> None:
    rootless = replace(context, settings=context.settings.model_copy(update={"data_roots": ()}))
    with pytest.raises(InvalidRequestError) as refused:
        datasets.register_path(rootless, DatasetCreate(name="own", path="/data"))
    assert "TAUSCOPE_DATA_ROOTS" in refused.value.remedy


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no zip at all", "is not a whole zip archive"),
        (packed()[:-40], "is not a whole zip archive"),
        (packed(2, **{"../escape.png": png(1)}), "leads out of the archive"),
        (packed(0, **{"readme.txt": b"no image"}), "readme.txt"),
    ],
)
def test_an_archive_that_will_not_do_is_refused_and_nothing_is_kept(
    client: TestClient, context: Context, content: bytes, words: str
) -> None:
    response = upload(client, "bad", content)
    assert response.status_code == 422, response.text
    (error,) = response.json()["errors"]
    assert error["path"] == "path" and words in error["message"] and error["remedy"]
    assert "upload" not in error["message"], "the name under which it lay here says nothing"
    assert list(context.artifacts.files()) == [] and not list(context.settings.home.glob("upload-*"))


def test_an_archive_beyond_the_limit_is_refused_also_when_its_length_is_not_told(client: TestClient, context: Context) -> None:
    for content in (bytes(2_000_000), iter([bytes(500_000)] * 4)):
        response = client.put(f"{API}/datasets/big/archive", content=content)
        assert response.status_code == 413 and "TAUSCOPE_UPLOAD_MB" in response.json()["remedy"]
    assert not list(context.settings.home.glob("upload-*"))


@pytest.mark.parametrize("name", ["Faces", "a b", "-x", "x" * 41, "%2e%2e"])
def test_a_bad_name_is_refused(client: TestClient, name: str) -> None:
    by_path = client.post(f"{API}/datasets", json={"name": name, "path": "/"})
    for response in (upload(client, name, packed()), by_path) if "%" not in name else (by_path,):
        (error,) = response.json()["errors"]
        assert response.status_code == 422 and error["path"].endswith("name")
        assert "is no name" in error["message"] and "small letters" in error["remedy"]


def test_a_path_that_is_not_given_is_not_called_one_outside_of_the_roots(client: TestClient) -> None:
    (error,) = client.post(f"{API}/datasets", json={"name": "faces", "path": " "}).json()["errors"]
    assert error["path"] == "path" and error["message"] == "no path is given"


@pytest.mark.parametrize("name", ["digits", "parquet", "faces"])
def test_a_name_that_is_taken_is_refused(client: TestClient, name: str) -> None:
    upload(client, "faces", packed())
    (error,) = upload(client, name, packed()).json()["errors"]
    assert error["path"] == "name" and "taken" in error["message"]


def test_a_name_that_nobody_registered_lists_those_there_are(client: TestClient) -> None:
    upload(client, "faces", packed())
    (error,) = launch(client, "face").json()["errors"]
    assert error["path"] == "dataset.name" and "faces" in error["remedy"] and "digits" in error["remedy"]


def test_one_that_runs_still_need_is_not_removed(client: TestClient, worker: FakeWorker) -> None:
    upload(client, "faces", packed())
    launch(client, "faces")
    refused = client.delete(f"{API}/datasets/faces")
    assert refused.status_code == 409 and "1 run on faces is not over" in refused.json()["detail"]
    worker.finish(worker.claim())
    assert client.delete(f"{API}/datasets/faces").status_code == 204
    assert client.delete(f"{API}/datasets/faces").status_code == 404
    assert client.delete(f"{API}/datasets/digits").status_code == 404
    assert launch(client, "faces").json()["errors"][0]["path"] == "dataset.name"


def test_the_archive_is_kept_and_backed_up_while_it_is_registered_and_collected_afterwards(
    client: TestClient, context: Context, tmp_path: Path
) -> None:
    upload(client, "faces", packed())
    (stored,) = context.artifacts.files()
    assert archive_file(stored.name).is_file()
    assert save(context.engine, context.artifacts, tmp_path / "backup.tar").artifacts == 1
    grown_old = {"created_at": Artifact.created_at - 2 * context.artifacts.grace_seconds}
    with context.sessions.begin() as session:
        session.execute(update(Artifact).values(grown_old))
    assert collect(context.sessions, context.artifacts).rows == 0
    client.delete(f"{API}/datasets/faces")
    assert collect(context.sessions, context.artifacts).rows == 1


def test_labels_of_a_data_set_without_any_are_refused_at_launch(client: TestClient) -> None:
    flat = io.BytesIO()
    with zipfile.ZipFile(flat, "w") as archive:
        for index in range(52):
            archive.writestr(f"{index}.png", png(index))
    assert upload(client, "flat", flat.getvalue()).json()["n_classes"] is None
    assert upload(client, "sorted", packed()).json()["n_classes"] == 2
    refused = launch(client, "flat", **{"network.classes": "labels"})
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert (error["path"], error["message"]) == ("network.classes", "flat has no labels")
    assert "labelled data set" in error["remedy"]
    assert launch(client, "sorted", **{"network.classes": "labels"}).status_code == 201
    assert launch(client, "celeba", **{"network.classes": "labels"}).json()["errors"][0]["path"] == "network.classes"
