"""Every state that a page can be in, by its address before the stand-in; ``python -m tests.frontend.states`` serves them to a person."""

import argparse
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from tests.frontend.fake_api import FakeApi, create_fake_api
from tests.frontend.serving import dashboard, served
from tests.service import free_port

CHART = ".tau-chart .main-svg"
CARDS = ".tau-sample canvas[data-painted]"


@dataclass(frozen=True)
class State:
    """What stands at an address: words that must be seen there, and an element that shows that the page is complete."""

    name: str
    address: str
    words: str
    ready: str = CHART
    api: bool = True


STATES = (
    State("watch-empty", "/experiment?id=empty", "No measurement yet"),
    State("watch-loading", "/experiment?id=loading", "Reading the curves", ready=".tau-loading"),
    State("watch-one-point", "/experiment?id=one", "Running"),
    State("watch-live", "/experiment?id=live", "Running"),
    State("watch-warned", "/experiment?id=warned", "Copying may be near"),
    State("watch-paused", "/experiment?id=paused", "Paused"),
    State("watch-stale", "/experiment?id=stale", "No news for"),
    State("watch-failed", "/experiment?id=failed", "Use a lower learning rate"),
    State("watch-diverged", "/experiment?id=diverged", "Lower optimizer.lr"),
    State("watch-never", "/experiment?id=never", "never for n = 16"),
    State("watch-finished", "/experiment?id=demo", "Quality arrives at τ ≈ 31 for every n."),
    State("watch-foretold", "/experiment?id=foretold&n=64", "foretold: 1,060 (80 %: 875 to 1,284)"),
    State("watch-twins", "/experiment?id=twins&n=16", "36 to 91"),
    State("watch-overlay", "/experiment?id=demo&view=overlay&n=32", "Quality arrives at τ ≈ 31 for every n."),
    State("watch-path", "/experiment?id=demo&view=path", "Quality arrives at τ ≈ 31 for every n."),
    State("watch-losses", "/experiment?id=demo&axis=tau_n&losses=100", "Quality arrives at τ ≈ 31 for every n."),
    State("watch-talk", "/experiment?id=demo&talk=1", "Quality arrives at τ ≈ 31 for every n."),
    State("watch-forty-runs", "/experiment?id=forty", "Running"),
    State("watch-very-long", "/experiment?id=long", "Running"),
    State("watch-seeds", "/experiment?id=seeds", "Thick: the mean over the seeds"),
    State("watch-each-seed", "/experiment?id=seeds&seeds=each", "Each seed by itself"),
    State("watch-two-seeds", "/experiment?id=pairs", "fewer than 3 have begun"),
    State("watch-ten-by-four", "/experiment?id=ten-by-four", "Running"),
    State("watch-unknown", "/experiment?id=unknown", "There is no experiment unknown", ready="text=There is no experiment unknown"),
    State("watch-unnamed", "/experiment", "No experiment is named", ready="text=No experiment is named"),
    State("watch-offline", "/experiment?id=demo", "The API does not answer", ready="text=The API does not answer", api=False),
    State("law", "/law?id=demo", "score"),
    State("law-widths", "/law?id=widths&by=width", "inside the interval"),
    State("law-foretold", "/law?id=foretold", "no forecast takes part in a fit"),
    State("law-empty", "/law?id=empty", "No"),
    State("phase", "/phase?id=phases&cell=64x44969", "n* at p = 44,969: 32 to 64."),
    State("phase-live", "/phase?id=phases-live", "so far"),
    State("exploration", "/phase?id=phases-live", "chooses runs as slots become free"),
    State("exploration-ended", "/phase?id=phases", "known to the grid at all 2 W"),
    State("phase-one-width", "/phase?id=demo", "the runs have one p", ready="[data-ready=yes]"),
    State("phase-one-run", "/phase?id=long", "the runs have one n", ready="[data-ready=yes]"),
    State("phase-empty", "/phase?id=empty", "the runs have one p", ready="[data-ready=yes]"),
    State("interventions", "/interventions?id=interventions", "copies least", ready=".tau-onsets"),
    State("interventions-empty", "/interventions?id=empty", "a run has no f_mem yet", ready="[data-ready=yes]"),
    State("probes", "/probes?id=demo", "as late as the warning"),
    State("probes-uncalibrated", "/probes?id=never", "not calibrated: 2 of the 6 finished runs it takes"),
    State("closed-curves", "/closed?id=rf-curves", "E_score is least at"),
    State("closed-map", "/closed?id=rf-map&map=score_error&at=100", "E_score is least at"),
    State("closed-spectrum", "/closed?id=rf-spectrum", "3 bulks"),
    State("watch-nothing-trained", "/experiment?id=rf-spectrum", "3 bulks"),
    State("law-mixture", "/law?id=mixture", "score"),
    State("watch-closed", "/experiment?id=rf-map", "Finished"),
    State("law-closed", "/law?id=rf-curves", "score"),
    State("spectrum", "/spectrum?id=spectrum", "from low to high frequency"),
    State("spectrum-train-loss", "/spectrum?id=spectrum&set=train&map=loss&n=16", "as a share of its value at the first step"),
    State("spectrum-theory", "/spectrum?id=spectrum&map=theory&n=16", "exact empirical denoiser"),
    State("watch-theory", "/experiment?id=spectrum&losses=100&n=16", "exact empirical denoiser"),
    State("run-theory", "/run?id=spectrumr0", "Theory beside data", ready=".tau-run"),
    State("spectrum-waits", "/spectrum?id=spectrum-waits", "no point yet", ready="[data-ready=yes]"),
    State("spectrum-empty", "/spectrum?id=demo", "Neither is measured here", ready="[data-ready=yes]"),
    State("mixture", "/mixture?id=mixture", "the score is nearer to that of the"),
    State("mixture-empty", "/mixture?id=demo", "No population is known here", ready="[data-ready=yes]"),
    State("scores", "/score?id=scores&at=400", "E_score"),
    State("scores-live", "/score?id=scores-live", "not by 300"),
    State("scores-waiting", "/score?id=scores-waiting", "No run has begun", ready="[data-ready=yes]"),
    State("scores-images", "/score?id=demo", "only runs of the kind score_1d do", ready="[data-ready=yes]"),
    State("inspect", "/inspect?run=demor2&step=1763", "copy", ready=CARDS),
    State("inspect-copied", "/inspect?run=demor2&step=1763&train=29", "Training image 29", ready=CARDS),
    State("inspect-many", "/inspect?run=manyr2&step=1763", "copy", ready=CARDS),
    State("inspect-waiting", "/inspect?run=staler1&step=266", "are still being evaluated", ready="[data-ready=yes]"),
    State("inspect-diverged", "/inspect?run=staler1&step=178", "the sampler gave no finite sample", ready="[data-ready=yes]"),
    State("inspect-empty", "/inspect?run=emptyr0", "No samples yet", ready="[data-ready=yes]"),
    State("inspect-unknown", "/inspect?run=unknownr0", "There is no experiment unknown", ready="text=There is no experiment unknown"),
    State("experiments", "/experiments", "digits, lr 0.02", ready=".tau-name"),
    State("experiments-none", "/experiments?q=nothing+like+it", "Nothing matches.", ready="text=Nothing matches."),
    State("experiments-offline", "/experiments", "nothing answers at", ready="text=nothing answers at", api=False),
    State("compare", "/compare?experiments=demo,live", "6 runs of 2 experiments"),
    State("compare-empty", "/compare", "Nothing is compared yet.", ready="text=Nothing is compared yet."),
    State(
        "compare-unknown", "/compare?experiments=unknown", "There is no experiment or run unknown", ready="text=Nothing is compared yet."
    ),
    State("compare-one-unknown", "/compare?experiments=demo,unknown", "There is no experiment or run unknown; it is left out."),
    State("compare-otherwise", "/compare?experiments=demo,wide&axis=w_tau", "measured otherwise"),
    State("compare-seeds", "/compare?experiments=seeds,demo", "mean over the seeds"),
    State("compare-runs", "/compare?runs=demor0,demor2,wider1&axis=seconds", "3 runs of 2 experiments"),
    State("compare-forty", "/compare?experiments=forty,demo", "43 runs of 2 experiments"),
    State("compare-offline", "/compare?experiments=demo", "The API does not answer", ready="text=The API does not answer", api=False),
    State("launch", "/launch?preset=digits-demo", "Launch 3 runs", ready="text=Launch 3 runs"),
    State("launch-offline", "/launch", "The API does not answer", ready="text=The API does not answer", api=False),
    State("run", "/run?id=demor0", "lost: its worker did not renew the lease", ready=".tau-run"),
    State("run-remeasured", "/run?id=demor1", "Measured again in 2 ways", ready=CHART),
    State("run-policy", "/run?id=policyr0", "Stopped by its policy at 266", ready=".tau-run"),
    State("run-foretold", "/run?id=foretoldr2", "How forecasts turned out", ready=".tau-run"),
    State("run-twin", "/run?id=twinsr0", "Agreement with the twin"),
    State("run-twin-begun", "/run?id=twinsr1", "no fall by 24"),
    State("forecasts", "/forecasts", "One forecast a run"),
    State("data", "/data", "2 of them registered", ready=".tau-dataset"),
    State("system", "/system", "Needs attention: disk.", ready="text=Needs attention: disk."),
    State("login", "/login", "token", ready="form"),
)


_STYLE = "body { font: 14px/1.6 sans-serif; margin: 24px } td { padding: 0 24px 8px 0; vertical-align: top } img { height: 240px }"


def index(origin: str, without_api: str) -> str:
    """A page with a link to every state."""
    rows = [(state, (origin if state.api else without_api) + state.address) for state in STATES]
    return _page(f'<tr><td><a href="{escape(url)}">{state.name}</a><td>{escape(state.words)}' for state, url in rows)


def contact_sheet() -> str:
    """A page with the screenshots of every state, which lie beside it."""
    shots = ((state, (state.name, f"{state.name}-dark", f"{state.name}-390")) for state in STATES)
    cells = ((state, "".join(f'<a href="{name}.png"><img src="{name}.png"></a> ' for name in names)) for state, names in shots)
    return _page(f"<tr><td>{state.name}<br>{escape(state.words)}<td>{images}" for state, images in cells)


def _page(rows: Iterable[str]) -> str:
    title = "States of Tauscope's pages"
    return f"<!doctype html><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style><h1>{title}</h1><table>{''.join(rows)}</table>"


def add_index(app: FastAPI, origin: str, without_api: str) -> None:
    """Serve the page of links at the stand-in's own address."""

    @app.get("/", response_class=HTMLResponse)
    def states() -> str:
        return index(origin, without_api)


def main() -> None:
    """Serve the stand-in, a dashboard before it, and one before nothing."""
    parser = argparse.ArgumentParser(description="Serve every state of the dashboard's pages from made-up data.")
    parser.add_argument("--port", type=int, default=8600, help="port of the page of links (default: 8600)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the live experiment grows (default: 60)")
    arguments = parser.parse_args()
    app = create_fake_api(FakeApi(seconds=arguments.seconds))
    with tempfile.TemporaryDirectory() as name, served(app, port=arguments.port) as api:
        folder = Path(name)
        with dashboard(api, folder) as origin, dashboard(f"http://127.0.0.1:{free_port()}", folder) as without_api:
            add_index(app, origin, without_api)
            print(f"Every state: {api}\nCtrl-C ends it.")
            wait_for_interrupt()


def wait_for_interrupt() -> None:
    """Until Ctrl-C."""
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        print("Ended.")


if __name__ == "__main__":
    main()
