"""Hooks over HTTP: the part of the client that adds, tries and lists them."""

from collections.abc import Sequence
from urllib.parse import quote

from tauscope.client.transport import Transport
from tauscope.contracts.notifications import SUBSCRIBABLE, DeliveryView, HookCreated, HookEvent, HookView


class Hooks(Transport):
    """Who is told of onsets, warnings and ends, and how the telling went."""

    def hooks(self) -> tuple[HookView, ...]:
        """Every hook with its last delivery and its latest trouble."""
        return self.get("/webhooks", tuple[HookView, ...])

    def add_hook(
        self,
        url: str,
        *,
        events: Sequence[HookEvent | str] = SUBSCRIBABLE,
        experiment_id: str | None = None,
        secret: str | None = None,
        enabled: bool = True,
    ) -> HookCreated:
        """Add a hook; keep the ``secret`` of the answer, which is not shown again."""
        body = {"url": url, "events": list(events), "experiment_id": experiment_id, "secret": secret, "enabled": enabled}
        return self.call("POST", "/webhooks", HookCreated, json=body)

    def remove_hook(self, hook_id: str) -> None:
        """Remove a hook with its deliveries; what still waits is not sent."""
        self.send("DELETE", _hook(hook_id))

    def set_hook_enabled(self, hook_id: str, enabled: bool) -> HookView:
        """Let a hook be told, or not."""
        return self.call("PUT", _hook(hook_id) + "/enabled", HookView, json={"enabled": enabled})

    def test_hook(self, hook_id: str) -> DeliveryView:
        """Send a hook something to try it with; ``deliveries`` tells within seconds how it went."""
        return self.call("POST", _hook(hook_id) + "/test", DeliveryView)

    def deliveries(self, hook_id: str) -> tuple[DeliveryView, ...]:
        """The newest deliveries of a hook with every attempt, newest first."""
        return self.get(_hook(hook_id) + "/deliveries", tuple[DeliveryView, ...])


def _hook(hook_id: str) -> str:
    return f"/webhooks/{quote(hook_id, safe='')}"
