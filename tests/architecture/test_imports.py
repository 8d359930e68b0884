"""Who may import whom, and what the web processes never load."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_import_rules_of_pyproject_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stdout


LIGHT = (
    "tauscope.specs",
    "tauscope.contracts.experiments",
    "tauscope.client",
    "tauscope.datasets",
    "tauscope.analysis.summary",
    "tauscope.results.verify",
    "tauscope.figures.render",
    "tauscope.cli.app",
    "backend.app",
    "worker.supervisor",
    "frontend.server",
)


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str]]:
    """By module, what a process holds that has just imported it after those before it: the first with anything is the culprit."""
    script = f"""
import importlib, json, sys
found = {{}}
for module in {LIGHT!r}:
    importlib.import_module(module)
    found[module] = [name for name in ("torch", "sklearn", "safetensors", "matplotlib") if name in sys.modules]
print(json.dumps(found))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("module", LIGHT)
def test_importing_it_loads_neither_pytorch_nor_scikit_learn_nor_matplotlib(loaded: dict[str, list[str]], module: str) -> None:
    assert loaded[module] == []


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils.py", "helpers.py", "common.py", "misc.py"}
    rooms = [ROOT / room for room in ("tauscope", "backend", "worker", "launcher", "frontend")]
    assert not [path for room in rooms for path in room.rglob("*.py") if path.name in drawers]
