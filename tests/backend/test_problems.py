"""Whatever is wrong with a request, the answer is a problem that names the field and the remedy."""

import json
from typing import Any

import pytest
import structlog.testing

from tauscope.contracts.problems import Problem
from tests.backend.conftest import API, TestClient


@pytest.fixture
def database_kind() -> str:
    """Refused requests never reach the database; one kind will do, but for the tests that say otherwise."""
    return "sqlite"


BOTH_DATABASES = pytest.mark.parametrize("database_kind", ["sqlite", "postgres"])


def problem(response: Any, status: int, code: str) -> Problem:
    assert response.headers["content-type"] == "application/problem+json", response.text
    found = Problem.model_validate_json(response.content)
    assert (response.status_code, found.status, found.code) == (status, status, code), found
    return found


@pytest.mark.parametrize(
    ("changes", "path", "remedy"),
    [
        ({"width": 12}, "network.base_width", "Use 8, 16"),
        ({"stepz": 5}, "stepz", "Known here"),
        ({"optimizer.lr": -1}, "optimizer.lr", "-1"),
        ({"n_train": [8, 8]}, "axes", "List each value once"),
        ({"n_train": [8, 99]}, "overrides", "Add an entry"),
        ({"steps": 10**30}, "steps", ""),
        ({"dataset.name": "mnits"}, "dataset.name", "digits"),
        ({"seed": 1, "n_train": [8, 900], "steps": 9}, "dataset.n_train", "at most"),
        ({"name": "nul\u0000"}, "settings.name", "Remove"),
        ({"name": "\ud800"}, "settings.name", "Remove"),
        ({"measurement.schedule.count": 10**9}, "count", ""),
    ],
)
def test_a_bad_spec_is_refused_at_the_field_with_the_remedy(client: TestClient, changes: dict[str, Any], path: str, remedy: str) -> None:
    body = json.dumps({"preset": "digits-ci", "settings": changes})
    for address in ("/specs/plan", "/experiments"):
        response = client.post(API + address, content=body, headers={"Content-Type": "application/json"})
        errors = problem(response, 422, "invalid_spec").errors
        assert any(path in error.path and remedy in error.remedy for error in errors), errors


def test_axes_that_multiply_beyond_memory_are_refused_at_once(client: TestClient) -> None:
    axes = {f"seed{axis or ''}": list(range(1000)) for axis in range(8)}
    sweep = {"name": "huge", "base": {"kind": "image_ddpm"}, "axes": axes}
    assert "Split it" in problem(client.post(f"{API}/specs/plan", json={"sweep": sweep}), 422, "invalid_spec").errors[0].remedy


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", "7", '"text"', "{}", '{"preset": 5}', '{"preset": "a", "sweep": {}}', '{"x": NaN}']
)
def test_a_body_of_another_shape_is_an_invalid_request(client: TestClient, body: str) -> None:
    response = client.post(f"{API}/experiments", content=body, headers={"Content-Type": "application/json"})
    assert problem(response, 422, "invalid_request").errors


@BOTH_DATABASES
@pytest.mark.parametrize(
    "body", ["[" * 100_000, '{"settings": ' + '{"a":' * 900 + "1" + "}" * 900 + ', "preset": "digits-ci"}', "9" * 9999, "\x00", "\xff"]
)
def test_a_hostile_body_is_refused_without_a_crash(client: TestClient, body: str) -> None:
    response = client.post(f"{API}/experiments", content=body.encode("latin-1"), headers={"Content-Type": "application/json"})
    assert Problem.model_validate_json(response.content).status == response.status_code in (400, 422)


@BOTH_DATABASES
@pytest.mark.parametrize(
    "path", ["/nothing", "/experiments/0000", "/experiments/UPPER", "/experiments/%00", "/runs/%F0%9F", "/runs/none", "/presets/none"]
)
def test_an_unknown_address_is_a_404_problem(client: TestClient, path: str) -> None:
    response = client.get(API + path)
    assert response.status_code == 404
    assert problem(response, 404, response.json()["code"]).code.endswith("not_found")


@pytest.mark.parametrize("sub", ["", "/curves", "/events", "/export", "/summary"])
def test_everything_below_an_unknown_experiment_is_unknown(client: TestClient, sub: str) -> None:
    problem(client.get(f"{API}/experiments/0000{sub}"), 404, "experiment_not_found")


@pytest.mark.parametrize(
    "sub",
    [
        "",
        "/events",
        "/samples/last",
        "/samples/5/0.png",
        "/samples",
        "/samples/5/sheet.png",
        "/seeds/0",
        "/seeds/0/film.png",
        "/train/0.png",
    ],
)
def test_everything_below_an_unknown_run_is_unknown(client: TestClient, sub: str) -> None:
    problem(client.get(f"{API}/runs/0000{sub}"), 404, "run_not_found")


def test_a_wrong_method_is_a_405_problem_that_lists_the_right_ones(client: TestClient) -> None:
    response = client.put(f"{API}/experiments")
    problem(response, 405, "method_not_allowed")
    assert response.headers["allow"]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "state=asleep", "cursor=%00", "cursor=-"])
def test_a_bad_query_names_its_field(client: TestClient, query: str) -> None:
    errors = problem(client.get(f"{API}/experiments?{query}"), 422, "invalid_request").errors
    assert errors[0].path == f"query.{query.partition('=')[0]}"


@pytest.mark.parametrize("cursor", ["x", "1.1-1.1-1.1-1.1", "1.1-1.1--1.1", "1.1-1.1-99999999999.1"])
def test_a_foreign_cursor_is_refused_before_the_stream_begins(client: TestClient, experiment: dict[str, Any], cursor: str) -> None:
    for options in ({"params": {"cursor": cursor}}, {"headers": {"Last-Event-ID": cursor}}):
        response = client.get(f"{API}/experiments/{experiment['id']}/events", **options)
        assert problem(response, 422, "invalid_request").errors[0].path == "cursor"


def test_a_body_beyond_the_bound_is_a_413_problem_with_and_without_a_length(client: TestClient) -> None:
    large = b" " * (1 << 20) + b"{}"
    problem(client.post(f"{API}/experiments", content=large), 413, "body_too_large")
    problem(client.post(f"{API}/experiments", content=iter([large])), 413, "body_too_large")


def test_a_crash_says_nothing_about_the_inside(client: TestClient, experiment: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("the secret of /home/someone")

    monkeypatch.setattr("backend.services.experiments.view", fail)
    with structlog.testing.capture_logs() as logs:
        response = client.get(f"{API}/experiments/{experiment['id']}")
    assert "secret" in str(logs[0]["exc_info"])
    problem(response, 500, "internal_error")
    assert "secret" not in response.text


def test_every_operation_has_a_name_and_says_that_it_may_refuse(client: TestClient) -> None:
    schema = client.get(f"{API}/openapi.json").json()
    operations = [operation for item in schema["paths"].values() for operation in item.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names) >= 22
    assert all("application/problem+json" in operation["responses"]["4XX"]["content"] for operation in operations)
    assert all(operation["description"] for operation in operations)
    assert {"Curves", "ExperimentView", "SamplesView", "Plan", "Problem"} <= set(schema["components"]["schemas"])
