"""A demo that was killed under way is followed on; one that ended is launched anew."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from launcher.demo import Demo
from launcher.settings import UpSettings
from launcher.terminal import Terminal
from tauscope.contracts.experiments import ExperimentCreate
from tauscope.contracts.runs import RunState


class Api:
    """Returns the same experiment for the same key, as the real one does."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.state = RunState.RUNNING

    def launch(self, request: ExperimentCreate, *, idempotency_key: str) -> Any:
        if idempotency_key not in self.keys:
            self.keys.append(idempotency_key)
        return self.experiment(str(self.keys.index(idempotency_key)))

    def experiment(self, identifier: str) -> Any:
        run = SimpleNamespace(state=self.state, label="n_train=8", step=1, steps=2, steps_per_second=None)
        return SimpleNamespace(id=identifier, name="digits-demo", runs=[run])


@pytest.fixture
def api() -> Api:
    return Api()


def begin(home: Path, api: Api, **assignments: Any) -> Demo:
    demo = Demo(UpSettings(home=home), Terminal(), api)  # type: ignore[arg-type]
    demo.submit("digits-demo", assignments)
    return demo


def test_a_demo_that_was_killed_goes_on_with_its_experiment(tmp_path: Path, api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    first = begin(tmp_path, api)
    assert "go on" not in capsys.readouterr().out
    assert begin(tmp_path, api).view.id == first.view.id
    assert "1 runs, begun before, which go on" in capsys.readouterr().out


def test_a_demo_that_is_over_or_asks_for_something_else_is_launched_anew(tmp_path: Path, api: Api) -> None:
    first = begin(tmp_path, api)
    other = begin(tmp_path, api, steps=100)
    assert other.view.id != first.view.id
    api.state = RunState.FINISHED
    assert other._is_over(lambda: None)
    assert begin(tmp_path, api, steps=100).view.id not in {first.view.id, other.view.id}
