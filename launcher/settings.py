"""Settings of ``up``, read from ``TAUSCOPE_*`` where the command line does not give them."""

from pathlib import Path

from pydantic import Field

from backend.storage.settings import StorageSettings

HOST = "127.0.0.1"


class UpSettings(StorageSettings):
    """Where the stack listens and keeps its data. It listens on loopback; a deployment starts its parts one by one."""

    port: int = Field(8501, ge=1, le=65535, description="port of the dashboard, the only address a browser needs")
    api_port: int = Field(8500, ge=1, le=65535, description="port of the API; the dashboard passes /api on to it")
    ready_seconds: float = Field(90.0, gt=0, description="how long the parts may take to answer after the start")

    @property
    def address(self) -> str:
        """The dashboard's address."""
        return f"http://{HOST}:{self.port}"

    @property
    def api_address(self) -> str:
        """The API's own address."""
        return f"http://{HOST}:{self.api_port}"

    @property
    def embeds_broker(self) -> bool:
        """Whether ``up`` brings its own broker, which it does unless one is named."""
        return "broker_url" not in self.model_fields_set

    @property
    def logs(self) -> Path:
        """One log file for each part."""
        return self.home / "logs"
