"""The HTML document of every page: Streamlit's own, without inline scripts."""

import re
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from frontend.assets import assets

# The parts of Streamlit that nearly every page shows, each in a script of its own that it would load when the page's first words are there.
_PARTS = ("Html", "Button", "ButtonGroup", "TextInput", "Selectbox", "BidiComponent")

# What is asked for early does not wait for the other scripts.
_BOOT = f"""<script src="{assets()}/boot.js"></script>
    <script type="module" async src="{assets()}/early.js" data-parts="%s"></script>
    <script type="module" src="{assets()}/keys.js"></script>
    <script type="module" src="{assets()}/passage.js"></script>
    """
_ANCHOR = '<script type="module"'
_INLINE = re.compile(r"<script>.*?</script>\s*", re.DOTALL)


@cache
def document() -> str:
    """Streamlit's ``index.html`` with our name; what it scripts inline, ``boot.js`` does."""
    static = files("streamlit") / "static"
    source = (static / "index.html").read_text(encoding="utf-8")
    plain = _INLINE.sub("", source).replace("<title>Streamlit</title>", "<title>Tauscope</title>")
    scripts = (item.name for item in (static / "static" / "js").iterdir())
    parts = " ".join(sorted(f"/static/js/{name}" for name in scripts if name.partition(".")[0] in _PARTS))
    return plain.replace(_ANCHOR, _BOOT % parts + _ANCHOR, 1)


async def serve_document(request: Request) -> Response:
    """Any page's address; the page itself is chosen by Streamlit."""
    return HTMLResponse(document(), headers={"cache-control": "no-cache"})
