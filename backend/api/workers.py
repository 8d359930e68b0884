"""Workers: asking one to drain."""

from typing import Annotated

from fastapi import APIRouter, Path

from backend.api.parameters import UsesContext
from backend.services import workers
from tauscope.contracts.system import WorkerView

router = APIRouter(prefix="/workers/{name}", tags=["system"])

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,120}$", description="name as listed")]


@router.put("/drain")
def drain_worker(context: UsesContext, name: Name) -> WorkerView:
    """Ask a worker to write checkpoints, give its runs back and take no further one; it obeys within seconds and stays up."""
    return workers.set_draining(context, name, True)


@router.delete("/drain")
def undrain_worker(context: UsesContext, name: Name) -> WorkerView:
    """Let a worker take runs again."""
    return workers.set_draining(context, name, False)
