"""Which images a sheet holds, as an address writes them: ``0-255``, ``3,17,40-47``."""

from backend.services.experiments import invalid_field

COLUMNS = 16
MAX_IMAGES = 1024
PATTERN = r"^[0-9]{1,9}(-[0-9]{1,9})?(,[0-9]{1,9}(-[0-9]{1,9})?)*$"


def parse_numbers(text: str | None) -> tuple[int, ...] | None:
    """The numbers in their order, which is that of the tiles; ``None`` for those of the first full sheet.

    Raises:
        InvalidRequestError: if a range runs backwards, or they are more than a sheet holds.
    """
    if text is None:
        return None
    ranges = [_range(part) for part in text.split(",")]
    # Counted before anything is listed: a range of a billion costs nothing.
    if sum(map(len, ranges)) > MAX_IMAGES:
        raise invalid_field("query.images", f"are more than the {MAX_IMAGES} that a sheet holds", "Ask for several sheets")
    return tuple(number for part in ranges for number in part)


def _range(part: str) -> range:
    first, _, last = part.partition("-")
    found = range(int(first), int(last or first) + 1)
    if not found:
        raise invalid_field("query.images", f"holds {part}, which runs backwards", "Write the smaller number first")
    return found
