"""Early warnings of copying; none of them replaces f_mem."""

from fastapi import APIRouter

from backend.api.parameters import Id, UsesContext
from backend.services import warnings
from tauscope.contracts.warnings import ExperimentWarnings, ProbeCalibration

router = APIRouter(tags=["warnings"])


@router.get("/experiments/{experiment_id}/warnings")
def get_warnings(context: UsesContext, experiment_id: Id) -> ExperimentWarnings:
    """Every probe of every run: when it passed its level, and how far before copying."""
    return warnings.experiment_warnings(context, experiment_id)


@router.get("/warnings/calibration")
def get_calibration(context: UsesContext) -> tuple[ProbeCalibration, ...]:
    """The level, lead time and false-alarm rate of every probe on every data set here."""
    return warnings.calibrations(context)
