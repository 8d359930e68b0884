"""Everything the service refuses, as one tree; ``backend.api.problems`` turns it into HTTP in one place.

ServiceError
|-- UnknownExperimentError, UnknownRunError, UnknownPresetError, UnknownCheckpointError, NoSamplesError, NoImageError  404
|-- UnknownHookError, UnknownRemeasurementError, UnknownDatasetError                            404
|-- ExperimentActiveError, NotExtendableError, NotComparableError, NotExplorableError          409
|-- IdempotencyConflictError, FixedHookError, CheckpointDroppedError, DatasetInUseError      409
|-- InvalidRequestError                                                                      422
|-- UnauthorizedError                                                                        401
|-- ForbiddenHostError, ForbiddenOriginError                                                   403
|-- BodyTooLargeError                                                                        413
+-- NotReadyError                                                                            503
"""

from collections.abc import Sequence
from typing import ClassVar

from tauscope.contracts.problems import FieldError


class ServiceError(Exception):
    """A request that cannot be served; ``code`` is stable, ``detail`` and ``remedy`` are for people."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "The service failed"

    def __init__(self, detail: str, remedy: str = "", errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.remedy = remedy
        self.errors = tuple(errors)


class UnknownExperimentError(ServiceError):
    status, code, title = 404, "experiment_not_found", "No such experiment"

    def __init__(self, experiment_id: str) -> None:
        super().__init__(
            f"There is no experiment {experiment_id}", "It may have been deleted; GET /api/v1/experiments lists those there are"
        )


class UnknownRunError(ServiceError):
    status, code, title = 404, "run_not_found", "No such run"

    def __init__(self, run_id: str) -> None:
        super().__init__(f"There is no run {run_id}", "It may have been deleted; its experiment lists its runs")


class UnknownWorkerError(ServiceError):
    status, code, title = 404, "worker_not_found", "No such worker"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no worker {name}", "List them with GET /api/v1/system or: tauscope workers")


class UnknownHookError(ServiceError):
    status, code, title = 404, "hook_not_found", "No such hook"

    def __init__(self, hook_id: str) -> None:
        super().__init__(f"There is no hook {hook_id}", "List them with GET /api/v1/webhooks or: tauscope hooks list")


class UnknownRemeasurementError(ServiceError):
    status, code, title = 404, "remeasurement_not_found", "No such re-measurement"

    def __init__(self, run_id: str, remeasurement_id: str) -> None:
        super().__init__(
            f"Run {run_id} has no re-measurement {remeasurement_id}", f"List them with GET /api/v1/runs/{run_id}/remeasurements"
        )


class UnknownDatasetError(ServiceError):
    status, code, title = 404, "dataset_not_found", "No such data set"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no data set {name} here", "List them with GET /api/v1/datasets or: tauscope datasets list --url")


class DatasetInUseError(ServiceError):
    status, code, title = 409, "dataset_in_use", "The data set is in use"


class FixedHookError(ServiceError):
    status, code, title = 409, "hook_fixed", "The hook is set up elsewhere"


class UnknownPresetError(ServiceError):
    status, code, title = 404, "preset_not_found", "No such preset"


class UnknownCheckpointError(ServiceError):
    status, code, title = 404, "checkpoint_not_found", "No such checkpoint"


class CheckpointDroppedError(ServiceError):
    status, code, title = 409, "checkpoint_dropped", "The checkpoint was pruned"


class NoSamplesError(ServiceError):
    status, code, title = 404, "samples_not_found", "No samples at this step"


class NoImageError(ServiceError):
    status, code, title = 404, "image_not_found", "No such image"


class ExperimentActiveError(ServiceError):
    status, code, title = 409, "experiment_active", "The experiment is not over"


class NotExtendableError(ServiceError):
    status, code, title = 409, "run_not_extendable", "The run cannot be extended"


class NotExplorableError(ServiceError):
    status, code, title = 409, "experiment_not_explorable", "The experiment cannot be explored"


class NotComparableError(ServiceError):
    status, code, title = 409, "run_not_comparable", "The run cannot be compared with a twin"


class IdempotencyConflictError(ServiceError):
    status, code, title = 409, "idempotency_conflict", "The idempotency key belongs to another request"


class InvalidRequestError(ServiceError):
    status, code, title = 422, "invalid_request", "The request is not valid"


class UnauthorizedError(ServiceError):
    status, code, title = 401, "unauthorized", "A token is needed"


class ForbiddenHostError(ServiceError):
    status, code, title = 403, "forbidden_host", "Unknown host name"


class ForbiddenOriginError(ServiceError):
    status, code, title = 403, "forbidden_origin", "Unknown origin"


class BodyTooLargeError(ServiceError):
    status, code, title = 413, "body_too_large", "The request body is too large"


class NotReadyError(ServiceError):
    status, code, title = 503, "not_ready", "The service is not ready"
