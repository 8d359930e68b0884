"""Foreseen errors in words: the field, what is wrong, the remedy. Anything else keeps its traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from rich.console import Console
from rich.text import Text

from tauscope.client import ApiError
from tauscope.specs import SpecError

BAD_INPUT = 2


@contextmanager
def report_errors() -> Iterator[None]:
    """Print a foreseen error to standard error and exit with status 2."""
    try:
        yield
    except SpecError as error:
        _fail(*(str(problem) for problem in error.problems))
    except ApiError as error:
        problem = error.problem
        fields = [f"{field.path}: {field.message}. {field.remedy}" for field in problem.errors]
        _fail(*(fields or [". ".join(part for part in (problem.detail, problem.remedy) if part)]))
    except httpx.TransportError as error:
        _fail(f"No Tauscope service answers ({error}). Start one with `tauscope up`, or name its address with --url or TAUSCOPE_URL")


def _fail(*lines: str) -> None:
    console = Console(stderr=True)
    for line in lines:
        console.print(Text(line), soft_wrap=True)
    sys.exit(BAD_INPUT)
