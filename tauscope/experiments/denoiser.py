"""A denoiser in training: when it is measured and saved, whatever it learns. What is measured is each kind's own."""

import copy
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from torch import nn

from tauscope.contracts.points import Point
from tauscope.experiments.recorder import Recorder
from tauscope.experiments.sampled import SampledMeasurement
from tauscope.experiments.sampling import SamplingBrokenOffError
from tauscope.specs import DenoiserSpec, ExperimentSpec
from tauscope.training.checkpoints import CheckpointError, load_checkpoint, save_checkpoint
from tauscope.training.trainer import Trainer

PROGRESS_SECONDS = 0.2


class DenoiserMeasurement(Protocol):
    """What is measured of a denoiser; ``further`` are further averages of its weights by the suffix of their metrics."""

    def without_samples(self, network: nn.Module, step: int, further: Mapping[str, nn.Module]) -> list[Point]:
        """What is measured wherever the losses are."""
        ...

    def samples(
        self, network: nn.Module, step: int, path: Path, further: Mapping[str, nn.Module], *, go_on: Callable[[float], bool]
    ) -> list[Point]:
        """Draw samples, write to ``path`` what is to be kept of them, and measure them.

        ``go_on`` is told the share that is drawn, between any two evaluations of a network.

        Raises:
            SamplingBrokenOffError: when ``go_on`` says no.
        """
        ...


class DenoiserExperiment(ABC):
    """One run, ready to train on its device.

    Args:
        spec: the run, resolved.
        folder: the run's folder; all that is kept of it is written below it.
        trainer: of its network.
        measurement: by its spec.
    """

    def __init__(self, spec: DenoiserSpec, folder: Path, trainer: Trainer, measurement: DenoiserMeasurement) -> None:
        self.spec = spec
        self.folder = folder
        self.trainer = trainer
        self.measurement = measurement
        self._sample_steps, self._saved_steps, self._loss_steps = spec.sample_steps, spec.saved_steps, spec.loss_steps

    @abstractmethod
    def measurement_of(self, spec: ExperimentSpec) -> DenoiserMeasurement:
        """The same run measured as another spec says."""

    @abstractmethod
    def write_data(self, recorder: Recorder) -> None:
        """Write what the run learns from, and tell of it."""

    def write_predictions(self, recorder: Recorder, network: nn.Module) -> None:  # noqa: B027 - most kinds have no twins
        """Write what a twin is compared by, and tell of it; nothing where runs have no twins."""

    @property
    def step(self) -> int:
        """Training steps done."""
        return self.trainer.step

    def advance(self) -> None:
        """Do one training step.

        Raises:
            DivergedError: if the loss is no longer a number.
        """
        self.trainer.advance()

    def run(self, recorder: Recorder, *, checkpoint: Path | None = None) -> bool:
        """Train from the checkpoint, or from the start, until the steps are done or the recorder ends the segment.

        Returns:
            Whether the run has all its steps.

        Raises:
            DivergedError: if the loss is no longer a number.
            CheckpointError: if the checkpoint cannot be resumed from.
        """
        self.begin(checkpoint)
        self.write_data(recorder)
        saved = self.trainer.step
        reported = 0.0
        while self.trainer.step < self.spec.steps:
            loss = self.trainer.advance()
            if time.monotonic() - reported > PROGRESS_SECONDS:
                reported = time.monotonic()
                recorder.progress(self.trainer.step, float(loss))
            unevaluated = self._measure(recorder)
            ending = recorder.should_end()
            if ending or self.trainer.step in self._saved_steps or self.trainer.step == self.spec.steps:
                self.trainer.check_finite()
                self._save(recorder, unevaluated=unevaluated)
                saved = self.trainer.step
            if ending:
                break
        assert saved == self.trainer.step
        return self.trainer.step >= self.spec.steps

    def evaluate(self, recorder: Recorder, checkpoint: Path | None, *, step: int) -> bool:
        """Draw and measure the samples of a step, to the same numbers as while training.

        From a checkpoint of an earlier step, or from none, the steps in between are trained again.

        Returns:
            Whether it was done; else the recorder broke it off.

        Raises:
            CheckpointError: if the checkpoint cannot be read.
        """
        if not self._reach(recorder, checkpoint, step):
            return False
        points = self._sample(recorder, self.trainer.average.settle())
        if points is not None:
            recorder.measured(self.trainer.step, points)
        return points is not None

    def remeasure(self, recorder: Recorder, checkpoint: Path | None, *, step: int, spec: ExperimentSpec) -> bool:
        """Measure a step again as the ``measurement`` of another spec says: losses, probes and samples.

        With the run's own measurement the numbers are those of training. The samples stay in the folder and are not recorded.

        Returns:
            Whether it was done; else the recorder broke it off.

        Raises:
            CheckpointError: if the checkpoint cannot be read.
        """
        earlier = self._earlier(checkpoint, step, spec)
        if not self._reach(recorder, checkpoint, step):
            return False
        measurement, network = self.measurement_of(spec), self.trainer.average.settle()
        if isinstance(measurement, SampledMeasurement):
            measurement.sampling.earlier = earlier
        further, path = self.trainer.further_networks(), self.folder / "samples" / f"{step}.npz"
        points = measurement.without_samples(network, step, further)
        if spec.sample_steps:
            try:
                points += measurement.samples(network, step, path, further, go_on=lambda share: recorder.sampling(step, share))
            except SamplingBrokenOffError:
                return False
        recorder.measured(step, points)
        return True

    def _earlier(self, checkpoint: Path | None, step: int, spec: ExperimentSpec) -> nn.Module | None:
        """The network that a projection refers to, from its checkpoint beside the one that is measured; ``None`` up to its step."""
        assert isinstance(spec, DenoiserSpec)
        projection = spec.measurement.sampler.projection
        if projection is None or projection.step is None or projection.step >= step:
            return None
        held = checkpoint and checkpoint.with_name(f"{projection.step}.json")
        if held is None or not held.is_file():
            raise CheckpointError(f"the run has no checkpoint of step {projection.step}, which its projection refers to; name one it has")
        load_checkpoint(self.trainer, held)
        return copy.deepcopy(self.trainer.average.settle())

    def _reach(self, recorder: Recorder, checkpoint: Path | None, step: int) -> bool:
        """Train from a checkpoint to a step; whether the recorder let it."""
        self.begin(checkpoint)
        while self.step < step:
            self.advance()
            if not recorder.sampling(step, 0.0):
                return False
        return True

    def begin(self, checkpoint: Path | None) -> None:
        """Go on from a checkpoint, from the one that the spec forks from, or start from scratch."""
        fork = self.spec.fork
        if checkpoint is None and fork is not None:
            if fork.path is None:
                raise CheckpointError(f"the checkpoint of step {fork.step} of run {fork.run} is not here; fork from another one")
            checkpoint = Path(fork.path)
        if checkpoint is not None:
            load_checkpoint(self.trainer, checkpoint)

    def _measure(self, recorder: Recorder) -> bool:
        """Measure what is due at this step; whether its samples are left to another process."""
        step = self.trainer.step
        if step not in self._loss_steps:
            return False
        network = self.trainer.average.settle()
        self.write_predictions(recorder, network)
        points = self.measurement.without_samples(network, step, self.trainer.further_networks())
        sampling = step in self._sample_steps
        sampled = self._sample(recorder, network) if sampling and not recorder.defers_samples() else None
        recorder.measured(step, points + (sampled or []))
        return sampling and sampled is None

    def _sample(self, recorder: Recorder, network: nn.Module) -> list[Point] | None:
        """Draw, write and measure samples; ``None`` if the recorder broke it off."""
        step = self.trainer.step
        path = self.folder / "samples" / f"{step}.npz"
        try:
            points = self.measurement.samples(
                network, step, path, self.trainer.further_networks(), go_on=lambda share: recorder.sampling(step, share)
            )
        except SamplingBrokenOffError:
            return None
        if path.is_file():
            recorder.samples(step, path, self.spec.measurement.n_generated)
        return points

    def _save(self, recorder: Recorder, *, unevaluated: bool) -> None:
        files = save_checkpoint(self.trainer, self.folder / "checkpoints")
        recorder.checkpoint(self.trainer.step, files.weights, files.state, unevaluated=unevaluated)
