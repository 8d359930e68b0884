"""Whether the reconciler makes its rounds is told by its health check."""

import time
from pathlib import Path

import pytest

from worker.reconciler_health import forget_rounds, is_healthy, note_round
from worker.settings import WorkerSettings


def test_a_reconciler_is_healthy_while_it_makes_its_rounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, now = WorkerSettings(home=tmp_path / "home"), time.monotonic()
    assert not is_healthy(settings)
    note_round(settings)
    assert is_healthy(settings)
    for elsewhen in (now + 31, now - 100):
        monkeypatch.setattr(time, "monotonic", lambda moment=elsewhen: moment)
        assert not is_healthy(settings)


def test_a_reconciler_that_has_ended_leaves_nothing(tmp_path: Path) -> None:
    settings = WorkerSettings(home=tmp_path)
    note_round(settings)
    forget_rounds(settings)
    assert not is_healthy(settings) and list(tmp_path.iterdir()) == []
