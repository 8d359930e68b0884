"""Rank 0 of a run on several devices: it starts the others, tells them when a step begins, and notices when one is gone."""

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, distributed, nn

from tauscope.execution.devices import DeviceError
from tauscope.specs import ExperimentSpec
from tauscope.training.ranks import Ranks
from tauscope.training.team import Team

END_SECONDS = 10.0  # How long a rank may take to leave once its input is closed, or to be seen dead once its connection is.


class RankError(Exception):
    """Another process of the run is gone, and with it its share of every batch."""


class LeadingRank(Ranks):
    """The process that measures and writes; the others live from its first step to its ``close``, or its death.

    They are told of each step through their standard input, on which they wait as long as rank 0 measures.

    Args:
        spec: the run.
        device: that of this process.
        checkpoint: what the run goes on from; the others read it too.
    """

    def __init__(self, spec: ExperimentSpec, device: torch.device, checkpoint: Path | None) -> None:
        super().__init__(0, spec.devices)
        self.spec = spec
        self.device = device
        self.checkpoint = checkpoint
        self._others: list[subprocess.Popen[bytes]] = []
        self._folder = tempfile.TemporaryDirectory(prefix="tauscope-ranks-")

    def begin(self) -> None:
        if not self._others:
            self._start()
        for other in self._others:
            self._tell(other, b"step\n")

    def add_up(self, parameters: Iterable[nn.Parameter], loss: Tensor) -> Tensor:
        try:
            return super().add_up(parameters, loss)
        except RuntimeError as error:
            raise self._lost() from error

    def close(self) -> None:
        """Let the others go; kill those that stay."""
        for other in self._others:
            assert other.stdin is not None and other.stdout is not None
            with contextlib.suppress(BrokenPipeError):
                other.stdin.close()
        for other in self._others:
            try:
                other.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                other.kill()
                other.wait()
            assert other.stdout is not None
            other.stdout.close()
        self._others = []
        if distributed.is_initialized():
            distributed.destroy_process_group()
        self._folder.cleanup()

    def _start(self) -> None:
        place = Path(self._folder.name) / "meeting"
        for rank in range(1, self.size):
            other = subprocess.Popen([sys.executable, "-m", "tauscope.execution.rank"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self._others.append(other)
            order = {
                "spec": self.spec.model_dump(mode="json"),
                "checkpoint": str(self.checkpoint) if self.checkpoint else None,
                "rank": rank,
                "meeting": str(place),
                "device": str(device_of_rank(self.device, rank)),
            }
            self._tell(other, json.dumps(order).encode() + b"\n")
        for other in self._others:
            assert other.stdout is not None
            if other.stdout.readline() != b"ready\n":
                raise self._lost()
        self.meet(place, self.device)

    def _tell(self, other: "subprocess.Popen[bytes]", line: bytes) -> None:
        assert other.stdin is not None
        try:
            other.stdin.write(line)
            other.stdin.flush()
        except BrokenPipeError as error:
            raise self._lost() from error

    def _lost(self) -> RankError:
        """Who is gone, and why as far as can be told."""
        for rank, other in enumerate(self._others, start=1):
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = other.wait(END_SECONDS / len(self._others))
                cause = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
                return RankError(f"rank {rank} of {self.size} ended ({cause}); its share of the batch is lost")
        return RankError(f"the {self.size} ranks lost their connection, though all of them are there")


def team_of(spec: ExperimentSpec, device: torch.device, checkpoint: Path | None) -> Team:
    """With whom a run shares its batches: nobody, or as many ranks as it asks for.

    Raises:
        DeviceError: if there are not as many devices.
    """
    devices = spec.devices
    if devices == 1:
        return Team()
    there = {"cuda": torch.cuda.device_count(), "mps": 1}.get(device.type, devices)
    if there < devices:
        raise DeviceError(
            f"compute.devices are {devices}, and {there} of {device.type} can be seen here", f"Set compute.devices to {there}"
        )
    return LeadingRank(spec, device, checkpoint)


def device_of_rank(device: torch.device, rank: int) -> torch.device:
    """A GPU of its own for each rank; on the CPU they share the cores."""
    return torch.device("cuda", rank) if device.type == "cuda" else device
