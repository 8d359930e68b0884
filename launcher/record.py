"""Which processes belong to the stack, on disk, so that the next start can clear what a killed supervisor left."""

import json
from pathlib import Path

from launcher.processes import end_process, started_at


class PartsRecord:
    """``parts.json``: part name to pid and the identity that tells whether the pid is still the same process."""

    def __init__(self, home: Path) -> None:
        self._path = home / "parts.json"
        self._parts: dict[str, tuple[int, str]] = {}

    def note(self, name: str, pid: int, identity: str | None) -> None:
        """Remember a part that was started."""
        if identity is None:
            return  # It has died already.
        self._parts[name] = (pid, identity)
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(self._parts), encoding="utf-8")
        part.replace(self._path)

    def clear(self) -> None:
        """Everything has ended."""
        self._parts = {}
        self._path.unlink(missing_ok=True)

    def end_orphans(self, *, grace_seconds: float) -> list[str]:
        """End what an earlier stack left, and return the names of those parts. Processes of others are never touched."""
        left = {name: (pid, identity) for name, (pid, identity) in self._read().items() if started_at(pid) == identity}
        # The broker last: what ends before it may still want to say so.
        for _, (pid, identity) in sorted(left.items(), key=lambda item: item[0] == "broker"):
            end_process(pid, identity, grace_seconds=grace_seconds)
        self.clear()
        return list(left)

    def _read(self) -> dict[str, tuple[int, str]]:
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return {str(name): (int(pid), str(identity)) for name, (pid, identity) in document.items()}
