"""Where along n one phase gives way to another, at each p: brackets between cells, and nothing where the order contradicts itself.

A bracket lies between two values of n that were run, so its ends are as certain as the two states: nothing finer than the sweep's grid
is claimed. That phases follow one another in n is assumed; where the cells say otherwise, no bracket is given.
"""

import math
from collections.abc import Callable, Sequence

from tauscope.analysis.phase_states import COPIES, good_before_copying
from tauscope.contracts.phase import Boundary, BoundaryKind, CellState, PhaseCell

_Rule = Callable[[PhaseCell], bool]


def boundaries(cells: Sequence[PhaseCell]) -> tuple[Boundary, ...]:
    """Both boundaries at every p, the cells being in order."""
    networks = list(dict.fromkeys((cell.parameters, cell.width) for cell in cells))
    rows = [[cell for cell in cells if (cell.parameters, cell.width) == network] for network in networks]
    return tuple(_boundary(kind, row) for row in rows for kind in ("window", "plateau"))


def _boundary(kind: BoundaryKind, row: Sequence[PhaseCell]) -> Boundary:
    is_before, is_beyond = _RULES[kind]
    before, beyond = [cell.n for cell in row if is_before(cell)], [cell.n for cell in row if is_beyond(cell)]
    low, high = max(before, default=None), min(beyond, default=None)
    if low is not None and high is not None and low > high:
        reason = f"not identified: the order contradicts itself, {_BEFORE[kind]} at n = {low:,} though {_BEYOND[kind]} at n = {high:,}"
        return _made(kind, row[0], None, None, reason)
    return _made(kind, row[0], low, high, _words(kind, low, high))


def _words(kind: BoundaryKind, low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return f"between n = {low:,}, which {_BEFORE[kind]}, and n = {high:,}, which {_BEYOND[kind]}"
    if low is not None:
        return f"not identified: no n clearly {_BEYOND[kind]}; above n = {low:,}, if anywhere"
    if high is not None:
        return f"not identified: no n clearly {_BEFORE[kind]}; below n = {high:,}, if anywhere"
    return f"not identified: no n clearly {_BEFORE[kind]} or {_BEYOND[kind]}"


def _made(kind: BoundaryKind, cell: PhaseCell, low: int | None, high: int | None, reason: str) -> Boundary:
    middle = math.sqrt(low * high) if low is not None and high is not None else None
    return Boundary(
        kind=kind,
        parameters=cell.parameters,
        width=cell.width,
        identified=middle is not None,
        value=middle,
        low=None if low is None else float(low),
        high=None if high is None else float(high),
        reason=reason,
    )


def _memorizes(cell: PhaseCell) -> bool:
    return cell.settled and cell.state is CellState.MEMORIZES


def _good_first(cell: PhaseCell) -> bool:
    if cell.state is CellState.CENSORED:
        return cell.settled and good_before_copying(cell.tau_gen, cell.tau_mem)
    return cell.settled and cell.state in (CellState.WINDOW, CellState.PLATEAU)


def _copies(cell: PhaseCell) -> bool:
    """Every judged run that says anything copies; that it had a window or not makes no difference here."""
    told = {run.state for run in cell.judged} - {CellState.UNDEFINED, CellState.CENSORED}
    return bool(told) and told <= set(COPIES)


def _flat(cell: PhaseCell) -> bool:
    return cell.settled and cell.state is CellState.PLATEAU


_RULES: dict[BoundaryKind, tuple[_Rule, _Rule]] = {"window": (_memorizes, _good_first), "plateau": (_copies, _flat)}
_BEFORE: dict[BoundaryKind, str] = {"window": "memorizes", "plateau": "copies"}
_BEYOND: dict[BoundaryKind, str] = {"window": "is good before it copies", "plateau": "is a plateau"}
