"""Measuring again over HTTP: the part of the client that asks for it and reads what came."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from tauscope.client.transport import Transport
from tauscope.contracts.remeasuring import DrawRequest, Gaps, RemeasurementView, RemeasureRequest


class RemeasurementCalls(Transport):
    """Checkpoints measured again with other settings, as sets of points beside the run's own."""

    def remeasurements(self, run_id: str) -> tuple[RemeasurementView, ...]:
        """Every set of a run, the oldest first."""
        return self.get(_of(run_id), tuple[RemeasurementView, ...])

    def remeasure(
        self, run_id: str, changes: Mapping[str, Any] | None = None, *, steps: Sequence[int] | None = None, name: str = ""
    ) -> RemeasurementView:
        """Ask for checkpoints to be measured again, by default all that are kept; asked twice, it is done once."""
        request = RemeasureRequest(changes=dict(changes or {}), steps=tuple(steps) if steps else None, name=name)
        return self.call("POST", _of(run_id), RemeasurementView, json=request.model_dump(mode="json"))

    def forget_remeasurement(self, run_id: str, remeasurement_id: str) -> None:
        """Delete a set with its points."""
        self.send("DELETE", f"{_of(run_id)}/{quote(remeasurement_id, safe='')}")

    def gaps(self, run_id: str) -> Gaps:
        """The steps whose samples could not be drawn."""
        return self.get(f"/runs/{quote(run_id, safe='')}/evaluations/gaps", Gaps)

    def draw_again(self, run_id: str, steps: Sequence[int] | None = None) -> Gaps:
        """Draw the samples of gaps that failed attempts left, by default of all."""
        request = DrawRequest(steps=tuple(steps) if steps else None)
        return self.call("POST", f"/runs/{quote(run_id, safe='')}/evaluations", Gaps, json=request.model_dump(mode="json"))


def _of(run_id: str) -> str:
    return f"/runs/{quote(run_id, safe='')}/remeasurements"
