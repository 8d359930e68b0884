"""The document of every page: Streamlit's own without inline scripts, and what a page's chart needs fetched ahead."""

import re

import pytest

from frontend.document import _CHARTS, _STATIC, document

PLOTLY = "/assets/plotly.min.js"


def test_no_script_of_the_document_is_inline() -> None:
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", document("live")) == []


def test_a_page_with_a_chart_fetches_plotly_and_its_modules_while_streamlit_begins_and_others_do_not() -> None:
    ahead = re.findall(r'modulepreload" href="/assets/([\w.]+)"', document("live"))
    assert {"live.js", "curves.js", "shell.js", "pointer.js", "takeaway.js", "tips.js"} == set(ahead)
    assert len(ahead) == len(set(ahead))
    assert document("live").count(PLOTLY) == 1 and PLOTLY not in document()
    assert document("live").index(PLOTLY) < document("live").index("static/js/index")


@pytest.mark.parametrize("module", sorted(set(_CHARTS.values())))
def test_every_chart_module_draws_with_plotly(module: str) -> None:
    assert "ensurePlotly" in (_STATIC / f"{module}.js").read_text(encoding="utf-8")
