"""How many steps a run of the phase diagram needs for its state to be told, by the tau_mem that is expected there."""

import math
from collections.abc import Sequence

import numpy as np

from tauscope.analysis.phase_states import TIMES_PREDICTED
from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.phase import Interval, PhaseCell
from tauscope.metrics.intervals import Z95
from tauscope.specs.schedule import MAX_STEPS

SEE = 2.0  # Times the upper end of tau_mem: the next checkpoint in log tau has to confirm that copying goes on.
MARGIN = 1.1  # The prediction that a plateau is judged by moves while its run is under way.
# log tau_mem = c + a log n + b log W: what is assumed before the sweep itself says otherwise. The paper finds n and 1/W on CelebA, digits
# here rise faster with n; the errors hold both.
_EXPONENTS, _ERRORS = np.array([1.2, -0.7]), np.array([0.5, 0.6])
_SCATTER = 0.2  # Of log tau_mem about the law, seeds and intervals together.


def expected_tau_mem(cells: Sequence[PhaseCell], n: int, width: int) -> Interval | None:
    """tau_mem at (n, W) with a 95 % interval, from the cells that reached it; ``None`` where none did.

    A regression with a prior on both exponents, so that one cell is enough to begin with. It only sets how long a run is:
    states are judged by the law of the diagram, which takes no prior.
    """
    reached = [(cell, cell.tau_mem.value) for cell in cells if cell.tau_mem and cell.tau_mem.status is OnsetStatus.REACHED]
    if not reached:
        return None
    x = np.array([[math.log(cell.n), math.log(cell.width)] for cell, _ in reached])
    y = np.array([math.log(value or 1.0) for _, value in reached])
    centre, place = x.mean(0), np.log([n, width])
    design = x - centre
    # The intercept is left to the data, so centring both sides removes it.
    precision = design.T @ design / _SCATTER**2 + np.diag(_ERRORS**-2.0)
    slopes = np.linalg.solve(precision, design.T @ (y - y.mean()) / _SCATTER**2 + _EXPONENTS / _ERRORS**2)
    away = place - centre
    mean = float(y.mean() + away @ slopes)
    error = math.sqrt(float(away @ np.linalg.solve(precision, away)) + _SCATTER**2 * (1 + 1 / len(y)))
    return Interval(value=math.exp(mean), low=math.exp(mean - Z95 * error), high=math.exp(min(mean + Z95 * error, 20.0)))


def steps_to_see(high: float) -> int:
    """Steps after which copying would have been seen; ``high`` is the upper end of tau_mem."""
    return _whole(SEE * high)


def steps_to_rule_out(high: float) -> int:
    """Steps after which a run that is flat throughout is a plateau; ``high`` is the upper end of the predicted tau_mem."""
    return _whole(MARGIN * TIMES_PREDICTED * high)


def _whole(steps: float) -> int:
    """Rounded up to two digits: the third would claim what nobody knows."""
    digits = 10 ** max(0, math.floor(math.log10(steps)) - 1)
    return min(MAX_STEPS, math.ceil(steps / digits) * digits)
