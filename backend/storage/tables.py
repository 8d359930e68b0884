"""The tables. Times are Unix seconds by the database's clock; ids are sortable text (see ``ids``)."""

from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, Integer, MetaData, String, Text, UniqueConstraint, false, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedSQLExpression, column_property, mapped_column, relationship

from backend.storage.database import db_now


class Base(DeclarativeBase):
    """All tables of Tauscope."""

    type_annotation_map = {dict[str, Any]: JSON, list[Any]: JSON, float: Float}  # noqa: RUF012 - SQLAlchemy reads it from the class
    # Names for every constraint, so that a later migration can alter it on SQLite too.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Experiment(Base):
    """A launched sweep."""

    __tablename__ = "experiment"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    sweep: Mapped[dict[str, Any]]
    code_version: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[float] = mapped_column(Float, server_default=db_now())
    archived_at: Mapped[float | None]  # Put away: kept whole, and listed only when asked for.
    tags: Mapped[list["ExperimentTag"]] = relationship(order_by="ExperimentTag.tag", passive_deletes=True)
    runs: Mapped[list["Run"]] = relationship(back_populates="experiment", order_by="Run.index", passive_deletes=True)


class ExperimentTag(Base):
    """A word by which its owner finds an experiment again."""

    __tablename__ = "experiment_tag"
    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiment.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(40), primary_key=True, index=True)


class Run(Base):
    """One run: its spec, where it stands, and who may write to it."""

    __tablename__ = "run"
    __table_args__ = (
        UniqueConstraint("experiment_id", "index"),
        Index("run_claimable", "state", "lease_until"),
        Index("run_busy", "experiment_id", "state"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiment.id", ondelete="CASCADE"), index=True)
    index: Mapped[int]
    label: Mapped[str] = mapped_column(Text)
    params: Mapped[dict[str, Any]]
    spec: Mapped[dict[str, Any]]
    steps: Mapped[int]
    cost: Mapped[float] = mapped_column(Float)  # Expected work; the longest run goes first.
    priority: Mapped[int] = mapped_column(default=0, server_default="0")  # The highest goes first.
    queue: Mapped[str] = mapped_column(String(40), default="default", server_default="default")  # Only workers that serve it claim the run.
    state: Mapped[str] = mapped_column(String(12), default="queued")
    desired: Mapped[str] = mapped_column(String(12), default="run")
    step: Mapped[int] = mapped_column(default=0)
    steps_per_second: Mapped[float | None]
    seconds: Mapped[float] = mapped_column(Float, default=0.0)
    reason: Mapped[str] = mapped_column(Text, default="")
    epoch: Mapped[int] = mapped_column(default=0)  # The fencing token: bumped by every claim.
    seq: Mapped[int] = mapped_column(default=0)  # Bumped by every flush; the event stream counts in it.
    stalls: Mapped[int] = mapped_column(default=0)  # Attempts since the last checkpoint that made no progress.
    worker: Mapped[str | None] = mapped_column(String(120))
    lease_until: Mapped[float] = mapped_column(Float, default=0.0)
    enqueued_at: Mapped[float] = mapped_column(Float, default=0.0)  # 0: no wake-up was sent; the reconciler will.
    updated_at: Mapped[float | None]
    checkpoint_step: Mapped[int | None]  # The step a resume starts from; commits with the points up to it.
    checkpoint_version: Mapped[str | None] = mapped_column(String(80))  # The code that wrote that checkpoint.
    onsets: Mapped[dict[str, Any]] = mapped_column(default=dict)
    markers: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # Times beside the onsets, of the same form.
    final: Mapped[dict[str, Any]] = mapped_column(default=dict)
    verdict: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # Why its policy asked it to stop, if it did.
    forecast: Mapped[dict[str, Any] | None]  # tau_mem as foretold by what is known now; gone once it is measured.
    twin_id: Mapped[str | None] = mapped_column(String(32), index=True)  # The run with whose predictions its own are compared.
    remarks: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")  # What is worth knowing of its images, in sentences.
    code_note: Mapped[str] = mapped_column(Text, default="", server_default="")  # Which steps other code computed, if any.
    unevaluated: ClassVar[MappedSQLExpression[int]]  # How many checkpoints wait for their samples to be drawn; set below, by a query.
    experiment: Mapped[Experiment] = relationship(back_populates="runs")


class Attempt(Base):
    """One claim of a run: who computed from which step to which, and how it ended."""

    __tablename__ = "attempt"
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    worker: Mapped[str] = mapped_column(String(120))
    code_version: Mapped[str] = mapped_column(String(80))
    resumed_version: Mapped[str | None] = mapped_column(String(80))  # The code that wrote the checkpoint it resumed from.
    started_at: Mapped[float] = mapped_column(Float, server_default=db_now())
    ended_at: Mapped[float | None]
    from_step: Mapped[int] = mapped_column(default=0)
    to_step: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[str] = mapped_column(Text, default="")


class Trajectory(Base):
    """What a forecast may learn from a run, beside its tau_mem: which others it can teach, and when its loss gap crossed which level."""

    __tablename__ = "trajectory"
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    domain: Mapped[str] = mapped_column(String(12), index=True)
    configuration: Mapped[str] = mapped_column(String(12))
    n_train: Mapped[int]
    crossings: Mapped[dict[str, Any]]  # Level, as text, to training steps.


class Forecast(Base):
    """A forecast of tau_mem as it was made; never changed, so that it can be judged."""

    __tablename__ = "forecast"
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    made_at: Mapped[float] = mapped_column(Float, server_default=db_now())
    version: Mapped[int] = mapped_column(index=True)  # Of the method; those of one are judged together.
    median: Mapped[float | None]  # None where there was nothing to foretell from; the document says why.
    low: Mapped[float | None]
    high: Mapped[float | None]
    document: Mapped[dict[str, Any]]  # The whole forecast, with its sources and counts.


class Exploration(Base):
    """Runs that are chosen one after another, within a budget; an experiment has one at a time that is not finished."""

    __tablename__ = "exploration"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiment.id", ondelete="CASCADE"), index=True)
    candidates: Mapped[dict[str, Any]]
    budget: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(12), default="running", server_default="running", index=True)
    reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    decided: Mapped[int] = mapped_column(default=0, server_default="0")  # How many decisions were made; the fence against a second one.
    created_at: Mapped[float] = mapped_column(Float, server_default=db_now())


class ExplorationDecision(Base):
    """A decision of an exploration as it was made; never changed."""

    __tablename__ = "exploration_decision"
    exploration_id: Mapped[str] = mapped_column(ForeignKey("exploration.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[float] = mapped_column(Float, server_default=db_now())
    chosen: Mapped[list[Any]]
    used: Mapped[dict[str, Any]]  # Run to what it had used before it was chosen: attempts and seconds.
    cost: Mapped[float] = mapped_column(Float)
    remaining: Mapped[float] = mapped_column(Float)


class Series(Base):
    """One metric of one run."""

    __tablename__ = "series"
    __table_args__ = (UniqueConstraint("run_id", "metric"),)
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    metric: Mapped[str] = mapped_column(String(80))


class MetricPoint(Base):
    """One measured number; ``seq`` is the flush that brought it."""

    __tablename__ = "metric_point"
    __table_args__ = (Index("metric_point_flush", "series_id", "seq"),)
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[float | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    count: Mapped[int | None]
    reason: Mapped[str | None] = mapped_column(Text)
    seq: Mapped[int]


class Artifact(Base):
    """A content-addressed file in the artifact store."""

    __tablename__ = "artifact"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    n_bytes: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[float] = mapped_column(Float, server_default=db_now())


class Dataset(Base):
    """A data set that a user registered under a name: a path on the service's machines, or an uploaded archive."""

    __tablename__ = "dataset"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    path: Mapped[str | None] = mapped_column(Text)
    sha256: Mapped[str | None] = mapped_column(ForeignKey("artifact.sha256"), index=True)
    fingerprint: Mapped[str] = mapped_column(String(64))  # Of names, sizes and dates when it was registered.
    description: Mapped[str] = mapped_column(Text)
    licence: Mapped[str] = mapped_column(Text)
    attribution: Mapped[str] = mapped_column(Text)
    card: Mapped[dict[str, Any]]  # What reading it has shown: see tauscope.datasets.card.
    sheet: Mapped[str] = mapped_column(Text)  # The first images as a PNG, in base64.
    created_at: Mapped[float] = mapped_column(Float, server_default=db_now())


class RunFile(Base):
    """What a run's artifacts are: its path in the run's folder, as in an export, e.g. ``samples/450.npz``."""

    __tablename__ = "run_file"
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    path: Mapped[str] = mapped_column(String(200), primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("artifact.sha256"), index=True)
    kind: Mapped[str] = mapped_column(String(20))  # train, held_out, dataset, samples, predictions, weights, state
    step: Mapped[int | None]


class CheckpointPin(Base):
    """A checkpoint that its owner wants kept, whatever retention says."""

    __tablename__ = "checkpoint_pin"
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    pinned_at: Mapped[float] = mapped_column(Float, server_default=db_now())


class Leased:
    """The columns of work on a checkpoint that is claimed with a lease of its own."""

    epoch: Mapped[int] = mapped_column(BigInteger, default=0)  # The fencing token: bumped by every claim.
    stalls: Mapped[int] = mapped_column(default=0)  # Attempts so far, none of which ended.
    worker: Mapped[str | None] = mapped_column(String(120))
    lease_until: Mapped[float] = mapped_column(Float, default=0.0)
    enqueued_at: Mapped[float] = mapped_column(Float, default=0.0)
    renewed_at: Mapped[float] = mapped_column(Float, default=0.0)  # When the lease was last set.
    reason: Mapped[str] = mapped_column(Text, default="")


class Evaluation(Leased, Base):
    """A checkpoint whose samples are still to be drawn and measured; the row goes in the transaction that brings them."""

    __tablename__ = "evaluation"
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    code_version: Mapped[str] = mapped_column(String(80))  # The code that wrote the checkpoint.


Run.unevaluated = column_property(
    select(func.count()).select_from(Evaluation).where(Evaluation.run_id == Run.id).correlate_except(Evaluation).scalar_subquery()
)


class Remeasurement(Base):
    """Checkpoints of a run measured again in one way: a set of points with a name, beside the run's own."""

    __tablename__ = "remeasurement"
    __table_args__ = (UniqueConstraint("run_id", "key"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    key: Mapped[str] = mapped_column(String(64))  # Digest of the changes: the same request finds the set that is there.
    name: Mapped[str] = mapped_column(String(200))
    changes: Mapped[dict[str, Any]]  # Fields of the spec's measurement, as they are here.
    created_at: Mapped[float] = mapped_column(Float, server_default=db_now())


class RemeasuredStep(Leased, Base):
    """A checkpoint of such a set; the row is finished in the transaction that brings its points."""

    __tablename__ = "remeasured_step"
    remeasurement_id: Mapped[str] = mapped_column(ForeignKey("remeasurement.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    finished_at: Mapped[float | None]
    written_by: Mapped[str | None] = mapped_column(String(80))  # The code that wrote the checkpoint,
    code_version: Mapped[str | None] = mapped_column(String(80))  # and the one that measured it.
    from_step: Mapped[int | None]  # The checkpoint that it was measured from; if earlier, the steps in between were trained again.


class RemeasuredPoint(Base):
    """One number of such a set."""

    __tablename__ = "remeasured_point"
    remeasurement_id: Mapped[str] = mapped_column(ForeignKey("remeasurement.id", ondelete="CASCADE"), primary_key=True)
    metric: Mapped[str] = mapped_column(String(80), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[float | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    count: Mapped[int | None]
    reason: Mapped[str | None] = mapped_column(Text)


class RunEvent(Base):
    """Why a run changed its state, in order."""

    __tablename__ = "run_event"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    seq: Mapped[int]
    at: Mapped[float] = mapped_column(Float, server_default=db_now())
    name: Mapped[str] = mapped_column(String(40))
    detail: Mapped[str] = mapped_column(Text, default="")


class Webhook(Base):
    """Who is told of what happens: an address that takes a POST, or the mailbox that the settings name."""

    __tablename__ = "webhook"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))  # http or email
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    secret: Mapped[str] = mapped_column(String(120))  # As it is: what signs must be readable.
    experiment_id: Mapped[str | None] = mapped_column(ForeignKey("experiment.id", ondelete="CASCADE"), index=True)
    enabled: Mapped[bool]
    created_at: Mapped[float] = mapped_column(Float, server_default=db_now())


class Notification(Base):
    """What one hook is to be told; inserted in the transaction in which it became true, sent afterwards."""

    __tablename__ = "notification"
    __table_args__ = (Index("notification_due", "state", "due_at"), Index("notification_of_hook", "webhook_id", "id"))
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhook.id", ondelete="CASCADE"))
    event_id: Mapped[str] = mapped_column(String(32))  # The same for every hook that is told.
    event: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(80), default="", server_default="")  # Which onset, which warning.
    experiment_id: Mapped[str | None] = mapped_column(ForeignKey("experiment.id", ondelete="CASCADE"), index=True)
    run_id: Mapped[str | None] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[float] = mapped_column(Float, server_default=db_now())
    state: Mapped[str] = mapped_column(String(12), default="pending", server_default="pending")  # pending, delivered, given_up
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")  # The fencing token: bumped by every claim.
    due_at: Mapped[float] = mapped_column(Float, default=0.0, server_default="0")
    lease_until: Mapped[float] = mapped_column(Float, default=0.0, server_default="0")
    reason: Mapped[str] = mapped_column(Text, default="", server_default="")


class NotificationAttempt(Base):
    """One attempt to deliver, recorded before it is made, so that one that dies is seen too."""

    __tablename__ = "notification_attempt"
    notification_id: Mapped[str] = mapped_column(ForeignKey("notification.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[float] = mapped_column(Float, server_default=db_now())
    seconds: Mapped[float | None]
    status: Mapped[int | None]
    error: Mapped[str] = mapped_column(Text, default="", server_default="")


class IdempotencyKey(Base):
    """A POST that was answered, so that its repetition gets the same answer."""

    __tablename__ = "idempotency_key"
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request_sha256: Mapped[str] = mapped_column(String(64))
    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiment.id", ondelete="CASCADE"))
    created_at: Mapped[float] = mapped_column(Float, server_default=db_now())


class Worker(Base):
    """A worker process and when it was last heard of."""

    __tablename__ = "worker"
    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    device: Mapped[str] = mapped_column(String(40))
    slots: Mapped[int]
    busy: Mapped[int] = mapped_column(default=0)
    queues: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    code_version: Mapped[str] = mapped_column(String(80), default="", server_default="")
    code_version_policy: Mapped[str] = mapped_column(String(10), default="refuse", server_default="refuse")
    draining: Mapped[bool] = mapped_column(default=False, server_default=false())  # Asked for: it takes no further segment.
    seen_at: Mapped[float] = mapped_column(Float, server_default=db_now())
