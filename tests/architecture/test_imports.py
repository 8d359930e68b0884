"""Who may import whom, and what the web processes never load."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_import_rules_of_pyproject_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "module",
    [
        "tauscope.specs",
        "tauscope.contracts.experiments",
        "tauscope.client",
        "tauscope.datasets",
        "tauscope.analysis.summary",
        "tauscope.results.verify",
        "tauscope.figures.render",
        "backend.app",
        "worker.supervisor",
        "frontend.server",
    ],
)
def test_importing_it_loads_neither_pytorch_nor_scikit_learn(module: str) -> None:
    script = f"import sys, {module}; print([name for name in ('torch', 'sklearn') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils.py", "helpers.py", "common.py", "misc.py"}
    rooms = [ROOT / room for room in ("tauscope", "backend", "worker", "launcher", "frontend")]
    assert not [path for room in rooms for path in room.rglob("*.py") if path.name in drawers]
