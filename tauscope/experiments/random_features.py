"""``random_features``: a score model whose training is solved in closed form, or done step by step beside it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from tauscope.contracts.points import Point
from tauscope.datasets.preparing import Progress, unwatched
from tauscope.experiments.measured import measured_point
from tauscope.experiments.recorder import Recorder
from tauscope.experiments.rf_bulks import bulk_points, gap_points
from tauscope.experiments.rf_checkpoint import load_loops, save_loops
from tauscope.metrics.intervals import mean_interval
from tauscope.specs import ExperimentSpec
from tauscope.specs.random_features import FlowSpec, LoopSpec, RandomFeaturesSpec
from tauscope.theory.errors import TheoryError
from tauscope.theory.rf_covariance import Covariances, Draw, draw_equivalent, draw_exact, equivalent_covariances, exact_covariances
from tauscope.theory.rf_dynamics import Losses, Solved, losses_of
from tauscope.theory.rf_loop import AdamLoop, ExactGradient, Gradient, Loop, SampledGradient
from tauscope.theory.rf_spectrum import Spectrum
from tauscope.training.seeding import derive_seed
from tauscope.training.team import Team

PROGRESS_SECONDS = 0.2
GROUPS = ("population", "points", "rest")


@dataclass(frozen=True)
class _Solution:
    """A draw in closed form at every measured step.

    Attributes:
        losses: at each.
        final_gap: L_test - L_train after infinitely long training.
        gap_modes: what each mode adds to it, by ascending eigenvalues.
        parts: what groups of eigenvalues add to the losses, by the metric's name.
    """

    losses: Losses
    final_gap: float
    gap_modes: Float[ndarray, " mode"]
    parts: Mapping[str, Float[ndarray, " time"]]


class RandomFeaturesExperiment:
    """One run, all its draws. What is in closed form is not interrupted and begins anew; a loop goes on where it stood."""

    def __init__(
        self, spec: RandomFeaturesSpec, *, device: torch.device, folder: Path, progress: Progress = unwatched, team: Team | None = None
    ) -> None:
        self.spec, self.folder = spec, folder
        self.step = 0
        self._model = spec.model
        self._steps = sorted(spec.loss_steps)
        self._solutions: list[_Solution] = []
        self._loops: list[tuple[Loop, Covariances]] = []
        self._reported = 0.0

    def begin(self, checkpoint: Path | None) -> None:
        """Draw and solve, and put the loops where they stood."""
        self._start()
        for number in range(self.spec.draws):
            self._draw(number)
        if checkpoint is not None:
            self.step = load_loops([loop for loop, _ in self._loops], self.spec, checkpoint)

    def advance(self) -> None:
        """Do one training step of every loop."""
        self.step += 1
        for loop, _ in self._loops:
            loop.advance()

    def run(self, recorder: Recorder, *, checkpoint: Path | None = None) -> bool:
        """Draw, solve, train where there is a loop, and tell the losses at every time; whether it came to its end.

        Raises:
            TheoryError: if the steps are so large that descent diverges.
            CheckpointError: if the loops cannot go on from the checkpoint.
        """
        self.begin(checkpoint)
        recorder.progress(self.step, 1.0)
        for step in [step for step in self._steps if step > self.step]:
            reached = self._reach(recorder, step)
            if reached:
                recorder.measured(step, self._points(step))
            if self._loops and (not reached or step == self._steps[-1]):
                files = save_loops([loop for loop, _ in self._loops], self.spec, self.folder / "checkpoints")
                recorder.checkpoint(self.step, files.weights, files.state, unevaluated=False)
            if not reached:
                return False
        return True

    def evaluate(self, recorder: Recorder, checkpoint: Path | None, *, step: int) -> bool:
        """Tell the losses of a step."""
        self.begin(checkpoint)
        done = self._reach(recorder, step)
        if done:
            recorder.measured(step, self._points(step))
        return done

    def remeasure(self, recorder: Recorder, checkpoint: Path | None, *, step: int, spec: ExperimentSpec) -> bool:
        """The same: no setting but the times changes what is measured."""
        return self.evaluate(recorder, checkpoint, step=step)

    def _start(self) -> None:
        self.step, self._solutions, self._loops = 0, [], []

    def _draw(self, number: int) -> None:
        """One draw of first layer and training points: solved, and given a loop where one is asked for."""
        model = self._model
        rng = np.random.default_rng(derive_seed(self.spec.seed, "draw", number))
        draw = draw_exact(model, rng) if self.spec.exact else draw_equivalent(model, rng)
        covariances = exact_covariances(model, draw) if self.spec.exact else equivalent_covariances(model, draw)
        self._solutions.append(self._solved(Solved.of(model, covariances)))
        dynamics = self.spec.dynamics
        if isinstance(dynamics, LoopSpec):
            kind = AdamLoop if dynamics.optimizer == "adam" else Loop
            loop = kind(model, self._gradient(dynamics, draw, covariances, number), eta=self.spec.rate)
            self._loops.append((loop, covariances))

    def _gradient(self, dynamics: LoopSpec, draw: Draw, covariances: Covariances, number: int) -> Gradient:
        if dynamics.noise_draws is None:
            return ExactGradient(self._model, covariances)
        rng = np.random.default_rng(derive_seed(self.spec.seed, "noise", number))
        return SampledGradient(self._model, draw, rng, noise_draws=dynamics.noise_draws)

    def _solved(self, solved: Solved) -> _Solution:
        """All times at once. Adam has no closed form: of its draws only the gap that all training ends at is kept."""
        limit = solved.limit()
        final_gap = float(limit.test[0] - limit.train[0])
        train, test = solved.contributions(solved.limit_modes())
        if not self.spec.has_closed_form:
            return _Solution(limit, final_gap, (test - train)[0], {})
        steps, dtau = np.array(self._steps), self.spec.rate / self._model.d**2
        flow = isinstance(self.spec.dynamics, FlowSpec)
        modes = solved.flow_modes(steps * dtau) if flow else solved.descent_modes(steps, dtau)
        contributions = dict(zip(("train", "test"), solved.contributions(modes), strict=True))
        groups = dict(zip(GROUPS, self._groups(len(solved.eigenvalues)), strict=True))
        parts = {f"mode_{loss}@{name}": part[:, group].sum(1) for loss, part in contributions.items() for name, group in groups.items()}
        return _Solution(solved.losses(modes), final_gap, (test - train)[0], parts)

    def _groups(self, count: int) -> tuple[slice, slice, slice]:
        """Places of ascending eigenvalues: the d largest, those up to the n-th, all others."""
        d, n = min(self._model.d, count), min(max(self._model.n, self._model.d), count)
        return slice(count - d, None), slice(count - n, count - d), slice(0, count - n)

    def _reach(self, recorder: Recorder, step: int) -> bool:
        """Train the loops up to a step, if the recorder lets it; what is in closed form is there at once."""
        if not self._loops:
            self.step = step
            return True
        while self.step < step:
            self.advance()
            if time.monotonic() - self._reported > PROGRESS_SECONDS:
                self._reported = time.monotonic()
                loop, covariances = self._loops[0]
                recorder.progress(self.step, losses_of(self._model, covariances, loop.b)[0])
            if self.step < step and recorder.should_end():
                return False
        return True

    def _points(self, step: int) -> list[Point]:
        """All that is told of a step: of the loop, and of the closed form beside it or alone."""
        points: list[Point] = []
        if self._loops:
            points += self._told(step, [losses_of(self._model, covariances, loop.b) for loop, covariances in self._loops], "")
        if self.spec.has_closed_form:
            at = self._steps.index(step)
            closed = [(found.losses.train[at], found.losses.test[at], found.losses.score[at]) for found in self._solutions]
            points += self._told(step, closed, "_theory" if self._loops else "")
            points += [self._mean(step, name, [found.parts[name][at] for found in self._solutions]) for name in self._solutions[0].parts]
        return points + (self._foretold(step) if step == self._steps[0] else [])

    def _foretold(self, step: int) -> list[Point]:
        """When each bulk of the limiting spectrum is learnt, and what it has in the final gap: told once."""
        if not self.spec.bulks_known:
            return []
        try:
            spectrum = Spectrum.of(self._model)
        except TheoryError:
            return []  # At extreme sizes; nothing else of the run depends on it.
        gaps = [found.gap_modes for found in self._solutions]
        return [*bulk_points(spectrum, step, dtau=self.spec.rate / self._model.d**2), *gap_points(spectrum, gaps, step)]

    def _told(self, step: int, losses: Sequence[tuple[float, float, float]], suffix: str) -> list[Point]:
        values = {
            "loss_train": [train for train, _, _ in losses],
            "loss_held_out": [test for _, test, _ in losses],
            "score_error": [score for _, _, score in losses],
            "loss_gap": [(test - train) / test for train, test, _ in losses],
            "gap_share": [(test - train) / end.final_gap for (train, test, _), end in zip(losses, self._solutions, strict=True)],
        }
        return [self._mean(step, f"{name}{suffix}", column) for name, column in values.items()]

    @staticmethod
    def _mean(step: int, name: str, values: Sequence[float]) -> Point:
        """The mean over draws with its Student interval."""
        return measured_point(step, name, mean_interval(np.array(values)), len(values))
