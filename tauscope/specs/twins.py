"""The twin of a run: the same run on other images and from other weights, with which its predictions are compared.

Slices of the data set belong together two by two, 0 and 1, 2 and 3, and so do seeds. Who is whose twin therefore does not depend
on which of them came first, and no run has two. The seed differs because networks that begin alike answer alike for as long
as they remember their beginning, whatever they are trained on.
"""

from collections.abc import Sequence

from tauscope.specs.errors import SpecError
from tauscope.specs.experiment import ExperimentSpec
from tauscope.specs.image_ddpm import ImageDdpmSpec


def twin_spec(spec: ExperimentSpec) -> ImageDdpmSpec:
    """The run's spec on the slice and with the seed that belong to its own; all else is the same. The twin's twin is the run.

    Raises:
        SpecError: if it is of a kind that has none, or begins from a checkpoint, whose images the twin would have seen.
    """
    if not isinstance(spec, ImageDdpmSpec):
        raise SpecError.single("kind", f"{spec.kind} has no twins", "Add seeds instead; images have twins")
    if spec.fork is not None:
        raise SpecError.single(
            "fork",
            "begins from a checkpoint that has learnt from images its twin must not know",
            "Add the twin of a run that starts from scratch",
        )
    dataset = spec.dataset.model_copy(update={"subset": spec.dataset.subset ^ 1})
    return spec.model_copy(update={"dataset": dataset, "seed": spec.seed ^ 1})


def find_pairs(specs: Sequence[ExperimentSpec]) -> tuple[tuple[int, int], ...]:
    """The places of the runs that are twins, the one on the even slice first: they differ in slice and seed, and in when they end.

    Of runs that differ in their end alone the first counts.
    """
    places: dict[str, int] = {}
    for place, spec in enumerate(specs):
        places.setdefault(spec.identity, place)
    pairs = []
    for place in places.values():
        spec = specs[place]
        if isinstance(spec, ImageDdpmSpec) and spec.fork is None and spec.dataset.subset % 2 == 0:
            other = places.get(twin_spec(spec).identity)
            pairs += [(place, other)] if other is not None else []
    return tuple(pairs)
