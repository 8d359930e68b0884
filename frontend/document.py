"""The HTML document of every page: Streamlit's own, without inline scripts."""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

_BOOT = """<script src="/assets/boot.js"></script>
    <script type="module" src="/assets/keys.js"></script>
    <script type="module" src="/assets/passage.js"></script>
    """
_PLOTLY = '<script async src="/assets/plotly.min.js" data-plotly></script>\n    '
# The module that draws a page's chart.
_CHARTS = {"experiment": "live", "law": "law", "probes": "probes", "compare": "compare", "forecasts": "forecasts"}
_STATIC = Path(__file__).parent / "static"
_IMPORTED = re.compile(r'from "\./([\w.]+)"')
_ANCHOR = '<script type="module"'
_INLINE = re.compile(r"<script>.*?</script>\s*", re.DOTALL)


@cache
def document(chart: str | None = None) -> str:
    """Streamlit's ``index.html`` with our name; what it scripts inline, ``boot.js`` does.

    Where the page has a chart, plotly.js and the ``chart`` module with what it imports are fetched and read while Streamlit begins.
    """
    source = (files("streamlit") / "static" / "index.html").read_text(encoding="utf-8")
    plain = _INLINE.sub("", source).replace("<title>Streamlit</title>", "<title>Tauscope</title>")
    ahead = "".join(f'<link rel="modulepreload" href="/assets/{name}">\n    ' for name in _modules(f"{chart}.js")) if chart else ""
    return plain.replace(_ANCHOR, _BOOT + (_PLOTLY + ahead if chart else "") + _ANCHOR, 1)


def _modules(name: str, known: frozenset[str] = frozenset()) -> list[str]:
    """A module of ours and all that it imports, each once."""
    found = [name]
    for other in _IMPORTED.findall((_STATIC / name).read_text(encoding="utf-8")):
        found += [item for item in _modules(other, known | {*found}) if item not in found] if other not in known else []
    return found


async def serve_document(request: Request) -> Response:
    """Any page's address; the page itself is chosen by Streamlit."""
    return HTMLResponse(document(_CHARTS.get(request.url.path.strip("/"))), headers={"cache-control": "no-cache"})
