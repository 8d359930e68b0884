"""Run a preset through the API, as a user would: show its progress, and what came out."""

import hashlib
import os
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.live import Live
from rich.table import Table

from launcher.errors import LaunchError
from launcher.settings import UpSettings
from launcher.stack import Stack
from launcher.stopping import StopRequest
from launcher.terminal import Terminal
from tauscope.cli.tables import fit_sentences, summary_table
from tauscope.client import ApiError, TauscopeClient
from tauscope.contracts.experiments import ExperimentCreate, ExperimentView
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import TERMINAL_STATES, RunState

ASK_SECONDS = 1.0
REPORT_SECONDS = 20.0
SERVER_ERROR = 500


class Demo:
    """One experiment, from the request to the table."""

    def __init__(self, settings: UpSettings, terminal: Terminal, client: TauscopeClient) -> None:
        self._settings = settings
        self._terminal = terminal
        self._client = client
        self._view: ExperimentView | None = None
        self._asked = 0.0
        self._reported = time.monotonic()

    def submit(self, preset: str, assignments: Mapping[str, Any]) -> None:
        """Launch the preset, or follow the experiment of a demo before that was killed under way."""
        request = ExperimentCreate(preset=preset, settings=dict(assignments))
        digest = hashlib.sha256(request.model_dump_json().encode()).hexdigest()[:16]
        known = self._key_file.read_text() if self._key_file.exists() else ""
        key = known if known.startswith(digest) else f"{digest}-{uuid.uuid4().hex}"
        self._key_file.write_text(key)
        self._view = self._client.launch(request, idempotency_key=key)
        # A request that was refused, or whose experiment was deleted, left its key behind too.
        goes_on = ", begun before, which go on" if known == key and any(run.step for run in self._view.runs) else ""
        self._terminal.say(f"\n{self._view.name}: {len(self._view.runs)} runs{goes_on}. Watch them at {self.address}\n")

    @property
    def _key_file(self) -> Path:
        """Holds the key of the request while its experiment is under way; repeating a request returns the same one."""
        return self._settings.home / "demo.key"

    @property
    def view(self) -> ExperimentView:
        assert self._view is not None, "submit comes first"
        return self._view

    @property
    def address(self) -> str:
        """The experiment's page."""
        return f"{self._settings.address}/experiment?id={self.view.id}"

    @property
    def failed(self) -> bool:
        """Whether a run ended otherwise than by finishing."""
        return any(run.state is not RunState.FINISHED for run in self.view.runs)

    def follow(self, stack: Stack) -> None:
        """Show progress until every run is over or a stop is asked for."""
        with Live(console=self._terminal.console, refresh_per_second=4, transient=True) as live:
            stack.watch(over=lambda: self._is_over(lambda: live.update(progress_table(self.view))))

    def report(self) -> None:
        """Print the table, the fitted law and the time it took."""
        summary = self._client.summary(self.view.id)
        console = self._terminal.console
        console.print(summary_table(summary))
        console.print()
        for sentence in fit_sentences(summary.fits):
            console.print(sentence, soft_wrap=True)
        ended = max((run.updated_at or 0.0 for run in self.view.runs), default=0.0)
        self._terminal.say(f"The sweep took {ended - self.view.created_at:.0f} s. Its page: {self.address}")

    def _is_over(self, show: Callable[[], None]) -> bool:
        if time.monotonic() - self._asked < ASK_SECONDS:
            return False
        self._asked = time.monotonic()
        try:
            self._view = self._client.experiment(self.view.id)
        except ApiError as error:
            if error.problem.status < SERVER_ERROR:
                raise
            return False  # The stack is starting a part again.
        show()
        self._say_progress()
        over = all(run.state in TERMINAL_STATES for run in self.view.runs)
        if over:
            self._key_file.unlink(missing_ok=True)
        return over

    def _say_progress(self) -> None:
        """Where lines cannot be redrawn, as in a log file, say from time to time how far it is."""
        if self._terminal.console.is_terminal or time.monotonic() - self._reported < REPORT_SECONDS:
            return
        self._reported = time.monotonic()
        self._terminal.say("; ".join(f"{run.label}: {_progress(run)}" for run in self.view.runs))


def run_demo(
    settings: UpSettings, stack: Stack, terminal: Terminal, stop: StopRequest, *, preset: str, assignments: Mapping[str, Any], leave: bool
) -> int:
    """Submit, follow, report; then serve until Ctrl-C, or leave with 1 if a run failed.

    Raises:
        LaunchError: if the API refuses a request.
    """
    with TauscopeClient(settings.api_address, token=os.environ.get("TAUSCOPE_TOKEN")) as client:
        demo = Demo(settings, terminal, client)
        try:
            demo.submit(preset, assignments)
            demo.follow(stack)
            if not stop:
                demo.report()
        except ApiError as error:
            raise LaunchError(f"the API refused: {error.problem.detail}", error.problem.remedy) from error
    if leave:
        return int(bool(stop) or demo.failed)
    if not stop:
        terminal.say(f"\nTauscope serves at {settings.address} until Ctrl-C.")
        stack.watch()
    return 0


def progress_table(view: ExperimentView) -> Table:
    """One row a run: where it stands, and its onsets as far as they are known."""
    table = Table("run", "state", "step", box=None, pad_edge=False)
    for run in view.runs:
        table.add_row(run.label, run.state.value, _progress(run))
    return table


def _progress(run: RunView) -> str:
    speed = f", {run.steps_per_second:.0f} a second" if run.steps_per_second and run.state is RunState.RUNNING else ""
    return f"{run.step:,} of {run.steps:,}{speed}"
