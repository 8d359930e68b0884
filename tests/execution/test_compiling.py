"""A compiled training step is the plain one to rounding; without a compiler the run says so."""

from pathlib import Path

import numpy as np
import pytest

from tauscope.contracts.points import Point
from tauscope.execution.child import _diagnose
from tauscope.execution.events import Failed, Measured, SegmentEnded
from tauscope.execution.trainer_process import TrainerProcess
from tests.execution.test_ranks import NETWORK
from tests.training.test_resume import spec


@pytest.mark.slow  # The compiler takes a minute or two of a core.
def test_a_compiled_step_learns_what_the_plain_one_does(tmp_path: Path) -> None:
    plain, compiled = (trained(tmp_path / str(compile), compile) for compile in (False, True))
    losses = [[float(point.value or 0) for point in points if point.metric.startswith("loss_")] for points in (plain, compiled)]
    assert len(losses[0]) == 18
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-3, atol=1e-3)


def trained(folder: Path, compile: bool) -> list[Point]:
    folder.mkdir()
    # A cache of its own: a compiler that was killed leaves half a library in the shared one.
    child = TrainerProcess(environment={"TORCHINDUCTOR_CACHE_DIR": str(folder / "compiled")})
    child.run_segment(spec(network=NETWORK, compute={"compile": compile}), folder)
    points: list[Point] = []
    while True:
        event = child.next_event(600)
        assert not isinstance(event, Failed | None), event
        if isinstance(event, Measured):
            points += event.points
        if isinstance(event, SegmentEnded):
            child.close()
            return points


def test_a_step_that_cannot_be_compiled_names_the_field() -> None:
    refused = type("InductorError", (RuntimeError,), {"__module__": "torch._inductor.exc"})
    code, remedy = _diagnose(refused("no C++ compiler"))
    assert code == "compile_failed"
    assert remedy.startswith("Set compute.compile to false")
