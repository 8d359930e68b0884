"""What is wrong with a spec, by field, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import ValidationError


@dataclass(frozen=True)
class FieldProblem:
    """One fault of a spec: the dotted path of the field, what is wrong with it, and the remedy."""

    path: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}. {self.remedy}"


class SpecError(ValueError):
    """A spec cannot be run as it stands; ``problems`` names every field at fault."""

    def __init__(self, problems: Iterable[FieldProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def single(cls, path: str, message: str, remedy: str) -> "SpecError":
        return cls([FieldProblem(path, message, remedy)])

    @classmethod
    def from_validation(cls, error: ValidationError, *, prefix: str = "") -> "SpecError":
        """Turn pydantic's report into problems that carry a path a person can find and a remedy."""
        return cls(_problem(dict(item), prefix) for item in error.errors(include_url=False))


def _problem(item: dict[str, object], prefix: str) -> FieldProblem:
    location = item["loc"]
    assert isinstance(location, tuple)
    # The tags of discriminated unions stand in pydantic's path but not in the user's file.
    parts = [str(part) for part in location if not _is_union_tag(part)]
    path = ".".join([*([prefix] if prefix else []), *parts]) or "spec"
    kind = str(item["type"])
    context = item.get("ctx")
    cause = context.get("error") if isinstance(context, dict) else None
    message = str(cause if cause is not None else item["msg"]).rstrip(".")
    message, _, own_remedy = message.partition(" | ")
    return FieldProblem(path, message, own_remedy or _REMEDIES.get(kind, f"It now holds {_shown(item.get('input'))}"))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


_UNION_TAGS = {
    *("image_ddpm", "adam", "sgd", "ddim", "dpm_solver", "ancestral", "log_spaced", "explicit", "budget", "copying", "window"),
    *("linear", "cosine", "log_snr", "constant", "power"),
    *("gmm", "gmm_conditional"),
    *("pixels_pca", "inception", "mobilenet_v2", "torchscript"),
}


def _is_union_tag(part: object) -> bool:
    return isinstance(part, str) and part in _UNION_TAGS


_REMEDIES = {
    "missing": "Add this field",
    "extra_forbidden": "Remove it or correct its spelling; unknown fields are refused",
    "union_tag_not_found": "Add the field that names its kind",
}
