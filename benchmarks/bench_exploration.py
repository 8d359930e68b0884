"""Error of the boundaries against budget: runs chosen by expected information, against a uniform grid.

On simulated landscapes whose edges are known. Both choose among the same cells, train a run as long as its state needs by the same
rules, and have their edges read off by the same belief; the choice of the next cell alone differs.

    python -m benchmarks.bench_exploration [landscapes]
"""

import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

from tauscope.analysis.boundary_belief import Belief
from tauscope.analysis.exploration import answers_of, propose
from tauscope.analysis.run_lengths import expected_tau_mem, steps_to_rule_out, steps_to_see
from tauscope.contracts.exploration import Action, Budget, BudgetKind, Candidates, Spent
from tauscope.contracts.phase import BoundaryKind, CellState
from tests.analysis.simulated_phases import Landscape, Store, grid_of

WIDTHS = (8, 16, 32, 64)
N = tuple(grid_of(8, 512, 9))
CANDIDATES = Candidates(n_train=N, width=WIDTHS, seed=(1, 2))
CHECKED = (10_000, 20_000, 40_000, 80_000, 160_000, 320_000)
KINDS: tuple[BoundaryKind, ...] = ("window", "plateau")

Errors = dict[int, dict[BoundaryKind, float]]


def landscape(seed: int) -> Landscape:
    rng = np.random.default_rng(seed)
    exponents = {"exponent": float(rng.uniform(1.0, 1.4)), "width_exponent": float(rng.uniform(-1.0, -0.3))}
    return Landscape(
        first=float(rng.uniform(20, 120)), rise=float(rng.uniform(0.2, 1.2)), tau_gen=float(rng.uniform(100, 500)), rng=rng, **exponents
    )


def begun(seed: int) -> Store:
    """Four small runs that both begin with, not counted."""
    store = Store(landscape(seed))
    for n in N[:2]:
        for width in WIDTHS[:2]:
            store.new(n, width, 1, 1500)
    store.spent = 0.0
    return store


def errors(store: Store) -> dict[BoundaryKind, float]:
    """Mean absolute error of log n over the widths, for each boundary."""
    cells = store.diagram().cells
    found = {}
    for place, kind in enumerate(KINDS):
        belief = Belief.given(N, WIDTHS, [answer for cell in cells for answer in answers_of(cell, kind)])
        logs = np.log([N[0], N[-1]])
        found[kind] = float(
            np.mean([abs(np.clip(belief.mean_log_n(w), *logs) - np.clip(store.land.edges(w)[place], *logs)) for w in WIDTHS])
        )
    return found


def adaptive(store: Store, budget: float) -> Iterator[None]:
    """One run after another until nothing is proposed."""
    while True:
        made = propose(
            store.diagram(),
            store.held,
            CANDIDATES,
            Budget(kind=BudgetKind.STEPS, amount=budget),
            Spent(spent=store.spent, committed=0),
            slots=1,
            samples=384,
            cost=lambda n, w, a, b: b - a,
        )
        if not made.chosen:
            return
        for item in made.chosen:
            if item.action is Action.NEW:
                store.new(item.n_train, item.width, item.seed, item.steps)
            else:
                store.extend(str(item.run), item.steps)
        yield


def uniform(store: Store, budget: float) -> Iterator[None]:
    """Every second n at all widths, from the smallest n up, then those between them; each cell until its state is told."""
    for n in (*N[::2], *N[1::2]):
        for width in WIDTHS:
            for steps in _lengths(store, n, width):
                if store.spent + steps > budget:
                    return
                yield


def _lengths(store: Store, n: int, width: int) -> Iterator[float]:
    if any((run.n, run.width) == (n, width) for run in store.held):
        return
    tau = expected_tau_mem(store.diagram().cells, n, width)
    assert tau is not None
    yield steps_to_see(tau.high)
    store.new(n, width, 1, steps_to_see(tau.high))
    while True:
        cell = next(cell for cell in store.diagram().cells if (cell.n, cell.width) == (n, width))
        run = next(run for run in store.held if run.run == cell.runs[0])
        needed = steps_to_rule_out((cell.predicted_tau_mem or tau).high)
        if cell.state is not CellState.CENSORED or run.steps >= needed:
            return
        yield needed - run.steps
        store.extend(run.run, needed)


def followed(choose: Callable[[Store, float], Iterator[None]], seed: int) -> Errors:
    """The errors with what was spent up to each budget."""
    store, found = begun(seed), {}
    steps = choose(store, CHECKED[-1])
    spent, now, over = 0.0, errors(store), False
    for budget in CHECKED:
        while not over and spent <= budget:
            before = now
            over = next(steps, 0) == 0
            spent, now = store.spent, errors(store)
        found[budget] = now if over or spent <= budget else before
    return found


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    began = time.perf_counter()
    runs = {choose.__name__: [followed(choose, seed) for seed in range(count)] for choose in (adaptive, uniform)}
    for kind in KINDS:
        for budget in CHECKED:
            told = {name: np.array([run[budget][kind] for run in found]) for name, found in runs.items()}
            less = told["uniform"] - told["adaptive"]
            print(
                f"{kind} {budget:,} steps:",
                *(f"{name} {item.mean():.2f}" for name, item in told.items()),
                f"less by {less.mean():.2f} ± {1.96 * less.std(ddof=1) / np.sqrt(count):.2f}, on {(less > 0).sum()} of {count}",
            )
    print(f"{count} landscapes, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
