"""Hooks: who is told of onsets, warnings and ends, and how it went."""

from fastapi import APIRouter

from backend.api.parameters import Id, UsesContext
from backend.services import webhooks
from tauscope.contracts.notifications import DeliveryView, HookChange, HookCreate, HookCreated, HookView

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


@router.get("")
def list_hooks(context: UsesContext) -> tuple[HookView, ...]:
    """Every hook with its last delivery and its latest trouble, without secrets."""
    return webhooks.hooks(context)


@router.post("", status_code=201)
def create_hook(context: UsesContext, request: HookCreate) -> HookCreated:
    """Add a hook. The answer holds its secret, which is shown this once."""
    return webhooks.create(context, request)


@router.delete("/{hook_id}", status_code=204)
def delete_hook(context: UsesContext, hook_id: Id) -> None:
    """Remove a hook with its deliveries; what still waits is not sent."""
    webhooks.delete(context, hook_id)


@router.put("/{hook_id}/enabled")
def set_hook_enabled(context: UsesContext, hook_id: Id, change: HookChange) -> HookView:
    """Let a hook be told, or not."""
    return webhooks.set_enabled(context, hook_id, change.enabled)


@router.post("/{hook_id}/test", status_code=202)
def test_hook(context: UsesContext, hook_id: Id) -> DeliveryView:
    """Send the hook something to try it with, as all is sent: by the reconciler, within seconds."""
    return webhooks.try_out(context, hook_id)


@router.get("/{hook_id}/deliveries")
def list_deliveries(context: UsesContext, hook_id: Id) -> tuple[DeliveryView, ...]:
    """The newest deliveries with the status, duration and error of every attempt."""
    return webhooks.deliveries_of(context, hook_id)
