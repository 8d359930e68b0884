"""The client of the HTTP interface: synchronous, typed, and the only one; pages, commands and scripts use it alike."""

from tauscope.client.client import TauscopeClient
from tauscope.client.errors import ApiError, ApiUnreachable
from tauscope.client.stream import StreamEvent
from tauscope.client.webhooks import SignatureError, verify_webhook

__all__ = ["ApiError", "ApiUnreachable", "SignatureError", "StreamEvent", "TauscopeClient", "verify_webhook"]
