"""What can be set, named or extended is documented, and what is documented exists."""

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic_settings import BaseSettings

from backend.settings import ApiSettings
from launcher.settings import UpSettings
from tauscope.datasets import DATASETS
from tauscope.specs import KINDS, load_preset, preset_names
from tauscope.specs.features import PixelsPcaFeatures, QualityMetric
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.mark.parametrize("settings", [ApiSettings, WorkerSettings, UpSettings])
def test_every_setting_is_documented(settings: type[BaseSettings]) -> None:
    text = (DOCS / "reference/settings.md").read_text()
    prefix = str(settings.model_config.get("env_prefix", ""))
    missing = [name for name in settings.model_fields if f"`{(prefix + name).upper()}`" not in text]
    assert not missing
    assert all(field.description for field in settings.model_fields.values())


def test_every_preset_dataset_and_kind_is_documented() -> None:
    text = (DOCS / "reference/presets.md").read_text() + (DOCS / "reference/datasets.md").read_text()
    assert not [name for name in (*preset_names(), *DATASETS, *KINDS) if f"`{name}`" not in text]


def test_every_metric_is_documented() -> None:
    from tauscope.analysis.metrics_info import metric_infos

    text = (DOCS / "reference/metrics.md").read_text()
    names = {name.split("@")[0] for preset in ("digits-demo", "gmm") for name in metric_infos(load_preset(preset).sweep.base)}
    assert not [name for name in names if f"`{name}" not in text]


def test_every_quality_on_features_is_documented() -> None:
    text = (DOCS / "reference/metrics.md").read_text()
    assert not [name for name in PixelsPcaFeatures(metrics=get_args(QualityMetric)).measured if f"`{name}_F`" not in text]


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = []
    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} -> {target}")
    assert not broken


def test_the_readme_tree_names_every_room() -> None:
    text = (ROOT / "README.md").read_text()
    rooms = [path.name for path in ROOT.iterdir() if path.is_dir() and (path / "__init__.py").is_file()]
    assert not [room for room in rooms if f"{room}/" not in text]
