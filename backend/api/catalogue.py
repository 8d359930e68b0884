"""Presets, data sets, the schema of specs, and plans."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from backend.api.parameters import UsesContext
from backend.services import catalogue, datasets, launch
from tauscope.contracts.experiments import ExperimentCreate, Plan, PresetView
from tauscope.contracts.launching import KindView

router = APIRouter(tags=["catalogue"])


@router.get("/presets")
def list_presets(context: UsesContext) -> tuple[PresetView, ...]:
    """Every preset, with its YAML and what this machine lacks for it."""
    return catalogue.presets(context)


@router.get("/presets/{name}")
def get_preset(context: UsesContext, name: Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,80}$")]) -> PresetView:
    """One preset."""
    return catalogue.preset(context, name)


@router.get("/kinds")
def list_kinds(context: UsesContext) -> tuple[KindView, ...]:
    """Every experiment kind with its JSON Schema; forms are built from it."""
    return catalogue.kinds(datasets.names(context))


@router.get("/schema/specs")
def get_spec_schema() -> dict[str, Any]:
    """The JSON Schema of a sweep."""
    return catalogue.spec_schema()


@router.post("/specs/plan")
def plan_experiment(context: UsesContext, request: ExperimentCreate) -> Plan:
    """Validate a launch and list its runs; creates nothing."""
    return launch.plan(context, request)
