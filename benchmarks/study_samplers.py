"""How many network evaluations a sampler needs: f_mem and the Frechet distance of one network, drawn from in every way.

    python -m benchmarks.study_samplers

Trains digits-demo at n = 32 and draws the same 512 seeds in the window and after copying has set in. About six minutes of an
idle core, of which the ancestral sampler takes four. Prints a table in Markdown, and for every row whether its intervals
still hold the values of the finest row of its sampler: then what is concluded does not depend on the number of steps.
"""

import copy
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from tauscope.contracts.points import Point
from tauscope.experiments import ImageDdpmExperiment
from tauscope.experiments.image_measurement import ImageMeasurement
from tauscope.specs import ImageDdpmSpec, load_preset
from tauscope.specs.sampler import AncestralSpec, DdimSpec, DpmSolverSpec

SAMPLES, N_TRAIN = 512, 32
CHECKPOINTS = {"in the window": 200, "after tau_mem": 1100}
SAMPLERS = {
    "DDIM": [DdimSpec(steps=steps) for steps in (100, 50, 25, 16, 12, 8, 5)],
    "DPM-Solver++(2M)": [DpmSolverSpec(steps=steps) for steps in (50, 30, 20, 15, 12, 10, 8, 5)],
    "ancestral": [AncestralSpec()],
}
METRICS = ("f_mem", "frechet_pca")


def _spec() -> ImageDdpmSpec:
    base = load_preset("digits-demo").sweep.base
    document = base.model_dump()
    document["dataset"]["n_train"], document["steps"] = N_TRAIN, max(CHECKPOINTS.values())
    document["measurement"]["n_generated"] = SAMPLES
    return ImageDdpmSpec.model_validate(document)


def _networks(experiment: ImageDdpmExperiment) -> Iterator[tuple[str, nn.Module]]:
    for name, step in CHECKPOINTS.items():
        while experiment.trainer.step < step:
            experiment.trainer.advance()
        yield f"{name}, tau = {step}", copy.deepcopy(experiment.trainer.average.settle())


def _drawn(experiment: ImageDdpmExperiment, network: nn.Module, sampler: DdimSpec | DpmSolverSpec | AncestralSpec) -> dict[str, Point]:
    measured = experiment.spec.measurement.model_copy(update={"sampler": sampler})
    spec = experiment.spec.model_copy(update={"measurement": measured})
    measurement = ImageMeasurement(spec, experiment.images, experiment.diffusion)
    points = measurement.samples(network, 0, experiment.folder / "samples.npz", {}, go_on=lambda share: True)
    return {point.metric: point for point in points}


def _row(name: str, evaluations: int, seconds: float, found: dict[str, Point], finest: dict[str, Point]) -> str:
    cells, held = [], []
    for metric in METRICS:
        point, reference = found[metric], finest[metric]
        assert None not in (point.value, point.low, point.high, reference.value)
        cells.append(f"{point.value:.3f} ({point.low:.3f} to {point.high:.3f})")
        held.append("yes" if point.low <= reference.value <= point.high else "no")  # type: ignore[operator]
    return f"| {name} | {evaluations} | {cells[0]} | {held[0]} | {cells[1]} | {held[1]} | {seconds:.1f} |"


def main() -> None:
    """Print one table a checkpoint."""
    with tempfile.TemporaryDirectory() as folder:
        experiment = ImageDdpmExperiment(_spec(), device=torch.device("cpu"), folder=Path(folder))
        print(f"n = {N_TRAIN}, {SAMPLES} samples, {torch.get_num_threads()} thread(s), torch {torch.__version__}")
        for name, network in _networks(experiment):
            print(f"\n{name}\n")
            print("| sampler | evaluations | f_mem (95 %) | holds the finest | Frechet distance (95 %) | holds the finest | CPU seconds |")
            print("|---|---|---|---|---|---|---|")
            for sampler_name, samplers in SAMPLERS.items():
                finest: dict[str, Point] = {}
                for sampler in samplers:
                    began = time.process_time()
                    found = _drawn(experiment, network, sampler)
                    finest = finest or found
                    evaluations = sampler.evaluations(experiment.diffusion.steps - experiment.diffusion.first_trained_index)
                    print(_row(sampler_name, evaluations, time.process_time() - began, found, finest), flush=True)


if __name__ == "__main__":
    main()
