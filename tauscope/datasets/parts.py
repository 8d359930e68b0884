"""The parquet files of a data set from the Hugging Face Hub, in the order of its parts."""

from pathlib import Path

from tauscope.datasets.natural_order import natural_order

FOLDERS = ("", "data", "plain_text", "fashion_mnist")


def parquet_parts(root: Path) -> list[Path]:
    """Training files first, then those of the test part; empty unless there are both. A folder below that the Hub uses will do."""
    for folder in FOLDERS:
        parts = [natural_order((root / folder).glob(f"{part}-*.parquet")) for part in ("train", "test")]
        if all(parts):
            return [file for part in parts for file in part]
    return []
