"""A checkpoint taken out of the service is the run's own: what docs/how-to/use-a-checkpoint.md says, done."""

import re
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from backend.storage.flush import FileRecord
from tauscope.cli.app import app
from tauscope.client import ApiError, TauscopeClient
from tauscope.contracts.experiments import ExperimentCreate
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.experiments import ImageDdpmExperiment
from tauscope.experiments.trained import open_checkpoint
from tauscope.specs import ImageDdpmSpec
from tauscope.specs.fork import ForkSpec
from tests.backend.conftest import FakeWorker
from tests.backend.test_retention import LOSS, onset, set_onsets
from tests.client.conftest import LiveServer
from tests.training.test_resume import CPU, Notebook

HOW_TO = Path(__file__).parents[2] / "docs/how-to/use-a-checkpoint.md"
STEPS = (4, 8, 12)
TINY: dict[str, Any] = {
    "n_train": [16],
    "base.steps": STEPS[-1],
    "base.network": {"name": "unet", "base_width": 8, "multipliers": [1, 2], "blocks": 1, "attention": [False, True]},
    "base.measurement": {"schedule": {"kind": "explicit", "at": STEPS}, "n_generated": 32, "sampler": {"name": "ddim", "steps": 4}},
    "overrides": {},
}


class Trained(NamedTuple):
    """A run of a service, and the folder in which it was trained."""

    run_id: str
    spec: ImageDdpmSpec
    folder: Path

    def samples(self, step: int) -> np.ndarray:
        return np.asarray(np.load(self.folder / f"samples/{step}.npz")["samples"])


@pytest.fixture
def trained(server: LiveServer, api: TauscopeClient, worker: FakeWorker, tmp_path: Path) -> Trained:
    """A run that was really trained; of its checkpoints the service recommends one."""
    api.launch(ExperimentCreate(preset="digits-ci", settings=TINY))
    claim, folder, notebook = worker.claim(), tmp_path / "trained", Notebook()
    spec = ImageDdpmSpec.model_validate(claim.spec)
    assert ImageDdpmExperiment(spec, device=CPU, folder=folder).run(notebook)
    for step in STEPS:
        for kind, path in (
            ("samples", f"samples/{step}.npz"),
            ("weights", f"checkpoints/{step}.safetensors"),
            ("state", f"checkpoints/{step}.json"),
        ):
            worker.flush(claim, files=[FileRecord(path, *server.context.artifacts.put(folder / path), kind, step)])
        points = [point for point in notebook.points if point.step == step]
        worker.flush(claim, points=points, step=step, checkpoint=step)
    mem = Onset(value=None, low=12, high=None, status=OnsetStatus.CENSORED, metric="f_mem", level=0.5, reason="not by 12")
    set_onsets(worker.sessions, claim, {"tau_gen": Onset(**onset(LOSS, 2, 4)), "tau_mem": mem})
    worker.finish(claim)
    return Trained(claim.run_id, spec, folder)


def test_what_the_how_to_shows_draws_the_runs_own_samples_and_others(server: LiveServer, trained: Trained, tmp_path: Path) -> None:
    found = re.search(r"## Sampling from it\n\n((?:    .*\n|\n)+)", HOW_TO.read_text())
    assert found is not None
    names: dict[str, Any] = {"url": server.url, "run_id": trained.run_id, "folder": tmp_path / "kept"}
    exec(dedent(found[1]), names)
    step = names["chosen"].step
    assert step in STEPS and names["model"].step == step
    assert np.array_equal(names["measured"].numpy(), trained.samples(step))
    further = names["further"]
    assert further.shape == (16, 1, 8, 8) and bool(((further >= 0) & (further <= 1)).all())
    assert not torch.equal(further, names["measured"][:16])


def test_a_fork_takes_the_file_and_goes_on_at_its_step(api: TauscopeClient, trained: Trained, tmp_path: Path) -> None:
    state = api.checkpoint(trained.run_id, 8, tmp_path / "kept")
    spec = trained.spec.model_copy(update={"fork": ForkSpec(step=8, path=str(state), run=None, weights_sha256=None)})
    forked = ImageDdpmExperiment(spec, device=CPU, folder=tmp_path / "forked")
    notebook = Notebook()
    assert forked.run(notebook)
    assert {point.step for point in notebook.points} == {12}
    assert np.array_equal(np.load(tmp_path / "forked/samples/12.npz")["samples"], trained.samples(12)), "nothing was changed"


def test_a_checkpoint_opens_where_the_images_lie_elsewhere(trained: Trained, tmp_path: Path) -> None:
    model = open_checkpoint(trained.folder / "checkpoints/8.json", dataset_path=str(tmp_path))
    assert model.spec == trained.spec
    assert np.array_equal(model.draw().numpy(), trained.samples(8))


def test_the_command_fetches_the_recommended_one_or_the_one_that_is_named(
    server: LiveServer, api: TauscopeClient, trained: Trained, tmp_path: Path
) -> None:
    def fetch(*arguments: str) -> tuple[int, list[str]]:
        result = CliRunner().invoke(app, ["fetch", trained.run_id, *arguments, "--out", str(tmp_path / "kept"), "--url", server.url])
        return result.exit_code, sorted(path.name for path in (tmp_path / "kept").glob("*"))

    recommended = api.checkpoints(trained.run_id).recommendation.step
    status, names = fetch()
    assert status == 0 and len(names) == 2 and all(f"-n16-seed{trained.spec.seed}-step{recommended}-" in name for name in names)
    other = next(step for step in STEPS if step != recommended)
    assert len(fetch(str(other))[1]) == 4
    assert fetch("5")[0] != 0


def test_a_refusal_leaves_no_file(api: TauscopeClient, trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(ApiError, match=r"has no checkpoint at step 5\. It has those of: 4, 8, 12"):
        api.checkpoint(trained.run_id, 5, tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
