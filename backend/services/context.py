"""What every service needs, made once by the app factory."""

from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from backend.services.closing import Closing
from backend.services.copied_cache import CopiedCache
from backend.services.curve_cache import CurveCache
from backend.services.figure_cache import FigureCache
from backend.services.fits import FitCache
from backend.services.image_cache import ImageCache
from backend.services.pools import PoolCache
from backend.settings import ApiSettings
from backend.storage.artifacts import ArtifactStore
from backend.storage.outbox import Outbox


@dataclass(frozen=True)
class Context:
    """Settings, storage, and what is remembered between requests."""

    settings: ApiSettings
    engine: Engine
    sessions: sessionmaker[Session]
    outbox: Outbox
    artifacts: ArtifactStore
    fits: FitCache
    images: ImageCache
    copied: CopiedCache
    curves: CurveCache
    figures: FigureCache
    phases: FigureCache
    warnings: PoolCache
    closing: Closing
