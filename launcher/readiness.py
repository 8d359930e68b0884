"""Whether the parts answer yet."""

import httpx


def answers_ok(url: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        # Proxies of the environment are for the outside, not for this machine.
        with httpx.Client(trust_env=False, timeout=2.0) as client:
            return client.get(url).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
