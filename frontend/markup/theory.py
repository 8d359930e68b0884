"""The panel of a run's page with what theory says of its losses, beside what they are."""

from collections.abc import Mapping, Sequence

from frontend.charts.run_lines import Row
from frontend.charts.theory import ROUNDING, SETS, WHO, Constant, constants, value_words
from frontend.markup.html import Html, join, tag
from frontend.markup.sections import section, table
from frontend.words import DASH, sentence, steps
from tauscope.contracts.curves import Curves
from tauscope.contracts.run_views import RunView

_COLUMNS = ("index", "alpha_bar", "answer", "training loss (95 %)", "held-out loss (95 %)", "pairs of each set")
_TOLD = (
    "The exact empirical denoiser answers with the mean over the training set, each member weighed by its likelihood given what is "
    "noised: a network that memorizes comes down to its training loss, and up to its held-out loss. One noise bank for all."
)
_OF = {
    "population": " The population's denoiser has the least expected held-out loss of all.",
    "linear": " The best filter of single Fourier coefficients is linear: the best denoiser of all loses no more than it, but for chance.",
}
_UNKNOWN = " What the population's would lose is not known here."


def theory_section(run: RunView, curves: Curves) -> Html:
    """A table of both losses at every index, learned and by theory; nothing for a run that measured no such constants."""
    known = constants(curves.runs.get(run.id, {}))
    if not known:
        return join()
    rows = [row for index in sorted({item.index for item in known}) for row in _rows(index, known, run, curves)]
    others = {item.who for item in known}
    told = _TOLD + "".join(words for who, words in _OF.items() if who in others) + ("" if "population" in others else _UNKNOWN)
    return section("Theory beside data", join(tag("p", told, class_="tau-quiet"), table(_COLUMNS, rows, "")))


def _rows(index: int, known: Sequence[Constant], run: RunView, curves: Curves) -> list[tuple[object, ...]]:
    info = curves.metrics.get(f"loss_held_out@{index}")
    place = (f"{index:,}", DASH if info is None or info.alpha_bar is None else f"{info.alpha_bar:.4g}")
    learnt = {part: _learnt(run, f"loss_{part}@{index}") for part in SETS}
    rows: list[tuple[object, ...]] = []
    if any(learnt.values()):
        rows.append((*place, f"learned by τ {steps(run.step)}", *_cells(learnt)))
    for who, words in WHO.items():
        told = {item.part: item for item in known if item.index == index and item.who == who}
        if told:
            rows.append((*place, words, *_cells({part: told[part].row if part in told else None for part in SETS}, told)))
    return rows


def _learnt(run: RunView, metric: str) -> Row | None:
    """The last loss of the run, with its interval and count."""
    value, low, high, count = (run.final.get(f"{metric}{end}") for end in ("", "_low", "_high", "_count"))
    return None if value is None or low is None or high is None else (run.step, value, low, high, int(count or 0))


def _cells(rows: Mapping[str, Row | None], told: Mapping[str, Constant] | None = None) -> tuple[str, str, str]:
    """Training and held-out loss, and on how many pairs; where one cannot be had its reason."""
    counts = dict.fromkeys(f"{row[4]:,}" for row in rows.values() if row)
    words = [_value(row) if row else sentence(told[part].reason) if told and part in told else DASH for part, row in rows.items()]
    return words[0], words[1], ", ".join(counts) or DASH


def _value(row: Row) -> str:
    if row[3] < ROUNDING:
        return value_words(row[3])
    return f"{value_words(row[1])} ({value_words(row[2])} to {value_words(row[3])})"


def theory_keys() -> Html:
    """What the lines over noise levels are."""
    about = (
        "Over noise levels, solid: this run's losses when last measured, held-out blue-green and training ochre, 95 % over pairs shaded. "
        "Dashed: those of the exact empirical denoiser, where a memorizer ends; none is drawn that rounding cannot tell from zero. "
        "Dotted grey: the held-out loss of the best filter of single Fourier coefficients."
    )
    return tag("p", about, class_="tau-score")
