"""What a page of ours may load and run: nothing but what this origin serves (docs/decisions/0010)."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = {
    "default-src": "'self'",
    # Streamlit imports the module of a component from a blob it made; no inline script, no eval.
    "script-src": "'self' blob:",
    # Streamlit and plotly.js write style elements and attributes at run time, without a nonce.
    "style-src": "'self' 'unsafe-inline'",
    # plotly.js draws downloads from a data or blob address, and Streamlit its icons.
    "img-src": "'self' data: blob:",
    # The font of mathematics is inlined in Streamlit's style sheet.
    "font-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}

HEADERS = {
    "content-security-policy": "; ".join(f"{name} {sources}" for name, sources in _POLICY.items()),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}


class SecurityHeaders:
    """Puts the headers on every answer; one that the API chose for itself stands."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, and add what is missing to the head of the answer."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
