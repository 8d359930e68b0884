"""``rf_spectrum``: the spectrum of U in the limit of large d beside that of sampled ones. Nothing is trained."""

import math
from pathlib import Path

import numpy as np
import torch

from tauscope.contracts.points import Point
from tauscope.datasets.preparing import Progress, unwatched
from tauscope.experiments.measured import measured_point
from tauscope.experiments.recorder import Recorder
from tauscope.experiments.rf_bulks import bulk_points
from tauscope.metrics.intervals import mean_interval
from tauscope.specs import ExperimentSpec
from tauscope.specs.random_features import RfSpectrumSpec
from tauscope.theory.rf_spectrum import Histogram, Spectrum, sampled_eigenvalues
from tauscope.training.seeding import derive_seed
from tauscope.training.team import Team


class RfSpectrumExperiment:
    """One spectrum. All of it stands at step 1."""

    def __init__(
        self, spec: RfSpectrumSpec, *, device: torch.device, folder: Path, progress: Progress = unwatched, team: Team | None = None
    ) -> None:
        self.spec, self.step = spec, 0

    def begin(self, checkpoint: Path | None) -> None:
        """Nothing is kept from one time to the next."""
        self.step = 0

    def advance(self) -> None:
        """The only step."""
        self.step += 1

    def run(self, recorder: Recorder, *, checkpoint: Path | None = None) -> bool:
        """Solve, sample, compare, all in one: minutes at the most.

        Raises:
            TheoryError: if no spectrum is found.
        """
        self.begin(checkpoint)
        spectrum = Spectrum.of(self.spec.model)
        draws = []
        for number in range(self.spec.draws):
            draws.append(sampled_eigenvalues(spectrum.model, np.random.default_rng(derive_seed(self.spec.seed, "draw", number))))
            recorder.progress(0, 0.0)
        self.step = 1
        recorder.measured(1, [*_theory(spectrum), *self._compared(spectrum, draws)])
        return True

    def evaluate(self, recorder: Recorder, checkpoint: Path | None, *, step: int) -> bool:
        """The same."""
        return self.run(recorder)

    def remeasure(self, recorder: Recorder, checkpoint: Path | None, *, step: int, spec: ExperimentSpec) -> bool:
        """The same: a spectrum has no checkpoints."""
        return self.run(recorder)

    def _compared(self, spectrum: Spectrum, draws: list[np.ndarray]) -> list[Point]:
        """The distance of each draw's histogram from the theory, and the histogram of all of them."""
        everything = np.concatenate(draws)
        edges = self._edges(spectrum, everything)
        predicted = spectrum.masses(edges)
        apart = np.array([Histogram.of(spectrum.model, values, edges, predicted, draws=1).l1 for values in draws])
        found = Histogram.of(spectrum.model, everything, edges, predicted, draws=len(draws))
        points = [measured_point(1, "l1", mean_interval(apart), len(draws))]
        for low, sampled, wanted in zip(edges[:-1], found.sampled, predicted, strict=True):
            at = f"{math.log10(low):.3f}"
            points.append(Point(step=1, metric=f"rho_sampled@{at}", value=float(sampled), count=found.count))
            points.append(Point(step=1, metric=f"rho_theory@{at}", value=float(wanted)))
        return points

    def _edges(self, spectrum: Spectrum, values: np.ndarray) -> np.ndarray:
        """Even in log10 lambda, on a grid that depends on no sample, as far as eigenvalues or bulks reach."""
        a_decade = self.spec.measurement.bins_per_decade
        low = min(values.min(), spectrum.bulks[0].low)
        high = max(values.max(), spectrum.bulks[-1].high)
        first, last = math.floor(math.log10(low) * a_decade), math.ceil(math.log10(high) * a_decade)
        return 10 ** (np.arange(first, last + 1) / a_decade)


def _theory(spectrum: Spectrum) -> list[Point]:
    """Atom, masses and bulks."""
    values = {
        "atom": spectrum.atom,
        "mass_atom": spectrum.atom_mass,
        "mass_continuous": spectrum.continuous_mass,
        "mass_expected": (1 + spectrum.model.psi_n) / spectrum.model.psi_p,
    }
    return [*(Point(step=1, metric=name, value=value) for name, value in values.items()), *bulk_points(spectrum, 1)]
