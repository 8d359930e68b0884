"""Who may call the service, from where, and with what secret."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from backend.app import create_app
from backend.settings import ApiSettings
from tests.backend.conftest import API, TestClient

TOKEN = "correct-horse-battery"


@pytest.fixture
def database_kind() -> str:
    """The guard stands before any database."""
    return "sqlite"


def serve(database_url: str, home: Path, name: str = "http://127.0.0.1:8500", **options: object) -> TestClient:
    settings = ApiSettings.model_validate({"database_url": database_url, "home": home, **options})
    return TestClient(create_app(settings), base_url=name, raise_server_exceptions=False)


@pytest.fixture
def guarded(database_url: str, tmp_path: Path) -> Iterator[TestClient]:
    """A service that others can reach, with a token."""
    with serve(database_url, tmp_path, "https://lab.example", host="0.0.0.0", token=TOKEN) as client:
        yield client


@pytest.mark.parametrize("host", ["127.0.0.1:8500", "localhost:1", "[::1]:8500", "LOCALHOST"])
def test_loopback_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get(f"{API}/presets", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8500", "localhost.evil.example", "", "[", "0.0.0.0"])
def test_a_page_that_rebinds_its_name_to_loopback_is_refused(client: TestClient, host: str) -> None:
    response = client.get(f"{API}/health", headers={"Host": host})
    assert (response.status_code, response.json()["code"]) == (403, "forbidden_host")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1.evil.example", "file://", "http://["])
def test_pages_of_other_sites_are_refused(client: TestClient, origin: str) -> None:
    response = client.post(f"{API}/experiments", json={"preset": "digits-ci"}, headers={"Origin": origin})
    assert (response.status_code, response.json()["code"]) == (403, "forbidden_origin")


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8501", "http://localhost:8501"])
def test_the_dashboard_on_another_port_may_call(client: TestClient, origin: str) -> None:
    assert client.get(f"{API}/presets", headers={"Origin": origin}).status_code == 200


def test_names_and_origins_can_be_allowed(database_url: str, tmp_path: Path) -> None:
    options = {"allowed_hosts": ("lab.local",), "allowed_origins": ("https://lab.org/",)}
    with serve(database_url, tmp_path, "http://lab.local", **options) as client:
        assert client.get(f"{API}/presets", headers={"Origin": "https://lab.org"}).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "lab.example"])
def test_without_a_token_it_serves_loopback_only(host: str) -> None:
    with pytest.raises(ValidationError, match="TAUSCOPE_TOKEN"):
        ApiSettings(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_loopback_needs_no_token(host: str) -> None:
    assert ApiSettings(host=host).on_loopback


@pytest.mark.parametrize("token", ["short", "x" * 15, "with a space in it!", "semi;colon;semi;colon", "ünïcödé-ünïcödé-ü"])
def test_a_weak_or_unsendable_token_is_refused(token: str) -> None:
    with pytest.raises(ValidationError, match="secrets"):
        ApiSettings.model_validate({"token": token})


def test_an_empty_token_variable_means_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAUSCOPE_TOKEN", "")
    assert ApiSettings().token is None


def test_the_token_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAUSCOPE_TOKEN", TOKEN)
    assert TOKEN not in repr(ApiSettings()) + ApiSettings().model_dump_json()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong-horse-battery"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer "},
        {"Cookie": "tauscope_token=wrong"},
        {"Cookie": f"other={TOKEN}"},
    ],
)
def test_without_the_token_nothing_is_served(guarded: TestClient, headers: dict[str, str]) -> None:
    for path in ("/presets", "/openapi.json", "/experiments", "/runs/0/samples/last/0.png", "/nothing"):
        response = guarded.get(API + path, headers=headers)
        assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
        assert response.headers["www-authenticate"] == "Bearer"


def test_a_token_in_the_address_counts_for_nothing(guarded: TestClient) -> None:
    for name in ("token", "access_token", "tauscope_token"):
        assert guarded.get(f"{API}/presets", params={name: TOKEN}).status_code == 401


def test_programs_send_the_token_as_bearer(guarded: TestClient) -> None:
    assert guarded.get(f"{API}/presets", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_browsers_exchange_the_token_for_a_cookie_that_scripts_cannot_read(guarded: TestClient) -> None:
    response = guarded.post(f"{API}/session", json={"token": TOKEN})
    assert response.status_code == 204
    cookie = response.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("tauscope_token=", "httponly", "samesite=strict", "secure", "path=/"))
    assert guarded.get(f"{API}/presets").status_code == 200


def test_an_odd_cookie_of_another_app_does_not_hide_ours(guarded: TestClient) -> None:
    cookies = f'weird={{"a":1}}; =; x y=z; tauscope_token={TOKEN}'
    assert guarded.get(f"{API}/presets", headers={"Cookie": cookies}).status_code == 200


def test_a_wrong_token_gets_no_cookie(guarded: TestClient) -> None:
    response = guarded.post(f"{API}/session", json={"token": "wrong-horse-battery"})
    assert response.status_code == 401
    assert "set-cookie" not in response.headers


def test_a_cookie_sent_along_by_another_sites_page_is_not_enough(guarded: TestClient) -> None:
    guarded.post(f"{API}/session", json={"token": TOKEN})
    response = guarded.post(f"{API}/experiments", json={"preset": "digits-ci"}, headers={"Origin": "https://evil.example"})
    assert response.status_code == 403
    assert guarded.get(f"{API}/experiments").json()["items"] == []


def test_health_is_open_and_says_nothing_else(guarded: TestClient) -> None:
    assert guarded.get(f"{API}/health").json() == {"status": "up"}
