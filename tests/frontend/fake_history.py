"""What happened to the runs of the stand-in world: attempts, events, and what the service says of itself."""

from tauscope.contracts.diagnosis import CheckView, DiagnosisView, FailureView, QueueView, VersionView
from tauscope.contracts.retention import CheckpointView
from tauscope.contracts.run_views import AttemptView, RunEventView
from tests.frontend.fake_world import T0


def attempts() -> tuple[AttemptView, ...]:
    """A run that lost its worker, went seven steps back, and runs."""
    first = AttemptView(
        epoch=1,
        worker="laptop-1",
        code_version="0.1+a",
        resumed_version=None,
        started_at=T0,
        ended_at=T0 + 40,
        from_step=0,
        to_step=107,
        rewound=0,
        outcome="lost: its worker did not renew the lease",
    )
    again = {"epoch": 2, "worker": "laptop-2", "resumed_version": "0.1+a", "from_step": 100, "to_step": 150, "rewound": 7}
    return first, first.model_copy(update=again | {"started_at": T0 + 55, "ended_at": None, "outcome": ""})


def events() -> tuple[RunEventView, ...]:
    """Why that run changed its state."""
    told = (("created", ""), ("claimed", "by laptop-1 from step 0"), ("released", "in trouble\nTraceback <last>"))
    return tuple(RunEventView(id=place, seq=place, at=T0 + place, name=name, detail=detail) for place, (name, detail) in enumerate(told))


def checkpoints() -> tuple[CheckpointView, ...]:
    """Those of a run: pruning would drop the first, the second is recommended, the last pinned."""
    kept = {150: (), 411: ("recommended",), 1100: ("resume",)}
    return tuple(CheckpointView(step=step, n_bytes=1_234_567, pinned=step == 1100, kept=why) for step, why in kept.items())


def diagnosis() -> DiagnosisView:
    """A service with one fault, a queue that nobody serves, and two failures."""
    failure = FailureView(
        event_id=2,
        run_id="failedr1",
        experiment_id="failed",
        experiment="digits, lr 0.02",
        label="n_train=32",
        at=T0 - 300,
        kind="run",
        reason="The loss is not a number at τ = 640. Use a lower learning rate, e.g. 0.001.",
        traceback="Traceback (most recent call last):\n  <the step>\nDivergedError",
    )
    again = {"event_id": 1, "kind": "attempt", "reason": "The checkpoint cannot be fetched. Check the artifact store", "traceback": ""}
    return DiagnosisView(
        checks=(
            CheckView(part="database", ok=True, found="sqlite, its schema is current"),
            CheckView(part="disk", ok=False, found="2 GiB free under /home", remedy="Free some space"),
        ),
        queues=(
            QueueView(name="default", waiting=3, computing=1, evaluations=2, workers=1),
            QueueView(name="gpu", waiting=1, computing=0, evaluations=0, workers=0),
        ),
        versions=(VersionView(version="0.1.0", used_by=("API", "laptop")),),
        failures=(failure, failure.model_copy(update=again | {"at": T0 - 7200})),
    )
