"""A run on several devices is the run on one, and ends with a reason when one of its processes does."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tauscope.execution.devices import DeviceError
from tauscope.execution.events import CheckpointWritten, Failed, Measured, Progress, SegmentEnded
from tauscope.execution.leading import LeadingRank, device_of_rank, team_of
from tauscope.execution.trainer_process import TrainerProcess
from tauscope.experiments import ImageDdpmExperiment
from tauscope.specs import ImageDdpmSpec
from tauscope.training.ranks import Ranks
from tests.training.test_resume import CPU, Notebook, spec

NETWORK = {"base_width": 8, "multipliers": [1, 2], "blocks": 1, "attention": [False, True]}


def chosen(devices: int, **changes: Any) -> ImageDdpmSpec:
    return spec(network=NETWORK, batch_size=9, compute={"devices": devices}, **changes)


def together(folder: Path, checkpoint: Path | None = None) -> tuple[Notebook, torch.Tensor]:
    team, notebook = LeadingRank(chosen(2), CPU, checkpoint), Notebook()
    try:
        experiment = ImageDdpmExperiment(chosen(2), device=CPU, folder=folder, team=team)
        experiment.run(notebook, checkpoint=checkpoint)
    finally:
        team.close()
    return notebook, torch.cat([weight.detach().flatten() for weight in experiment.trainer.network.parameters()])


def test_two_processes_train_the_run_of_one_and_resume_to_the_last_bit(tmp_path: Path) -> None:
    """A batch of 9 in slices of 4 and 5: only the order of float32 sums differs, for which 1e-4 of a loss is allowed.

    Adam turns rounding into more where a gradient is near 0.
    """
    one = Notebook()
    ImageDdpmExperiment(chosen(1), device=CPU, folder=tmp_path / "one").run(one)
    two, weights = together(tmp_path / "two")
    assert [(point.step, point.metric) for point in two.points] == [(point.step, point.metric) for point in one.points]
    losses = [place for place, point in enumerate(two.points) if point.metric.startswith("loss_")]
    ours, theirs = (np.array([points[place].value for place in losses], dtype=float) for points in (two.points, one.points))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
    assert (ours != theirs).any()
    resumed, again = together(tmp_path / "two", two.checkpoints[1])
    assert resumed.points == [point for point in two.points if point.step > 8]
    assert torch.equal(again, weights)


def test_the_slices_of_all_ranks_are_the_batch() -> None:
    for batch, size in ((9, 2), (64, 4), (7, 7)):
        shares = [Ranks(rank, size).share(batch) for rank in range(size)]
        assert [image for first, end in shares for image in range(first, end)] == list(range(batch))
        assert all(end > first for first, end in shares)


def test_a_rank_that_is_killed_ends_the_run_with_its_name_and_the_last_checkpoint(tmp_path: Path) -> None:
    long = chosen(2, steps=100_000, measurement={"schedule": {"kind": "explicit", "at": [4]}, "n_generated": 32, "loss_pairs": 32})
    child = TrainerProcess()
    child.run_segment(long, tmp_path)
    seen: list[object] = []
    while not any(isinstance(event, CheckpointWritten) for event in seen):
        seen.append(child.next_event(200))
        assert not isinstance(seen[-1], Failed | SegmentEnded | None), seen[-1]
    (rank,) = ranks_of(child.pid)
    os.kill(rank, signal.SIGKILL)
    while not isinstance(seen[-1], Failed):
        seen.append(child.next_event(200))
        assert isinstance(seen[-1], Failed | Progress | Measured), seen[-1]
    failed = seen[-1]
    assert (failed.code, failed.message) == ("rank_died", "rank 1 of 2 ended (signal SIGKILL); its share of the batch is lost")
    assert (tmp_path / "checkpoints" / "4.json").is_file()
    assert ranks_of(child.pid) == []
    child.close()


def ranks_of(child: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(child)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def test_more_gpus_than_there_are_is_said_with_how_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(DeviceError, match=r"compute\.devices are 2, and 1 of cuda can be seen here"):
        team_of(chosen(2), torch.device("cuda:0"), None)
    assert device_of_rank(torch.device("cuda:0"), 1) == torch.device("cuda:1")
    assert device_of_rank(CPU, 1) == CPU
