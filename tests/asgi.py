"""Starlette's client for tests of what answers over HTTP."""

import warnings

with warnings.catch_warnings():
    # It asks for a successor of httpx, which nothing else here needs.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

__all__ = ["TestClient"]
