"""Data sets under a name: registering, removing and showing them, and pinning a run to what its name stands for."""

import base64
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import structlog
from sqlalchemy.exc import IntegrityError

from backend.services.context import Context
from backend.services.errors import DatasetInUseError, UnknownDatasetError
from backend.services.experiments import invalid_field
from backend.services.images import sheet_of
from backend.storage import datasets
from backend.storage.listing import count_datasets
from backend.storage.reading import reading
from backend.storage.tables import Dataset
from tauscope.contracts.datasets import NAME_REMEDY, DatasetCreate, DatasetView, is_name
from tauscope.datasets import DATASETS, DatasetError, dataset_views, find_dataset
from tauscope.datasets.card import READ_ALL, read_card, sheet
from tauscope.datasets.image_list import ImageList
from tauscope.datasets.images import ALIASES
from tauscope.datasets.registered import archive_file
from tauscope.specs import ResolvedRun

SHEET_COLUMNS = 8

log = structlog.get_logger()


def views(context: Context) -> tuple[DatasetView, ...]:
    """Every data set that specs can name, the registered ones first."""
    with reading(context.sessions) as session:
        used, rows = count_datasets(session), datasets.registered(session)
    own = [_view(row, used.get(row.name, 0)) for row in rows]
    return (*own, *(view.model_copy(update={"n_experiments": used.get(view.name, 0)}) for view in dataset_views()))


def names(context: Context) -> tuple[str, ...]:
    """The names of the registered data sets."""
    with reading(context.sessions) as session:
        return tuple(row.name for row in datasets.registered(session))


def register_path(context: Context, request: DatasetCreate) -> DatasetView:
    """Give what lies at a path below a configured root a name.

    Raises:
        InvalidRequestError: if the name or the path will not do.
    """
    check_name(context, request.name)
    path = _below_roots(context, request.path)
    return _insert(context, request.model_copy(update={"path": str(path)}), path, None, 0)


def register_archive(context: Context, request: DatasetCreate, uploaded: Path) -> DatasetView:
    """Give an uploaded zip archive a name; it is checked, never unpacked, and kept in the artifact store for every worker.

    Raises:
        InvalidRequestError: if the archive is unsafe or holds no images, or the name was taken meanwhile.
    """
    _open(uploaded, request.path)  # Before anything of it is kept.
    sha256, n_bytes = context.artifacts.put(uploaded)
    kept = archive_file(sha256)
    context.artifacts.fetch(sha256, kept)  # As every worker does.
    return _insert(context, request, kept, sha256, n_bytes)


def remove(context: Context, name: str) -> None:
    """Forget a registered data set; what a path leads to stays, an archive goes with the garbage.

    Raises:
        UnknownDatasetError: if there is none.
        DatasetInUseError: if runs on it are not over.
    """
    with context.sessions.begin() as session:
        row = session.get(Dataset, name)
        if row is None:
            raise UnknownDatasetError(name)
        if going_on := datasets.going_on(session, name):
            raise DatasetInUseError(
                f"{going_on} run{'s' * (going_on > 1)} on {name} {'are' if going_on > 1 else 'is'} not over", "Stop them first, or wait"
            )
        session.delete(row)
    log.info("dataset_removed", dataset=name)


def sheet_png(context: Context, name: str) -> bytes:
    """The first images as one PNG.

    Raises:
        UnknownDatasetError: if there is none, or its images are not on this machine.
    """
    with reading(context.sessions) as session:
        row = session.get(Dataset, name)
    if row is not None:
        return base64.b64decode(row.sheet)
    source = DATASETS.get(name)
    if source is None or source.missing(None):
        raise UnknownDatasetError(name)
    return _built_in_sheet(name)


def pinned(context: Context, runs: Sequence[ResolvedRun]) -> tuple[ResolvedRun, ...]:
    """The runs, each on a registered data set with what its name stands for.

    Raises:
        SpecError: if a name stands for nothing.
    """
    with reading(context.sessions) as session:
        return datasets.pin_datasets(session, runs)


@lru_cache(maxsize=32)
def _built_in_sheet(name: str) -> bytes:
    return _drawn(DATASETS[name].open(None))


def _drawn(images: ImageList) -> bytes:
    return sheet_of(sheet(images), columns=SHEET_COLUMNS, scale=1).png


def check_name(context: Context, name: str) -> None:
    """Refuse a name that is none, or taken.

    Raises:
        InvalidRequestError: at ``name``.
    """
    if not is_name(name):
        raise invalid_field("name", f"{name!r} is no name", NAME_REMEDY)
    with reading(context.sessions) as session:
        taken = session.get(Dataset, name) is not None
    if taken or name in DATASETS or name in ALIASES:
        raise _name_taken(name)


def _name_taken(name: str) -> Exception:
    return invalid_field("name", f"{name} is taken", "Choose another name, or remove the data set that has it")


def _below_roots(context: Context, text: str) -> Path:
    """The path itself, links followed, if that is below a root."""
    roots = context.settings.data_roots
    if not text.strip():
        raise invalid_field("path", "no path is given", "Name the folder or the file that holds the images")
    if not roots:
        remedy = 'Start the API with TAUSCOPE_DATA_ROOTS=["/folder/of/data"], or upload a zip archive'
        raise invalid_field("path", "cannot be registered: this service has no folder for data sets", remedy)
    path = Path(text).expanduser().resolve()
    if not any(path.is_relative_to(root.expanduser().resolve()) for root in roots):
        named = ", ".join(str(root) for root in roots)
        raise invalid_field(
            "path", f"{text} is not below a folder for data sets", f"Put the data into {named}; links that lead out are refused"
        )
    return path


def _open(path: Path, shown: str) -> ImageList:
    try:
        return find_dataset(datasets.FORMAT).open(str(path))
    except DatasetError as error:
        # The name under which the upload lies here says nothing to whoever sent it.
        raise invalid_field("path", error.message.replace(str(path), shown), error.remedy) from error


def _insert(context: Context, request: DatasetCreate, place: Path, sha256: str | None, n_bytes: int) -> DatasetView:
    images = _open(place, request.path)
    row = Dataset(
        name=request.name,
        path=None if sha256 else str(place),
        sha256=sha256,
        fingerprint=images.fingerprint(),
        description=request.description or f"Registered here: {request.path}",
        licence=request.licence or "not stated",
        attribution=request.attribution,
        card=read_card(images).document,
        sheet=base64.b64encode(_drawn(images)).decode(),
    )
    try:
        with context.sessions.begin() as session:
            datasets.insert(session, row, n_bytes)
    except IntegrityError as error:  # Somebody else registered the name at the same moment.
        raise _name_taken(request.name) from error
    log.info("dataset_registered", dataset=row.name, images=row.card["n_images"], uploaded=sha256 is not None)
    return _view(row, 0)


def _view(row: Dataset, n_experiments: int) -> DatasetView:
    card = row.card
    lack = "" if row.path is None else find_dataset(datasets.FORMAT).missing(row.path)
    return DatasetView(
        name=row.name,
        description=row.description,
        size=card["sizes"],
        licence=row.licence,
        source=f"{row.path}, which must exist on every worker too"
        if row.path
        else "an uploaded archive, which workers fetch by themselves",
        attribution=row.attribution,
        coloured=True,
        available=not lack,
        remedy=lack,
        registered=True,
        changed=_changed(row),
        n_experiments=n_experiments,
        **{name: card[name] for name in ("n_images", "n_classes", "n_unreadable", "n_equal", "n_near")},
    )


def _changed(row: Dataset) -> bool:
    """Whether the files at a path are others than were looked at; of many that is not asked, for it takes a second."""
    if row.path is None or row.card["n_images"] > READ_ALL:
        return False
    try:
        return find_dataset(datasets.FORMAT).open(row.path).fingerprint() != row.fingerprint
    except DatasetError:
        return False  # Not there: the card says so.
