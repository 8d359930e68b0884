"""``python -m worker``: train runs until SIGTERM."""

import shutil
import sys

import structlog

from worker.celery_app import consumed_queues, make_app, run_worker
from worker.heartbeat import Heartbeat
from worker.intake import Intake
from worker.logs import configure_logs
from worker.schema import await_schema
from worker.scratch import open_work_folder
from worker.settings import read_settings
from worker.supervisor import Supervisor, open_services

log = structlog.get_logger()


def main() -> None:
    """Start the worker; it ends in a few seconds when asked to, every run being checkpointed and given back."""
    configure_logs()
    settings = read_settings()
    lock = open_work_folder(settings.work_folder)
    supervisor = Supervisor(open_services(settings))
    await_schema(supervisor.services.engine)
    intake = Intake(consumed_queues(settings))
    heartbeat = Heartbeat(supervisor.services, supervisor.pool, intake)

    def on_ready(consumer: object) -> None:
        intake.connect(consumer)
        log.info("worker_started", name=settings.worker_name, slots=settings.slots)
        supervisor.pool.warm()
        heartbeat.start()

    def on_end() -> None:
        heartbeat.stop()
        supervisor.close()
        supervisor.services.close()
        shutil.rmtree(settings.work_folder, ignore_errors=True)
        lock.close()
        log.info("worker_ended", name=settings.worker_name)

    run_worker(
        make_app(settings, {"train": supervisor.serve, "evaluate": supervisor.evaluate}),
        settings,
        on_ready=on_ready,
        on_stop=supervisor.stop,
        on_end=on_end,
    )
    if not supervisor.services.stopping.is_set():
        sys.exit("The worker ended without being asked to, for instance because the broker refused it; start it again")


if __name__ == "__main__":
    main()
