"""A feature network that is not there is told before a sweep starts, and ends a run with its remedy where it is missing later."""

from pathlib import Path

import pytest

from tauscope.cli.requirements import check_requirements
from tauscope.execution.child import _failure
from tauscope.features import FeatureError
from tauscope.specs import SpecError, load_preset


def test_a_sweep_whose_network_is_missing_does_not_start(tmp_path: Path) -> None:
    sweep = load_preset("digits-ci").sweep
    features = [{"name": "torchscript", "path": str(tmp_path / "gone.pt")}]
    base = sweep.base.model_dump(mode="json")
    base["measurement"]["features"] = features
    changed = type(sweep).model_validate(sweep.model_dump(mode="json") | {"base": base})
    with pytest.raises(SpecError) as error:
        check_requirements(changed)
    (problem,) = error.value.problems
    assert problem.path == "base.measurement.features.0.path"
    assert "is no file" in problem.message and problem.remedy


def test_a_run_that_finds_its_network_missing_fails_with_the_remedy() -> None:
    failed = _failure(FeatureError("the weights are not here", "install them"))
    assert (failed.code, failed.message, failed.remedy) == ("features_unavailable", "the weights are not here", "install them")
