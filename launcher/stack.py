"""The whole service on one machine: start, watch and stop its parts."""

import os
import sys
import time
from collections.abc import Callable

from backend.storage.migrate import upgrade
from launcher.broker import BrokerUnavailableError, EmbeddedBroker, answers, prepare_broker, set_aside
from launcher.errors import LaunchError
from launcher.home_lock import HomeLock
from launcher.part import Part
from launcher.ports import check_ports
from launcher.readiness import answers_ok
from launcher.record import PartsRecord
from launcher.settings import HOST, UpSettings
from launcher.stopping import StopRequest
from launcher.terminal import Terminal

POLL_SECONDS = 0.1
# The worker's children write their checkpoints when asked to leave; all else ends at once.
WORKER_GRACE = 8.0
PART_GRACE = 3.0
BROKER_SECONDS = 10.0


class Stack:
    """Parts under supervision. All of them end with this process, in order when it is asked to, at once when it is killed."""

    def __init__(self, settings: UpSettings, terminal: Terminal, stop: StopRequest) -> None:
        self._settings = settings
        self._terminal = terminal
        self._stop = stop
        self._record = PartsRecord(settings.home)
        self._lock: HomeLock | None = None
        self._embedded: EmbeddedBroker | None = None
        self._parts: list[Part] = []

    def start(self) -> None:
        """Start everything and return when it answers, or when a stop was asked for.

        Raises:
            LaunchError: if it cannot start; what had been started is still running until ``stop``.
        """
        settings = self._settings
        self._lock = HomeLock(settings.home, settings.address)
        for name in self._record.end_orphans(grace_seconds=WORKER_GRACE):
            self._terminal.part(name, "was left by an earlier start; ended")
        check_ports(HOST, {"--port": settings.port, "--api-port": settings.api_port})
        broker_url = self._start_broker() if settings.embeds_broker else settings.broker_url
        self._upgrade_database()
        for part in self._make_parts(broker_url):
            self._start_part(part)
        self._wait_until(lambda: answers_ok(f"{settings.api_address}/api/v1/ready"), "api")
        self._wait_until(lambda: answers_ok(f"{settings.address}/_stcore/health"), "dashboard")

    def watch(self, over: Callable[[], bool] = lambda: False) -> None:
        """Restart dead parts until a stop is asked for or ``over`` is true.

        Raises:
            LaunchError: if a part that need not answer for the start to be over turns out not to start.
        """
        while not self._stop and not over():
            self.tend()
            time.sleep(POLL_SECONDS)

    def tend(self) -> None:
        """Look after each part once."""
        for part in self._parts:
            if part.alive:
                continue
            if part.restart_at is None:
                if part.cannot_start:
                    raise self._broken(part)
                delay = part.schedule_restart()
                self._terminal.part(part.name, f"ended ({part.how_it_ended()}); starts again in {delay:.1f} s")
            elif time.monotonic() >= part.restart_at:
                self._launch(part)

    def stop(self) -> None:
        """Stop all parts, the broker last, and give the home free."""
        if self._parts:
            self._terminal.say("Stopping...")
        broker = [part for part in self._parts if part.name == "broker"]
        self._end([part for part in self._parts if part not in broker])
        self._end(broker)
        if self._embedded is not None:
            self._embedded.clean_up()
        if self._lock is not None:
            self._record.clear()
            self._lock.release()

    def _start_broker(self) -> str:
        data = self._settings.home / "broker"
        try:
            self._embedded = prepare_broker(data)
            part = self._make_broker(self._embedded)
            self._start_part(part)
            if not self._broker_answers(part):
                self._terminal.part("broker", f"cannot read its data; set aside as {set_aside(data).name}")
                self._embedded = prepare_broker(data)
                self._parts[0] = part = self._make_broker(self._embedded)
                self._launch(part)
                if not self._broker_answers(part) and not self._stop:
                    raise self._broken(part)
        except BrokerUnavailableError as error:
            message, _, remedy = str(error).partition(" | ")
            raise LaunchError(message, remedy) from error
        return self._embedded.url

    def _broker_answers(self, part: Part) -> bool:
        assert self._embedded is not None
        deadline = time.monotonic() + BROKER_SECONDS
        while part.alive and time.monotonic() < deadline and not self._stop:
            if answers(self._embedded.url):
                return True
            time.sleep(POLL_SECONDS / 5)
        part.kill()
        return False

    def _make_broker(self, broker: EmbeddedBroker) -> Part:
        return Part("broker", broker.command, os.environ, self._settings.logs, grace_seconds=PART_GRACE)

    def _make_parts(self, broker_url: str) -> list[Part]:
        settings = self._settings
        environment = {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "TAUSCOPE_HOME": str(settings.home),
            "TAUSCOPE_DATABASE_URL": settings.database_url,
            "TAUSCOPE_ARTIFACTS_URL": settings.artifacts_url,
            "TAUSCOPE_BROKER_URL": broker_url,
            # On one's own machine a receiver is mostly there too.
            "TAUSCOPE_WEBHOOKS_PRIVATE": os.environ.get("TAUSCOPE_WEBHOOKS_PRIVATE", "true"),
            "TAUSCOPE_PUBLIC_URL": os.environ.get("TAUSCOPE_PUBLIC_URL", settings.address),
        }
        commands = {
            "api": ["backend", "--host", HOST, "--port", str(settings.api_port)],
            "dashboard": ["frontend", "--host", HOST, "--port", str(settings.port), "--api-url", settings.api_address],
            "worker": ["worker"],
            "reconciler": ["worker.reconciler"],
        }
        graces = {"worker": WORKER_GRACE}
        return [
            Part(name, [sys.executable, "-m", *command], environment, settings.logs, grace_seconds=graces.get(name, PART_GRACE))
            for name, command in commands.items()
        ]

    def _upgrade_database(self) -> None:
        if not self._stop:
            upgrade(self._settings.database_url)

    def _start_part(self, part: Part) -> None:
        if not self._stop:
            self._parts.append(part)
            self._launch(part)

    def _launch(self, part: Part) -> None:
        pid, identity = part.start()
        self._terminal.part(part.name, f"started (pid {pid})")
        try:
            self._record.note(part.name, pid, identity)
        except OSError as error:
            # A full disk must not end the supervision. The part still ends with this process; only a later start would not know it.
            self._terminal.part(part.name, f"cannot be noted in {self._settings.home}: {error.strerror}")

    def _wait_until(self, ready: Callable[[], bool], name: str) -> None:
        deadline = time.monotonic() + self._settings.ready_seconds
        while not self._stop and not ready():
            for part in self._parts:
                if not part.alive:
                    raise self._broken(part)
            if time.monotonic() > deadline:
                raise self._broken(next(part for part in self._parts if part.name == name))
            time.sleep(POLL_SECONDS)

    def _broken(self, part: Part) -> LaunchError:
        tail = part.log_tail()
        logged = f"Its log ends with:\n{tail}\n" if tail else "Its log is empty.\n"
        where = self._settings.logs / f"{part.name}.log"
        return LaunchError(f"the {part.name} did not start ({part.how_it_ended()})", f"{logged}The whole log is {where}")

    def _end(self, parts: list[Part]) -> None:
        asked = time.monotonic()
        for part in parts:
            part.ask_to_end()
        while any(part.alive for part in parts) and self._stop.count < 2:
            late = [part for part in parts if part.alive and time.monotonic() - asked > part.grace_seconds]
            for part in late:
                self._terminal.part(part.name, "did not end in time; killed")
                part.kill()
            time.sleep(POLL_SECONDS / 5)
        for part in parts:
            part.kill()
