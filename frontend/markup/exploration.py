"""The exploration of a phase diagram in words: where it stands, what is spent, every decision with its reason, and what is next."""

from frontend.markup.html import Html, join, tag
from frontend.markup.phase import said
from frontend.markup.sections import section
from frontend.words import moment, percent
from tauscope.contracts.exploration import Budget, Decision, Explorations, ExplorationState, ExplorationView, Spent

_STATES = {
    ExplorationState.RUNNING: "Goes on",
    ExplorationState.PAUSED: "Paused",
    ExplorationState.FINISHED: "Finished",
}


def exploration_section(found: Explorations) -> Html:
    """The newest exploration with its log; earlier ones folded away."""
    if not found.items:
        words = "Runs can be chosen where a boundary is least known, within a budget. None has been yet."
        return section("Exploration", tag("p", words, class_="tau-quiet"))
    newest, *earlier = found.items
    folded = [tag("details", tag("summary", f"Earlier: {_state(view)}"), _body(view), class_="tau-details") for view in earlier]
    return section("Exploration", join(_body(newest), *folded))


def standing(found: Explorations) -> str:
    """Changes when an exploration is started, paused or ends."""
    return " ".join(f"{view.id} {view.state}" for view in found.items)


def exploring(found: Explorations) -> bool:
    """Whether one goes on, so that the page has to look again."""
    return any(view.state is not ExplorationState.FINISHED for view in found.items)


def _body(view: ExplorationView) -> Html:
    return join(
        tag("p", tag("b", f"{_state(view)}.")),
        _budget(view.budget, view.spent),
        tag("p", _candidates(view), class_="tau-quiet"),
        _log(view),
    )


def _state(view: ExplorationView) -> str:
    return f"{_STATES[view.state]}: {view.reason or 'runs are chosen as slots become free'}"


def _budget(budget: Budget, spent: Spent) -> Html:
    """Spent and committed of the budget, as a bar and as numbers."""
    share = min(1.0, (spent.spent + spent.committed) / budget.amount)
    words = f"{spent.spent:,.0f} of {budget.words(budget.amount)} spent ({percent(spent.spent / budget.amount)})"
    committed = f"; {spent.committed:,.0f} committed to runs under way" if spent.committed else ""
    bar = tag("progress", max="1", value=f"{share:.3f}", aria_label=f"{words}{committed}")
    return tag("p", bar, " ", words, committed)


def _candidates(view: ExplorationView) -> str:
    found = view.candidates
    n, widths, seeds = (", ".join(f"{value:,}" for value in values) for values in (found.n_train, found.width, found.seed))
    return f"Chooses among n = {n}; W = {widths}; seeds {seeds}."


def _log(view: ExplorationView) -> Html:
    """Newest first, above them what would be next."""
    if view.next is not None:
        planned = [item.words(view.budget) for item in view.next.chosen] or [view.next.reason]
        following = tag("p", tag("b", "Next, as things stand, for one more slot: "), said(planned[0]), class_="tau-quiet")
    else:
        following = None
    made = [_entry(decision, view.budget) for decision in reversed(view.decisions)]
    return join(following, *(made or [tag("p", "No decision yet.")]))


def _entry(decision: Decision, budget: Budget) -> Html:
    name = tag("b", f"Decision {decision.number}: ")
    chosen = [tag("p", name, said(item.words(budget))) for item in decision.chosen]
    cost = f"{moment(decision.at)}. Expected {budget.words(decision.cost)} of the {budget.words(decision.remaining)} that were left."
    return join(*chosen, tag("p", cost, class_="tau-quiet"))
