"""Two experiments beside each other: do their onsets scale alike?"""

from backend.services.context import Context
from backend.services.errors import InvalidRequestError
from backend.services.experiments import summary
from tauscope.analysis.comparison import compare_laws
from tauscope.contracts.comparison import LawComparison
from tauscope.contracts.problems import FieldError


def compare(context: Context, first_id: str, second_id: str) -> LawComparison:
    """The exponents of two experiments and their differences, as their runs stand.

    Raises:
        UnknownExperimentError: if one of them does not exist.
        InvalidRequestError: if both are the same.
    """
    if first_id == second_id:
        remedy = "Name another experiment"
        field = FieldError(path="with", message="is the experiment itself", remedy=remedy)
        raise InvalidRequestError("An experiment is not compared with itself", remedy, [field])
    first, second = summary(context, first_id), summary(context, second_id)
    return compare_laws((f"{first.experiment} ({first_id})", first.runs), (f"{second.experiment} ({second_id})", second.runs))
