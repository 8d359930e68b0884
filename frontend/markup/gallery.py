"""Samples beside their two nearest training images: film strip, cards, the enlarged pair."""

from collections.abc import Sequence
from dataclasses import dataclass

from frontend.markup.html import Html, join, tag
from frontend.words import control_words, interval_percent, number, percent, steps
from tauscope.contracts.experiments import SamplesView

_AXIS_THIRD = Html("1/3")


@dataclass(frozen=True)
class Shown:
    """What the viewer chose to see of a checkpoint."""

    show: str = "all"
    sort: str = "seed"
    seed: int | None = None
    limit: int = 60


def chosen_samples(view: SamplesView, shown: Shown) -> list[int]:
    """Samples that pass the filter, in order."""
    wanted = {"copies": True, "originals": False}.get(shown.show)
    indices = [i for i in range(view.n_generated) if wanted is None or view.is_copy[i] is wanted]
    return sorted(indices, key=lambda i: view.gap_ratio[i]) if shown.sort == "ratio" else indices


def selected_seed(view: SamplesView, shown: Shown) -> int | None:
    """The sample that is enlarged: the one in the address, or the first shown."""
    if shown.seed is not None and 0 <= shown.seed < view.n_generated:
        return shown.seed
    return next(iter(chosen_samples(view, shown)), None)


def sample_url(view: SamplesView, seed: int) -> str:
    """A generated image."""
    return f"/api/v1/runs/{view.run_id}/samples/{view.step}/{seed}.png"


def train_url(view: SamplesView, image: int) -> str:
    """A training image."""
    return f"/api/v1/runs/{view.run_id}/train/{image}.png"


def inspect_finding(view: SamplesView) -> Html:
    """How many samples are copies, with interval and control."""
    at = f"At τ = {steps(view.step)}, "
    words = control_words(view.f_mem_control, view.f_mem_control_low, view.f_mem_control_high, view.control_count)
    control = f" {words.capitalize()}."
    if view.n_copies == 0:
        bound = f"0 of {view.n_generated:,} samples are copies: under {percent(view.f_mem_high)} at 95 %."
        return join(at, bound, tag("span", control, class_="tau-quiet"))
    copies = tag("span", f"{view.n_copies:,} of {view.n_generated:,}", class_="tau-copied")
    spread = f" ({interval_percent(view.f_mem_low, view.f_mem_high)})."
    return join(at, copies, f" samples are copies: {percent(view.f_mem)}", tag("span", spread, control, class_="tau-quiet"))


def film_strip(views: Sequence[SamplesView], current: int, seed: int | None, *, quality: Sequence[tuple[int, float]]) -> Html:
    """One seed at every checkpoint over its nearest training image; the frames are the stops of the slider."""
    position = next((i for i, view in enumerate(views) if view.step == current), len(views) - 1)
    slider = tag(
        "input",
        type="range",
        min=0,
        max=len(views) - 1,
        step=1,
        value=position,
        class_="tau-slider",
        aria_label="Checkpoint, training time τ",
        aria_valuetext=f"τ {steps(views[position].step)}",
        data_steps=",".join(str(view.step) for view in views),
        style=f"margin:0 {50 / len(views):.2f}%;width:{100 - 100 / len(views):.2f}%",
    )
    frames = [_frame(view, seed, current=view.step == current) for view in views]
    style = f"grid-template-columns:repeat({len(views)},minmax(0,1fr))"
    return tag(
        "section",
        _mini_curves(views, quality),
        slider,
        tag("div", *frames, class_="tau-frames", style=style),
        class_="tau-surface tau-strip",
    )


def _frame(view: SamplesView, seed: int | None, *, current: bool) -> Html:
    body = [tag("span", steps(view.step), class_="tau-frame-step")]
    if seed is not None and seed < view.n_generated:
        copy = view.is_copy[seed]
        body += [
            tag("img", src=sample_url(view, seed), alt="", class_="tau-pixels" + (" tau-copy" if copy else ""), loading="lazy"),
            tag("img", src=train_url(view, view.neighbours[seed][0]), alt="", class_="tau-pixels tau-small", loading="lazy"),
            tag("span", f"{view.gap_ratio[seed]:.2f}", class_="tau-copied" if copy else "tau-quiet"),
        ]
    label = f"τ {steps(view.step)}" + (
        f", gap ratio {view.gap_ratio[seed]:.2f}{', copy' if view.is_copy[seed] else ''}" if seed is not None else ""
    )
    return tag(
        "button",
        *body,
        type="button",
        tabindex=-1,
        data_step=view.step,
        aria_label=label,
        class_="tau-frame" + (" tau-current" if current else ""),
    )


def _mini_curves(views: Sequence[SamplesView], quality: Sequence[tuple[int, float]]) -> Html:
    """f_mem and the quality that defines tau_gen in miniature, one place a checkpoint; for orientation, not for reading."""
    count = len(views)
    places = {view.step: (k + 0.5) / count * 1000 for k, view in enumerate(views)}
    copied = " ".join(f"{places[view.step]:.1f},{38 - 34 * view.f_mem:.1f}" for view in views)
    lines = [
        f'<polyline points="{copied}" fill="none" stroke="var(--tau-memorization)" stroke-width="2" vector-effect="non-scaling-stroke"/>'
    ]
    found = [(places[step], value) for step, value in quality if step in places]
    if len(found) > 1:
        low, high = min(value for _, value in found), max(value for _, value in found)
        drawn = " ".join(f"{x:.1f},{36 - 30 * (value - low) / ((high - low) or 1):.1f}" for x, value in found)
        lines.append(
            f'<polyline points="{drawn}" fill="none" stroke="var(--tau-quality)" stroke-width="2" vector-effect="non-scaling-stroke"/>'
        )
    words = tag(
        "div",
        tag("span", "quality", class_="tau-quality"),
        " and ",
        tag("span", "share of copies", class_="tau-copied"),
        class_="tau-strip-words",
    )
    return join(
        words, Html(f'<svg class="tau-mini" viewBox="0 0 1000 40" preserveAspectRatio="none" aria-hidden="true">{"".join(lines)}</svg>')
    )


def cards(view: SamplesView, shown: Shown, selected: int | None) -> Html:
    """A card a sample: generated and nearest at equal size, the second small, and the gap ratio with its threshold."""
    chosen = chosen_samples(view, shown)
    if not chosen:
        words = (
            "No copy at this checkpoint. Choose All, or a later checkpoint." if shown.show == "copies" else "Every sample is a copy here."
        )
        return tag("div", tag("p", words), class_="tau-empty")
    grid = tag("div", *[_card(view, seed, selected=seed == selected) for seed in chosen[: shown.limit]], class_="tau-cards")
    rest = len(chosen) - shown.limit
    more = (
        tag("button", f"Show {min(60, rest)} more of {rest:,}", type="button", class_="tau-button", data_more=shown.limit + 60)
        if rest > 0
        else None
    )
    return join(grid, more)


def _card(view: SamplesView, seed: int, *, selected: bool) -> Html:
    copy, ratio = view.is_copy[seed], view.gap_ratio[seed]
    first, second = view.neighbours[seed]
    pair = tag(
        "span",
        tag("img", src=sample_url(view, seed), alt="", class_="tau-pixels", loading="lazy"),
        tag("img", src=train_url(view, first), alt="", class_="tau-pixels", loading="lazy"),
        tag("img", src=train_url(view, second), alt="", class_="tau-pixels tau-second", loading="lazy"),
        class_="tau-pair",
    )
    words = tag("span", tag("b", f"{ratio:.2f}"), tag("span", " copy", class_="tau-copied") if copy else None)
    foot = tag("span", words, tag("span", f"seed {seed}", class_="tau-quiet"), class_="tau-card-foot")
    style = "tau-sample" + (" tau-copy" if copy else "") + (" tau-selected" if selected else "")
    label = f"seed {seed}, τ {steps(view.step)}, gap ratio {ratio:.2f}{', copy' if copy else ''}"
    return tag(
        "button",
        pair,
        ratio_bar(ratio, view.gap_threshold, copy=copy),
        foot,
        type="button",
        class_=style,
        data_seed=seed,
        aria_label=label,
        aria_pressed=str(selected).lower(),
    )


def ratio_bar(ratio: float, threshold: float, *, copy: bool) -> Html:
    """The gap ratio from 0 to 1 with a tick at the threshold."""
    fill = tag("span", class_="tau-ratio-fill" + (" tau-is-copy" if copy else ""), style=f"width:{100 * min(ratio, 1):.1f}%")
    return tag("span", fill, tag("span", class_="tau-ratio-tick", style=f"left:{100 * threshold:.1f}%"), class_="tau-ratio")


def enlarged(view: SamplesView, seed: int, views: Sequence[SamplesView]) -> Html:
    """One sample and its nearest training image side by side, and what is known of it."""
    copy = view.is_copy[seed]
    first, second = view.neighbours[seed]
    verdict = tag("span", f"Copy of training image {first}", class_="tau-copied") if copy else tag("span", "Not a copy", class_="tau-quiet")
    head = tag("div", tag("b", f"Seed {seed}"), verdict, class_="tau-pair-head")
    pictures = tag(
        "div",
        _figure(sample_url(view, seed), "Generated", copy=copy),
        _figure(train_url(view, first), "Nearest"),
        _figure(train_url(view, second), "Second", small=True),
        class_="tau-big-pair",
    )
    copied_at = next((item.step for item in views if seed < item.n_generated and item.is_copy[seed]), None)
    others = sum(view.is_copy[i] and view.neighbours[i][0] == first for i in range(view.n_generated))
    ratio = Html("Gap ratio d<sub>1</sub>/d<sub>2</sub>")
    rows = [
        (ratio, tag("b", f"{view.gap_ratio[seed]:.3f}")),
        (join(Html("d<sub>1</sub>"), f" to image {first}"), number(view.distances[seed][0])),
        (join(Html("d<sub>2</sub>"), f" to image {second}"), number(view.distances[seed][1])),
        ("First copied at", f"τ = {steps(copied_at)}" if copied_at is not None else "not so far"),
        (f"Samples copying image {first}", f"{others} of {view.n_generated:,}"),
    ]
    table = tag("dl", *[join(tag("dt", name), tag("dd", value)) for name, value in rows], class_="tau-facts")
    scale = tag("div", ratio_bar(view.gap_ratio[seed], view.gap_threshold, copy=copy), _scale_words(view), class_="tau-scale")
    note = tag(
        "p",
        "Distances are Euclidean, pixels in [0, 1]. A copy is nearer to one training image than 1/3 of its distance to the second.",
        class_="tau-notes",
    )
    return tag("section", head, pictures, scale, table, note, class_="tau-card")


def _scale_words(view: SamplesView) -> Html:
    third = tag(
        "span", _AXIS_THIRD, style=f"position:absolute;left:{100 * view.gap_threshold:.1f}%;transform:translateX(-50%)", class_="tau-copied"
    )
    return tag("div", tag("span", "0"), third, tag("span", "1"), class_="tau-scale-words")


def _figure(url: str, words: str, *, copy: bool = False, small: bool = False) -> Html:
    image = tag("img", src=url, alt=words, class_="tau-pixels" + (" tau-copy" if copy else ""))
    return tag("figure", image, tag("figcaption", words), class_="tau-small" if small else None)
