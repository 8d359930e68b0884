"""The board of the training images that are copied most, and what is known of one of them."""

from urllib.parse import urlencode

from frontend.markup.html import Html, join, tag
from frontend.words import control_words, interval_percent, number, plural, sentence, share_of_samples, steps
from tauscope.contracts.copied import CAVEAT, CopiedImage, CopiedImages, CopiesAndTypicality

ROWS = 20
_TITLE = "Most copied of the training set"


def board(view: CopiedImages, chosen: int | None) -> Html:
    """The images that the samples of a checkpoint copy, the most copied first; a click shows every sample that copies one."""
    shown = [item for item in view.items if item.copies]
    address = f"/api/v1/runs/{view.run_id}/copied.csv?{urlencode({'step': view.step})}"
    csv = tag("a", "CSV", href=address, download=f"copied-{view.run_id}-{view.step}.csv", class_="tau-take", data_focus="board-csv")
    rows = tag("ol", *[_row(view, item, place, chosen) for place, item in enumerate(shown)], class_="tau-board-rows") if shown else None
    rest = f"The first {len(shown)} of {view.n_copied:,}; all in the CSV." if view.n_copied > len(shown) else ""
    return join(
        tag("div", tag("b", _TITLE), csv, class_="tau-pair-head"),
        tag("p", _summary(view), class_="tau-label"),
        rows,
        tag("p", rest, class_="tau-notes") if rest else None,
        tag("details", tag("summary", "Chance, control, typicality"), *[tag("p", words) for words in _notes(view)], class_="tau-details"),
    )


def no_board(why: str) -> Html:
    """In place of the board at a checkpoint whose copies are not known."""
    return join(tag("div", tag("b", _TITLE), class_="tau-pair-head"), tag("p", why, class_="tau-label"))


def about(view: CopiedImages, item: CopiedImage) -> Html:
    """What is known of one training image, above the samples that copy it, and the way back to all samples."""
    copied = share_of_samples(item.copies, view.n_generated, item.low, item.high)
    words = [
        tag("b", f"Training {view.point} {item.image}"),
        f" at τ = {steps(view.step)}: {copied}. ",
        *_history(view, item),
        _typical(view, item),
    ]
    onward = None
    if not item.copies and item.first_copied_at is not None:
        onward = tag(
            "button", f"Go to τ = {steps(item.first_copied_at)}", type="button", class_="tau-button", data_step=item.first_copied_at
        )
    back = tag("button", "Show all samples", type="button", class_="tau-button", data_clear=True, data_focus="clear-train")
    return tag("div", tag("p", *words), tag("div", onward, back, class_="tau-about-actions"), class_="tau-surface tau-about", role="status")


def no_image(why: str) -> Html:
    """In place of what is known of a training image that is none."""
    back = tag("button", "Show all samples", type="button", class_="tau-button", data_clear=True)
    return tag("div", tag("p", why), back, class_="tau-surface tau-about", role="status")


def _summary(view: CopiedImages) -> str:
    if view.n_copies == 0:
        elsewhere = f" {plural(view.n_copied_ever, view.point)} copied at others." if view.n_copied_ever else ""
        return f"0 of {view.n_generated:,} copied at τ = {steps(view.step)}: no {view.point} is on the board.{elsewhere}"
    who = f"{view.n_copies:,} of {view.n_generated:,} samples copy"
    return f"At τ = {steps(view.step)}, {who} {view.n_copied:,} of {view.n_distinct:,} distinct training {view.point}s."


def _row(view: CopiedImages, item: CopiedImage, place: int, chosen: int | None) -> Html:
    spread = f" {interval_percent(item.low, item.high)}"
    first = tag(
        "span",
        tag("b", f"{view.point} {item.image}"),
        " ",
        tag("span", f"{item.copies:,} of {view.n_generated:,}", class_="tau-copied"),
        spread,
    )
    details = [f"since τ = {steps(item.first_copied_at)}"] if item.first_copied_at is not None else []
    details += [f"typicality rank {item.typicality_rank:,} of {view.n_distinct:,}"] if item.typicality_rank is not None else []
    details += [f"{item.equal_images} equal {view.point}s"] if item.equal_images > 1 else []
    words = tag("span", first, tag("span", " · ".join(details), class_="tau-quiet"), class_="tau-board-words")
    picture = tag("canvas", class_="tau-pixels", data_tile=place, aria_hidden="true")
    pressed = "true" if item.image == chosen else "false"
    button = tag(
        "button",
        picture,
        words,
        type="button",
        class_="tau-ranked",
        data_train=item.image,
        data_focus=f"train-{item.image}",
        aria_pressed=pressed,
    )
    return tag("li", button)


def _history(view: CopiedImages, item: CopiedImage) -> list[str]:
    if item.first_copied_at is None:
        return [f"No sample copies it at any of {plural(len(view.steps), 'measured checkpoint')}. "]
    before = f" and not at {steps(item.not_copied_at)} before it" if item.not_copied_at is not None else ", the first one measured"
    at = sum(count > 0 for count in item.copies_by_step)
    who = f"{plural(item.seeds, 'seed')} at {at} of {plural(len(view.steps), 'measured checkpoint')}"
    return [f"First copied at τ = {steps(item.first_copied_at)}{before}; by {who}. "]


def _typical(view: CopiedImages, item: CopiedImage) -> str:
    if item.nearest_distance is None or item.nearest_image is None or item.typicality_rank is None:
        return sentence(view.typicality_missing)
    rank = f"typicality rank {item.typicality_rank:,} of {view.n_distinct:,}, 1 being the most typical"
    nearest = f"Its nearest other training {view.point} is {item.nearest_image}, at distance {number(item.nearest_distance)}: {rank}."
    if item.held_out_copies is None or view.n_held_out is None:
        return nearest
    return f"{nearest} Control: {item.held_out_copies:,} of {view.n_held_out:,} held-out {view.point}s would count as copies of it."


def _notes(view: CopiedImages) -> list[str]:
    unit = "pixels in [0, 1]" if view.point == "image" else "values in standard units"
    ranks = f"Typicality rank: 1 for the training {view.point} that is nearest to another one, by Euclidean distance of {unit}."
    return [*_chance(view), _control(view), _correlation(view), ranks, *_unmeasured(view)]


def _chance(view: CopiedImages) -> list[str]:
    if not view.n_copies:
        return []
    uniform = view.uniform
    each = f"{number(uniform.expected)} times ({uniform.low} to {uniform.high} at 95 %)"
    return [
        f"Chance: if all training {view.point}s were as likely to be copied, each would be {each}, the most copied at most"
        f" {uniform.most} times."
    ]


def _control(view: CopiedImages) -> str:
    count, copies, low, high = view.n_held_out, view.n_held_out_copies, view.held_out_low, view.held_out_high
    if count is None or copies is None or low is None or high is None:
        return f"Control: no held-out {view.point}s were compared."
    return f"{sentence(control_words(copies / count, low, high, count))} It copies nothing."


def _correlation(view: CopiedImages) -> str:
    words = f"Rank correlation of copies with the distance to the nearest other {view.point}: {_estimate(view, view.typicality)}"
    if view.typicality.value is None:
        return f"{words}."
    fair = _estimate(view, view.typicality_by_distance)
    fair = f"Of the {view.n_copies:,} samples nearest to a training {view.point}, whatever their gap ratio: {fair}"
    return f"{words}; {CAVEAT}. {fair}."


def _estimate(view: CopiedImages, found: CopiesAndTypicality) -> str:
    if found.value is None or found.low is None or found.high is None:
        return f"none, {found.reason}"
    value, low, high = (f"{end:.2f}".replace("-", "−") for end in (found.value, found.low, found.high))
    return f"{value} ({low} to {high} at 95 %, {found.count:,} {view.point}s)"


def _unmeasured(view: CopiedImages) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for item in view.unmeasured:
        reasons.setdefault(item.reason, []).append(steps(item.step))
    return [f"Not measured: τ = {', '.join(found)}: {reason}." for reason, found in reasons.items()]
