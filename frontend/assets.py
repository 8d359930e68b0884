"""Our own scripts, styles and fonts, under an address that names their content: a browser keeps them without asking again."""

import hashlib
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"


@cache
def assets() -> str:
    """The address below which the files are; another one with every change of any of them."""
    digest = hashlib.sha256()
    for path in sorted(file for file in STATIC.rglob("*") if file.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(STATIC)} {len(content)} ".encode() + content)
    return f"/assets/{digest.hexdigest()[:16]}"


class KeptFiles(StaticFiles):
    """Files that stay what they are as long as their address does."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, to be kept for a year."""
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response
