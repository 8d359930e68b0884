"""Health, readiness, the state of the service, and sessions of browsers."""

from fastapi import APIRouter, Request, Response

from backend.api.guard import COOKIE, same_secret
from backend.api.parameters import UsesContext
from backend.services import diagnosis, retention, system
from backend.services.errors import UnauthorizedError
from tauscope.contracts.diagnosis import DiagnosisView
from tauscope.contracts.retention import GarbageReport, PruneRequest
from tauscope.contracts.system import SessionCreate, Status, SystemView

router = APIRouter(tags=["system"])


@router.get("/health")
def get_health() -> Status:
    """Answers as long as the process is up."""
    return Status(status="up")


@router.get("/ready", responses={503: {"description": "Something is missing; the problem names it"}})
def get_ready(context: UsesContext) -> Status:
    """Answers when database, schema and broker are there."""
    system.check_ready(context)
    return Status(status="ready")


@router.get("/system")
def get_system(context: UsesContext) -> SystemView:
    """Version, queue and workers."""
    return system.system(context)


@router.get("/diagnosis")
def get_diagnosis(context: UsesContext) -> DiagnosisView:
    """What the service says of its parts, queues and code versions, and its latest failures."""
    return diagnosis.diagnosis(context)


@router.post("/system/garbage")
def collect_garbage(context: UsesContext, request: PruneRequest) -> GarbageReport:
    """Remove the files that no run refers to, once they are past the grace age; by default only count them."""
    return retention.collect_garbage(context, dry_run=request.dry_run)


@router.post("/session", status_code=204)
def create_session(context: UsesContext, body: SessionCreate, request: Request, response: Response) -> None:
    """Exchange the token for a cookie, which browsers send with images and event streams."""
    token = context.settings.token
    if token is None:
        return
    if not same_secret(body.token.get_secret_value(), token.get_secret_value()):
        raise UnauthorizedError("The token is not this server's", "Ask whoever started the server for TAUSCOPE_TOKEN")
    response.set_cookie(COOKIE, token.get_secret_value(), httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/")
