"""How what is told of random features is named, defined and drawn."""

import math
from collections.abc import Iterable, Iterator
from typing import Literal

from tauscope.contracts.points import MetricInfo
from tauscope.specs.random_features import LoopSpec, RandomFeaturesSpec, RfSpectrumSpec, SolvedSpec
from tauscope.theory.rf_spectrum import largest_eigenvalue

Role = Literal["quality", "memorization", "loss", "warning", "distance"]

# Of eigenvalues of U in descending order: what the first d, the next up to the n-th, and the others follow.
GROUP_WORDS = {"population": "the d largest eigenvalues", "points": "eigenvalues d + 1 to n", "rest": "all other eigenvalues"}


def random_features_infos(spec: RandomFeaturesSpec) -> Iterable[MetricInfo]:
    """Losses, E_score and gaps of the run, those of the closed form beside a loop, and what groups of eigenvalues add."""
    loop = isinstance(spec.dynamics, LoopSpec)
    yield from _told(spec, "", "" if loop else ", in closed form")
    if loop and spec.has_closed_form:
        yield from _told(spec, "_theory", ", by the closed form of gradient descent")
    if spec.has_closed_form:
        yield from _modes(spec)
    if spec.bulks_known:
        for place in _places(spec):
            yield from _bulk(place, f"steps of eta = {spec.rate:g}")
            yield MetricInfo(
                name=f"bulk_gap@{place}",
                label=f"bulk {place}, part of the final gap",
                unit="share of the final gap",
                role="distance",
                definition="What as many eigenvalues of U as the bulk holds, counted from the largest down, have in test - training loss "
                f"after infinitely long training. Mean and 95 % Student interval over {spec.draws} draws.",
            )


def _told(spec: RandomFeaturesSpec, suffix: str, how: str) -> Iterator[MetricInfo]:
    closing = f" {_mean(spec)}"

    def info(name: str, label: str, unit: str, role: Role, definition: str, *, log: bool = False) -> MetricInfo:
        role = role if not suffix else "distance"
        return MetricInfo(
            name=name + suffix, label=label + how, unit=unit, role=role, definition=f"{definition}{how}.{closing}", log_scale=log
        )

    a_component = "squared error of xi per component"
    yield info("score_error", "E_score", "squared error of the score per component", "quality", _SCORE, log=True)
    yield info("loss_held_out", "test loss", a_component, "quality", f"{_LOSS}, over the population")
    yield info("loss_train", "training loss", a_component, "loss", f"{_LOSS}, over the training points")
    yield info("gap_share", "gap, share of its limit", "share of the final gap", "memorization", _GAP_SHARE)
    yield info("loss_gap", "relative loss gap", "share of the test loss", "warning", "(test - training loss) / test loss")


_SCORE = "(1/d) E|s_A(x_t) - grad log P_t(x_t)|^2 over the population, from the test loss and the known covariance of x_t"
_LOSS = "(1/d) E|sqrt(Delta) s_A(x_t) + xi|^2 over all noise"
_GAP_SHARE = "(test - training loss) / what it comes to after infinitely long training of the same draw"


def _modes(spec: RandomFeaturesSpec) -> Iterator[MetricInfo]:
    for loss, words in (("train", "training"), ("test", "test")):
        for group, which in GROUP_WORDS.items():
            yield MetricInfo(
                name=f"mode_{loss}@{group}",
                label=f"part of the {words} loss from {which}",
                unit="squared error of xi per component",
                role="distance",
                definition=f"What {which} of U add to the {words} loss beside 1, in closed form. {_mean(spec)}",
            )


def _mean(spec: RandomFeaturesSpec) -> str:
    times = f"tau = k eta / d^2 = {spec.rate / spec.d**2:g} k after k steps"
    return f"Mean and 95 % Student interval over {spec.draws} draws of first layer and training points; {times}."


def rf_spectrum_infos(spec: RfSpectrumSpec) -> Iterable[MetricInfo]:
    """Atom, bulks, their masses and time scales, and the histogram bin by bin."""
    yield _plain("l1", "L1 distance of histogram and density", "share of the continuous mass", _L1.format(draws=spec.draws))
    yield _plain("atom", "atom", "eigenvalue of U", "s^2, the eigenvalue of all directions that no data reach.")
    yield _plain("mass_atom", "mass of the atom", "share of eigenvalues", "1 - (1 + psi_n) / psi_p.")
    yield _plain("mass_continuous", "mass of the bulks", "share of eigenvalues", "The density, integrated over all bulks that were found.")
    yield _plain("mass_expected", "mass the bulks must have", "share of eigenvalues", "(1 + psi_n) / psi_p.")
    for place in _places(spec):
        yield from _bulk(place, "tau")
    for at in _bins(spec):
        where = f"log10 lambda from {at}, {1 / spec.measurement.bins_per_decade:.3f} wide"
        yield _plain(f"rho_sampled@{at}", f"sampled, {where}", "share of eigenvalues", f"Share of all p eigenvalues of {spec.draws} draws.")
        yield _plain(f"rho_theory@{at}", f"theory, {where}", "share of eigenvalues", "The limiting density, integrated over the bin.")


_L1 = "Sum over bins of |sampled - predicted share| / the continuous mass, of each of {draws} draws; mean and 95 % Student interval."


def _places(spec: SolvedSpec) -> range:
    """Of bulks, at most."""
    return range(1, 2 + 2 * len(spec.sigma.levels) + 1)


def _bulk(place: int, unit: str) -> Iterator[MetricInfo]:
    which = f"bulk {place}"
    yield _plain(f"bulk_low@{place}", f"{which}, lower end", "eigenvalue of U", "Bulks are counted from the largest eigenvalues down.")
    yield _plain(f"bulk_median@{place}", f"{which}, median", "eigenvalue of U", "Half of the bulk's mass lies below.")
    yield _plain(f"bulk_high@{place}", f"{which}, upper end", "eigenvalue of U", "The end of the density.")
    yield _plain(f"bulk_mass@{place}", f"{which}, mass", "share of eigenvalues", "The density, integrated over the bulk.")
    yield _plain(
        f"bulk_tau@{place}", f"{which}, time scale", unit, "tau = psi_p / (2 Delta lambda) at the bulk's median: 1/e of it is left."
    )


def _bins(spec: RfSpectrumSpec) -> Iterator[str]:
    a_decade = spec.measurement.bins_per_decade
    first = math.floor(math.log10(spec.model.constants.s2) * a_decade)
    last = math.ceil(math.log10(2 * largest_eigenvalue(spec.model)) * a_decade)
    return (f"{place / a_decade:.3f}" for place in range(first, last + 1))


def _plain(name: str, label: str, unit: str, definition: str) -> MetricInfo:
    return MetricInfo(name=name, label=label, unit=unit, role="distance", definition=definition, log_scale=name.startswith("rho_"))
