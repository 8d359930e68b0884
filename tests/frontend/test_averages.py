"""The page of a run shows the onsets of further averages of the weights beside its own, censored ones as words."""

from frontend.markup.averages import averages
from tests.frontend import fake_world as world

RUN = world.finished().runs[1]
MARKERS = {
    "tau_gen~ema0.2": world.reached(61, 50, 70, "loss_held_out@100~ema0.2", 0.55),
    "tau_mem~ema0.2": world.not_by(1100, "f_mem~ema0.2", 0.25, 1100),
    "tau_gen~ema0.05": world.reached(33, 25, 40, "loss_held_out@100~ema0.05", 0.55),
    "tau_mem~ema0.05": world.reached(600, 540, 660, "f_mem~ema0.05", 0.25),
}


def test_each_length_has_its_onsets_with_intervals_and_its_copies_with_the_count() -> None:
    final = RUN.final | {"f_mem~ema0.05": 0.5, "f_mem~ema0.05_low": 0.45, "f_mem~ema0.05_high": 0.55, "f_mem~ema0.05_count": 384}
    shown = averages(RUN.model_copy(update={"markers": RUN.markers | MARKERS, "final": final}))
    own, short, long = (row.split("</tr>")[0] for row in shown.split("<tr>")[2:])
    assert "the run&#x27;s own" in own or "the run's own" in own
    assert "<td>0.05</td><td>33 (25 to 40)</td><td>600 (540 to 660)</td><td>192 of 384 copied: 50 % (45 to 55 %)</td>" in short
    assert "<td>0.2</td><td>61 (50 to 70)</td><td>not by 1,100 (censored)</td><td>not measured</td>" in long
    assert "Held-out control" in shown


def test_a_run_of_one_average_has_no_such_table() -> None:
    assert averages(RUN) == ""
