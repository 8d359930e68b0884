"""Averages of the weights of other lengths beside the one that is measured: their onsets and their last copies."""

from frontend.markup.html import TAU_GEN, TAU_MEM, Html, join, tag
from frontend.markup.remeasured import both_onsets
from frontend.markup.sections import section, table
from frontend.markup.side import last_control
from frontend.words import number, sentence, share_of_samples
from tauscope.contracts.run_views import RunView

_MEASURED = "the run's own"
_COLUMNS = ("Length", join(TAU_GEN, " (95 %)"), join(TAU_MEM, " (95 %)"), "Copies at its last checkpoint (95 %)")
_NAME = "tau_gen~ema"


def averages(run: RunView) -> Html:
    """A row for each length, the measured one first; nothing where the run has one average alone."""
    lengths = sorted((name.removeprefix(_NAME) for name in run.markers if name.startswith(_NAME)), key=float)
    if not lengths:
        return join()
    rows = [(_MEASURED, *both_onsets(run.onsets), _copies(run, "f_mem"))]
    for length in lengths:
        found = {name: run.markers[key] for name in ("tau_gen", "tau_mem") if (key := f"{name}~ema{length}") in run.markers}
        rows.append((number(float(length)), *both_onsets(found), _copies(run, f"f_mem~ema{length}")))
    told = "Same levels, same seeds of samples, same control. Only the run's own average enters fits, policies and forecasts."
    said = f"{told} {sentence(last_control(run))}"
    return section("Averages of the weights", join(tag("p", said, class_="tau-quiet"), table(_COLUMNS, rows, "")))


def _copies(run: RunView, metric: str) -> str:
    share, low, high, count = (run.final.get(f"{metric}{end}") for end in ("", "_low", "_high", "_count"))
    if share is None or low is None or high is None or not count:
        return "not measured"
    return share_of_samples(round(share * count), int(count), low, high)
