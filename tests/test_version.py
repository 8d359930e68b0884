"""The code version follows what computes results, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

import tauscope
from tauscope import version
from tauscope.version import COMPUTES, code_version, is_computing, source_version

ROOT = Path(tauscope.__file__).parent


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small library in the place of ours."""
    for name in ("specs/a.py", "metrics/deep/b.py", "contracts/points.py", "contracts/runs.py", "cli/app.py", "specs/presets/a.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "contracts/model.py").write_text("model")
    monkeypatch.setattr(version, "_ROOT", tmp_path)
    return tmp_path


def versions() -> tuple[str, str]:
    return code_version.__wrapped__(), source_version.__wrapped__()


@pytest.mark.parametrize("name", ["specs/a.py", "metrics/deep/b.py", "contracts/points.py"])
def test_a_change_of_what_computes_is_another_code_version(library: Path, name: str) -> None:
    before = versions()
    (library / name).write_text("changed")
    assert all(old != new for old, new in zip(before, versions(), strict=True))


@pytest.mark.parametrize(("name", "seen"), [("cli/app.py", True), ("contracts/runs.py", True), ("specs/presets/a.yaml", False)])
def test_a_change_of_what_only_shows_is_no_other_code_version(library: Path, name: str, seen: bool) -> None:
    code, source = versions()
    (library / name).write_text("changed")
    assert versions()[0] == code
    assert (versions()[1] != source) is seen


def test_every_part_that_counts_exists() -> None:
    assert all((ROOT / part).exists() for part in COMPUTES)


def test_an_experiment_loads_nothing_that_does_not_count() -> None:
    """Whatever an experiment imports can change its numbers, so all of it must be in the digest."""
    code = "import sys, tauscope.experiments\nprint(*(m.__file__ for n, m in sys.modules.items() if n.startswith('tauscope')), sep='\\n')"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    # Data sets describe themselves in what travels over HTTP, and are kept in a folder: neither is a result.
    harmless = {ROOT / "__init__.py", ROOT / "version.py", ROOT / "folders.py", *(ROOT / "contracts").iterdir()}
    assert len(loaded) > 20
    assert [path for path in map(Path, loaded) if not is_computing(path) and path not in harmless] == []
