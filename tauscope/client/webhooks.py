"""Signatures of notifications, for those who send them and those who receive them.

They follow Standard Webhooks (https://www.standardwebhooks.com), so that its libraries in other languages verify them too.
"""

import base64
import binascii
import hmac
import secrets
import time
from collections.abc import Mapping

from tauscope.contracts.notifications import Announcement

PREFIX = "whsec_"
SECRET_BYTES = (24, 64)
TOLERANCE_SECONDS = 300.0


class SignatureError(ValueError):
    """A request that no hook of this secret sent, or an old one sent again."""


def new_secret() -> str:
    """A secret of 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def check_secret(secret: str) -> str:
    """The secret itself.

    Raises:
        SignatureError: if it is no secret of this form.
    """
    _key(secret)
    return secret


def signed_headers(secret: str, delivery_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that vouch for a body: its id, Unix time in seconds, and ``v1,`` with HMAC-SHA256 over id, time and body in base64."""
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{_signature(secret, delivery_id, timestamp, body)}",
    }


def verify_webhook(
    secret: str, headers: Mapping[str, str], body: bytes, *, tolerance: float = TOLERANCE_SECONDS, now: float | None = None
) -> Announcement:
    """Check that a request comes from a hook with this secret and is no older than ``tolerance`` seconds, and read it.

    Give the body as it came, not parsed and written again. A delivery may come more than once: remember ``webhook-id``.

    Raises:
        SignatureError: if a header is missing, the time is too far from ``now``, or no signature fits.
        pydantic.ValidationError: if the body is signed but no announcement.
    """
    given = {name.lower(): value for name, value in headers.items()}
    missing = [name for name in ("webhook-id", "webhook-timestamp", "webhook-signature") if name not in given]
    if missing:
        raise SignatureError(f"the request has no header {missing[0]}")
    timestamp = _seconds(given["webhook-timestamp"])
    away = abs((time.time() if now is None else now) - timestamp)
    if away > tolerance:
        raise SignatureError(f"the request was signed {away:.0f} s from now; at most {tolerance:.0f} s are accepted. Check both clocks")
    expected = _signature(secret, given["webhook-id"], timestamp, body).encode()
    offered = [part.partition(",") for part in given["webhook-signature"].split()]
    if not any(version == "v1" and hmac.compare_digest(signature.encode(), expected) for version, _, signature in offered):
        raise SignatureError("no signature fits this secret and body")
    return Announcement.model_validate_json(body)


def _signature(secret: str, delivery_id: str, timestamp: int, body: bytes) -> str:
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode()


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not SECRET_BYTES[0] <= len(key) <= SECRET_BYTES[1]:
        raise SignatureError(f"a secret is {PREFIX} and {SECRET_BYTES[0]} to {SECRET_BYTES[1]} bytes in base64")
    return key


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise SignatureError("the header webhook-timestamp is no whole number of seconds")
    return int(text)
