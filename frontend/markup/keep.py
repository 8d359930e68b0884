"""The checkpoint to keep: its quality, its copies, what is left until copying begins, and why it."""

from frontend.markup.header import address
from frontend.markup.html import Html, join, signed, tag
from frontend.markup.icons import WARNING
from frontend.words import interval, number, sentence, share_of_samples, steps
from tauscope.contracts.retention import RunCheckpoints
from tauscope.contracts.run_views import RunView
from tauscope.contracts.storage import size_words


def keep_lines(run: RunView, checkpoints: RunCheckpoints) -> Html:
    """A recommended checkpoint with its numbers, and as a file; there is one."""
    recommendation = checkpoints.recommendation
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
        _as_file(run, checkpoints, step),
        class_="tau-keep",
    )


def _as_file(run: RunView, checkpoints: RunCheckpoints, step: int) -> Html:
    held = next((item for item in checkpoints.checkpoints if item.step == step), None)
    if held is None:
        return tag("div", "Its weights were pruned; its samples and points are kept.", class_="tau-quiet")
    return tag("div", checkpoint_link(run.id, step, f"Download it, {size_words(held.n_bytes)}"))


def checkpoint_link(run_id: str, step: int, words: str) -> Html:
    """A checkpoint as a zip file of weights and training state."""
    said = f"Weights and training state of τ {steps(step)}, as a zip file"
    return tag("a", words, href=f"/api/v1/runs/{run_id}/checkpoints/{step}.zip", download="", class_="tau-take", title=said)


def keep_card(run: RunView, checkpoints: RunCheckpoints) -> Html:
    """The recommendation of a run, or why there is none, and what its last checkpoint warns of."""
    found = checkpoints.recommendation
    words = keep_lines(run, checkpoints) if found.step is not None else tag("p", signed(sentence(f"none: {found.reason}")))
    warned = [tag("p", WARNING, signed(sentence(text)), class_="tau-quiet") for text in checkpoints.warnings]
    return tag("section", tag("h2", "Checkpoint to keep", class_="tau-label"), join(words, *warned), class_="tau-card tau-recommendation")
