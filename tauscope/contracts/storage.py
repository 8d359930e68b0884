"""The space that artifacts take."""

from pydantic import Field

from tauscope.contracts.model import Contract


class StorageView(Contract):
    """Space taken and left; sizes in bytes."""

    bytes_used: int = Field(0, description="sum of all artifacts, each counted once")
    quota_bytes: int | None = Field(None, description="TAUSCOPE_QUOTA_GB, where it is set")
    free_bytes: int | None = Field(None, description="space left on the disk of the artifacts, where that is this machine's")
    warning: str = Field("", description="from 80 % of the quota on: how full, and what to do")

    @property
    def words(self) -> str:
        """How much of what, in one line."""
        quota = f" of {size_words(self.quota_bytes)}" if self.quota_bytes is not None else ""
        free = f", {size_words(self.free_bytes)} free on the disk" if self.free_bytes is not None else ""
        return f"{size_words(self.bytes_used)}{quota} of artifacts{free}"


def size_words(n_bytes: int) -> str:
    """``1.5 GB``, or the unit below that fits; decimal units, as disks and quotas are sold."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if n_bytes >= unit:
            return f"{n_bytes / unit:.1f} {name}"
    return f"{n_bytes} B"
