"""The checkpoint to keep: its quality, its copies, what is left until copying begins, and why it."""

from frontend.markup.header import address
from frontend.markup.html import Html, join, signed, tag
from frontend.markup.icons import WARNING
from frontend.words import interval, number, sentence, share_of_samples, steps
from tauscope.contracts.retention import Recommendation, RunCheckpoints
from tauscope.contracts.run_views import RunView


def keep_lines(run: RunView, recommendation: Recommendation) -> Html:
    """A recommended checkpoint with its numbers; there is one."""
    step, quality, f_mem = recommendation.step, recommendation.quality, recommendation.f_mem
    assert step is not None
    where = address("inspect", run=run.id, step=step)
    told = []
    if quality and quality.value is not None:
        told.append(f"quality {number(quality.value)} ({interval(quality.low, quality.high)})")
    if f_mem and f_mem.value is not None and f_mem.count and f_mem.low is not None and f_mem.high is not None:
        told.append(share_of_samples(round(f_mem.value * f_mem.count), f_mem.count, f_mem.low, f_mem.high))
    if recommendation.margin:
        told.append(recommendation.margin.words)
    return tag(
        "div",
        tag("a", f"Keep τ {steps(step)}", href=where, data_go=where),
        *[tag("div", signed(words)) for words in told],
        tag("div", signed(sentence(recommendation.reason)), class_="tau-quiet"),
        class_="tau-keep",
    )


def keep_card(run: RunView, checkpoints: RunCheckpoints) -> Html:
    """The recommendation of a run, or why there is none, and what its last checkpoint warns of."""
    found = checkpoints.recommendation
    words = keep_lines(run, found) if found.step is not None else tag("p", signed(sentence(f"none: {found.reason}")))
    warned = [tag("p", WARNING, signed(sentence(text)), class_="tau-quiet") for text in checkpoints.warnings]
    return tag("section", tag("h2", "Checkpoint to keep", class_="tau-label"), join(words, *warned), class_="tau-card tau-recommendation")
