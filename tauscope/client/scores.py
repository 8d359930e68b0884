"""The scores of one-dimensional runs over HTTP."""

from urllib.parse import quote

from tauscope.client.transport import Transport
from tauscope.contracts.scores import ScoreCurves


class ScoreCalls(Transport):
    """What the runs of the kind ``score_1d`` learn."""

    def scores(self, run_id: str) -> ScoreCurves:
        """The learned score at every checkpoint, beside the exact ones."""
        return self.get_again(f"/runs/{quote(run_id, safe='')}/scores", ScoreCurves)

    def scores_csv(self, experiment_id: str) -> bytes:
        """Every score at every x and checkpoint of every run of an experiment, as CSV."""
        return self.send("GET", f"/experiments/{quote(experiment_id, safe='')}/scores.csv").content
