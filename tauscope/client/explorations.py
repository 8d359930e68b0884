"""Explorations over HTTP: the part of the client that starts, watches and ends them."""

from urllib.parse import quote

from tauscope.client.transport import Transport
from tauscope.contracts.exploration import ExplorationAct, Explorations, ExplorationStart, ExplorationView


class ExplorationCalls(Transport):
    """Runs chosen one after another where a boundary of the phase diagram is least known."""

    def explorations(self, experiment_id: str) -> Explorations:
        """Every exploration of an experiment, newest first, with its log and what would be next."""
        return self.get(_exploration(experiment_id), Explorations)

    def explore(self, experiment_id: str, request: ExplorationStart) -> ExplorationView:
        """Begin to explore; the first runs are chosen within seconds of a slot being free."""
        return self.call("POST", _exploration(experiment_id), ExplorationView, json=request.model_dump(mode="json"))

    def act_on_exploration(self, experiment_id: str, wish: ExplorationAct) -> ExplorationView:
        """Pause, resume or stop choosing; the runs that were chosen go on."""
        return self.call("POST", f"{_exploration(experiment_id)}/{wish}", ExplorationView)


def _exploration(experiment_id: str) -> str:
    return f"/experiments/{quote(experiment_id, safe='')}/exploration"
