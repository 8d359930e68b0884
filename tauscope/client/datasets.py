"""Data sets over HTTP: the part of the client that lists, registers and removes them."""

from pathlib import Path
from urllib.parse import quote

from tauscope.client.transport import Transport
from tauscope.contracts.datasets import DatasetCreate, DatasetView

UPLOAD_SECONDS = 3600.0


class DatasetCalls(Transport):
    """Data sets that specs can name."""

    def datasets(self) -> tuple[DatasetView, ...]:
        """Every data set that specs can name, the registered ones first."""
        return self.get("/datasets", tuple[DatasetView, ...])

    def register_dataset(self, request: DatasetCreate) -> DatasetView:
        """Register what lies at a path of the service's machine."""
        return self.call("POST", "/datasets", DatasetView, json=request.model_dump(mode="json"), timeout=UPLOAD_SECONDS)

    def upload_dataset(self, request: DatasetCreate) -> DatasetView:
        """Register the zip archive that lies at ``request.path`` of this machine; it is sent as it is read."""
        words = {"description": request.description, "licence": request.licence, "attribution": request.attribution}
        with Path(request.path).open("rb") as content:
            params = {"file": Path(request.path).name[:200], **words}
            headers = {"Content-Type": "application/zip"}
            path = _dataset(request.name) + "/archive"
            return self.call("PUT", path, DatasetView, params=params, headers=headers, content=content, timeout=UPLOAD_SECONDS)

    def remove_dataset(self, name: str) -> None:
        """Forget a registered data set."""
        self.send("DELETE", _dataset(name))

    def dataset_sheet(self, name: str) -> bytes:
        """Its first images as one PNG."""
        return self.send("GET", _dataset(name) + "/sheet.png").content


def _dataset(name: str) -> str:
    return f"/datasets/{quote(name, safe='')}"
