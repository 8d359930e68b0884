"""The shipped presets, run in full through the command line, show what they promise. Minutes each: `make test-slow`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def run_preset(name: str, out: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tauscope", "run", name, "--json", "--out", str(out)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def by_n(summary: dict[str, Any]) -> dict[int, dict[str, Any]]:
    return {run["params"]["n_train"]: run for run in summary["runs"]}


@pytest.fixture(scope="module")
def ci(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[int, dict[str, Any]], Path]:
    out = tmp_path_factory.mktemp("ci") / "out"
    return by_n(run_preset("digits-ci", out)), out


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    out = tmp_path_factory.mktemp("demo") / "out"
    return run_preset("digits-demo", out), out


def test_digits_ci_copies_at_every_n_and_its_control_does_not(ci: tuple[dict[int, dict[str, Any]], Path]) -> None:
    runs, _ = ci
    assert set(runs) == {8, 16, 32}
    for run in runs.values():
        assert run["final"]["f_mem"] > 0.25
        assert run["final"]["f_mem_control_high"] < 0.05


def test_digits_ci_copies_later_with_more_images(ci: tuple[dict[int, dict[str, Any]], Path]) -> None:
    runs, _ = ci
    assert 4 < runs[32]["onsets"]["tau_mem"]["value"] / runs[8]["onsets"]["tau_mem"]["value"] < 12


def test_digits_ci_never_reaches_quality_on_eight_images_and_says_so(ci: tuple[dict[int, dict[str, Any]], Path]) -> None:
    onset = ci[0][8]["onsets"]["tau_gen"]
    assert onset["value"] is None
    assert onset["status"] == "censored"
    assert onset["reason"].startswith("quality never reached")


def test_digits_demo_generates_at_the_same_time_for_every_n(demo: tuple[dict[str, Any], Path]) -> None:
    values = [run["onsets"]["tau_gen"]["value"] for run in demo[0]["runs"]]
    assert max(values) / min(values) < 1.6


def test_digits_demo_copies_later_with_more_images(demo: tuple[dict[str, Any], Path]) -> None:
    runs = by_n(demo[0])
    assert 3 < runs[64]["onsets"]["tau_mem"]["value"] / runs[16]["onsets"]["tau_mem"]["value"] < 9
    assert demo[0]["fits"]["tau_mem_vs_n"]["low"] > 0.5


def test_verify_agrees_with_both(ci: tuple[object, Path], demo: tuple[object, Path]) -> None:
    for _, out in (ci, demo):
        subprocess.run([sys.executable, "-m", "tauscope", "verify", str(out)], check=True)
