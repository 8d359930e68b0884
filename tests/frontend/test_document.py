"""What a document brings with it: scripts whose address names their content, and the parts of Streamlit that are asked for early."""

from importlib.resources import files
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from frontend import assets as kept
from frontend.assets import KeptFiles, assets
from frontend.document import document
from tests.asgi import TestClient


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a folder with one script."""
    (tmp_path / "page.js").write_text("export const first = 1;\n")
    monkeypatch.setattr(kept, "STATIC", tmp_path)
    return assets.__wrapped__()


def test_the_address_of_the_scripts_changes_with_their_content_and_not_with_their_date(address: str, tmp_path: Path) -> None:
    script = tmp_path / "page.js"
    script.touch()
    assert assets.__wrapped__() == address
    script.write_text("export const first = 2;\n")
    assert assets.__wrapped__() != address


def test_a_browser_keeps_a_script_for_good(address: str, tmp_path: Path) -> None:
    client = TestClient(Starlette(routes=[Mount(address, KeptFiles(directory=tmp_path))]))
    answer = client.get(f"{address}/page.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "first" in answer.text


def test_every_script_of_a_document_has_such_an_address() -> None:
    ours = [line for line in document().splitlines() if "/assets/" in line]
    assert len(ours) == 4
    assert all(f'src="{assets()}/' in line for line in ours)


def test_the_parts_of_streamlit_that_are_asked_for_early_are_there() -> None:
    parts = document().partition('data-parts="')[2].partition('"')[0].split()
    names = {part.rpartition("/")[2].partition(".")[0] for part in parts}
    assert names == {"Html", "Button", "ButtonGroup", "TextInput", "Selectbox", "BidiComponent"}
    static = files("streamlit") / "static"
    assert all((static / part.removeprefix("/")).is_file() for part in parts)
