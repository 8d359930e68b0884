"""The files of a figure: their size, type and fonts, what they say of themselves, and that the same numbers give the same bytes."""

import hashlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from tauscope.figures.naming import configuration_hash
from tauscope.figures.render import facts, render, stem
from tauscope.figures.source import FigureOptions, Number
from tests.figures.made import DATE, colourful, made

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"
DC = "{http://purl.org/dc/elements/1.1/}"
POINTS_PER_MM = 72 / 25.4


def svg(number: Number = 2, width: int = 175, **options: object) -> ElementTree.Element:
    return ElementTree.fromstring(render(made(**options), number, "svg", FigureOptions(width)))  # type: ignore[arg-type]


def sizes_of_type(root: ElementTree.Element) -> set[float]:
    """Of text and of the parts of a formula; the group around a formula has none of its own."""
    styles = " ".join(item.get("style", "") for name in ("text", "tspan") for item in root.iter(f"{SVG}{name}"))
    return {float(size) for size in re.findall(r"font-size: ([\d.]+)px", styles)}


@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("width", [85, 175])
def test_a_figure_has_its_width_in_millimetres_and_type_of_eight_points_or_little_less(number: Number, width: int) -> None:
    root = svg(number, width)
    assert float(root.get("width", "").removesuffix("pt")) == pytest.approx(width * POINTS_PER_MM, abs=0.01)
    # One unit is a point: the view box is as wide as the page.
    assert root.get("viewBox", "").split()[2] == root.get("width", "").removesuffix("pt")
    sizes = sizes_of_type(root)
    assert {8.0, 7.2} < sizes, "and those of indices and exponents"
    assert 6.5 <= min(sizes) <= max(sizes) == 8


def test_text_stays_text() -> None:
    words = " ".join("".join(svg().itertext()).split())
    for expected in ("Held-out loss at index 100", "training time τ, steps", "n = 16", "N = 384 samples"):
        assert expected in words


def test_no_word_leaves_the_page() -> None:
    from tauscope.figures.drawing.layout import draw
    from tauscope.figures.drawing.style import house_style
    from tauscope.figures.render import plan_figure

    shown = (made(upto=160, good=False), made((16, 32), seeds=(1, 2, 3), widths=(8, 16), lost_from=320))
    for data, number, width in ((data, number, width) for data in shown for number in (2, 3) for width in (85, 175)):
        with house_style():
            figure = draw(plan_figure(data, number, FigureOptions(width)), width)  # type: ignore[arg-type]
            figure.draw_without_rendering()
            outside = [
                item.get_text() for item in figure.findobj(_has_words) if not _inside(item.get_window_extent(), figure.bbox.padded(1))
            ]
        assert not outside, (number, width)


def _has_words(item: object) -> bool:
    return hasattr(item, "get_text") and bool(item.get_text()) and bool(item.get_visible())  # type: ignore[attr-defined]


def _inside(box: object, page: object) -> bool:
    return box.x0 >= page.x0 and box.x1 <= page.x1 and box.y0 >= page.y0 and box.y1 <= page.y1  # type: ignore[attr-defined,no-any-return]


def test_a_png_has_six_hundred_dots_an_inch_and_says_what_made_it() -> None:
    data = made()
    with Image.open(io.BytesIO(render(data, 3, "png", FigureOptions(85)))) as image:
        assert image.width == pytest.approx(85 / 25.4 * 600, abs=1)
        assert image.info["dpi"][0] == pytest.approx(600, abs=0.1)
        assert image.text["configuration"] == configuration_hash(data.sweep)  # type: ignore[attr-defined]
        assert image.text["Creation Time"] == DATE.isoformat()  # type: ignore[attr-defined]


def test_a_pdf_has_truetype_fonts_and_says_what_made_it() -> None:
    data = made()
    content = render(data, 3, "pdf")
    assert b"/FontFile2" in content
    assert b"/Type3" not in content
    assert b"/CreationDate (D:20261122120000" in content
    for entry in (b"/Subject", b"/Keywords"):
        said = content.partition(entry + b" (")[2].partition(b"\n")[0]
        assert f"configuration: {configuration_hash(data.sweep)}".encode() in said
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+)", content)
    assert box is not None
    assert float(box[1]) == pytest.approx(175 * POINTS_PER_MM, abs=0.01)


def test_an_svg_says_what_made_it() -> None:
    data = made()
    root = svg()
    said = root.findtext(f".//{DC}description") or ""
    assert said == "; ".join(f"{name}: {value}" for name, value in facts(data, FigureOptions()).items())
    assert root.findtext(f".//{DC}date") == DATE.isoformat()


def test_the_same_numbers_give_the_same_bytes_in_another_process() -> None:
    script = (
        "import hashlib, sys; from tests.figures.made import made; from tauscope.figures.render import render;"
        "print(hashlib.sha256(render(made((16, 32)), 3, 'zip')).hexdigest())"  # It holds every form.
    )
    # Any seed but that of this process.
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    other = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True
    )
    assert other.stdout.strip() == hashlib.sha256(render(made((16, 32)), 3, "zip")).hexdigest(), other.stderr


def test_a_file_is_named_by_experiment_figure_configuration_and_width() -> None:
    data = made()
    assert stem(data, 2, FigureOptions(85)) == f"made-up-figure-2-{configuration_hash(data.sweep)}-85mm"


def test_pictures_in_colour_are_drawn_too() -> None:
    assert render(colourful(made((16, 32))), 2, "svg") != render(made((16, 32)), 2, "svg")


def test_only_one_room_knows_matplotlib_and_none_pyplot() -> None:
    rooms = [ROOT / room for room in ("tauscope", "backend", "worker", "launcher", "frontend")]
    knows = {path for room in rooms for path in room.rglob("*.py") if re.search(r"^\s*(from|import) matplotlib", path.read_text(), re.M)}
    assert {path.parent for path in knows} == {ROOT / "tauscope/figures/drawing"}
    assert not [path for path in knows if "pyplot" in path.read_text().partition('"""\n')[2]]
