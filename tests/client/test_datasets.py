"""``tauscope datasets add``, ``list --url`` and ``remove`` against a real server."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tauscope.cli.app import app
from tauscope.client import ApiError, TauscopeClient
from tauscope.contracts.datasets import DatasetCreate
from tests.backend.test_datasets import packed
from tests.client.conftest import LiveServer


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAUSCOPE_CACHE", str(tmp_path / "cache"))


def invoke(server: LiveServer, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["datasets", *arguments, "--url", server.url])
    return result.exit_code, result.output


def test_an_archive_is_registered_listed_and_removed(server: LiveServer, api: TauscopeClient, tmp_path: Path) -> None:
    archive = tmp_path / "faces.zip"
    archive.write_bytes(packed(twice=2))
    code, told = invoke(server, "add", "faces", str(archive), "--upload", "--licence", "CC0")
    assert code == 0 and "faces is registered: 54 images, 16x16" in told and "4 images equal another" in told
    assert api.dataset_sheet("faces").startswith(b"\x89PNG")
    assert "faces" in invoke(server, "list")[1]
    code, told = invoke(server, "remove", "faces")
    assert code == 0 and "faces is removed" in told
    with pytest.raises(ApiError, match="no data set faces"):
        api.remove_dataset("faces")


def test_what_will_not_do_is_refused_in_words(server: LiveServer, api: TauscopeClient, tmp_path: Path) -> None:
    assert invoke(server, "add", "Faces", str(tmp_path))[0] == 2
    code, told = invoke(server, "add", "faces", str(tmp_path / "nothing.zip"), "--upload")
    assert code == 2 and "No such file" in told
    with pytest.raises(ApiError, match="no folder for data sets"):
        api.register_dataset(DatasetCreate(name="faces", path=str(tmp_path)))
