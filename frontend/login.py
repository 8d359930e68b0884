"""The page that asks for the API's token once and leaves it in a cookie that scripts cannot read."""

from html import escape

import httpx
import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from frontend.connection import api_url
from frontend.theme import DARK, LIGHT

log = structlog.get_logger(__name__)

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in · Tauscope</title>
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/assets/fonts.css">
<style>
:root {{ {light} color-scheme: light dark }}
@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}
body {{ margin: 0; display: grid; place-items: center; min-height: 100vh; background: var(--tau-page); color: var(--tau-ink-1);
  font: 14px/20px "IBM Plex Sans", sans-serif }}
form {{ background: var(--tau-surface); border: 1px solid var(--tau-rule); border-radius: 8px; padding: 24px; width: 344px;
  box-sizing: border-box }}
h1 {{ font: 600 22px/28px "IBM Plex Sans", sans-serif; margin: 0 0 8px }} p {{ color: var(--tau-ink-2); margin: 0 0 16px }}
label {{ display: block; margin-bottom: 4px }}
input {{ width: 100%; box-sizing: border-box; padding: 8px; border: 1px solid var(--tau-rule); border-radius: 6px; font: inherit;
  background: var(--tau-page); color: inherit }}
button {{ margin-top: 16px; padding: 8px 16px; border: 0; border-radius: 6px; font: 500 14px/20px "IBM Plex Sans", sans-serif;
  background: var(--tau-action); color: var(--tau-surface) }}
:focus-visible {{ outline: 3px solid var(--tau-action); outline-offset: 2px }}
.problem {{ color: var(--tau-ink-1); border-left: 3px solid var(--tau-warning); padding-left: 8px }}
</style></head><body><form method="post" action="/login">
<h1>Tauscope</h1><p>This service asks for its token. It is kept in a cookie of this browser.</p>{problem}
<label for="token">Token</label><input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Sign in</button></form></body></html>"""


async def show_login(request: Request) -> Response:
    """The form."""
    return _page("")


async def take_login(request: Request) -> Response:
    """Exchange the token for the API's cookie and go to the experiments."""
    async with request.form() as form:
        token = str(form.get("token", ""))
    try:
        async with httpx.AsyncClient(timeout=10.0, trust_env=False) as client:
            answer = await client.post(f"{api_url()}/api/v1/session", json={"token": token}, headers=_origin(request))
    except httpx.TransportError as error:
        log.warning("api_unreachable", error=repr(error))
        return _page("The API does not answer. Start it, then try again.", status=502)
    if answer.is_error:
        return _page("The API refused this token. The administrator has it as TAUSCOPE_TOKEN.", status=401)
    response = RedirectResponse("/", status_code=303)
    for cookie in answer.headers.get_list("set-cookie"):
        response.headers.append("set-cookie", cookie)
    return response


def _origin(request: Request) -> dict[str, str]:
    return {name: request.headers[name] for name in ("host", "origin") if name in request.headers}


def _page(problem: str, *, status: int = 200) -> HTMLResponse:
    shown = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    styles = {
        name: "; ".join(f"{key}: {value}" for key, value in palette.css_variables().items()) + ";"
        for name, palette in (("light", LIGHT), ("dark", DARK))
    }
    return HTMLResponse(_PAGE.format(problem=shown, **styles), status_code=status)
