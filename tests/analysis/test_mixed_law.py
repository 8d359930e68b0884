"""The mixed law against truths that are known because the data were drawn from them, and against closed forms."""

import numpy as np
import pytest

from tauscope.analysis.mixed_law import MixedLaw, Observation, Prior

PRIOR = Prior(exponent=1.15, exponent_error=0.25, spread_exponent=0.1, spread_runs=0.15, spread_configurations=0.5)
SIZES = (8, 16, 32, 64)


def drawn(seed: int, *, configurations: int = 40, exponent: float = 1.3, spread: float = 0.1) -> dict[str, list[Observation]]:
    """Configurations a factor e^0.4 apart, two runs at each n."""
    random = np.random.default_rng(seed)
    groups = {}
    for name in range(configurations):
        intercept = 2.0 + random.normal(0, 0.4)
        sizes = [n for n in SIZES for _ in range(2)]
        groups[str(name)] = [Observation(np.log(n), intercept + exponent * np.log(n) + random.normal(0, spread)) for n in sizes]
    return groups


def test_many_runs_give_back_the_law_they_were_drawn_from() -> None:
    law = MixedLaw.fit(drawn(1), PRIOR)
    assert law is not None
    assert law.exponent == pytest.approx(1.3, abs=0.02)  # 320 runs: standard error 0.007.
    assert law.spread_runs == pytest.approx(0.1, rel=0.1)
    assert law.spread_configurations == pytest.approx(0.4, rel=0.25)  # 40 configurations: standard error 11 %.


def test_a_configuration_with_pilots_is_foretold_from_its_own_line_and_a_new_one_from_the_common_one() -> None:
    law = MixedLaw.fit(drawn(2), PRIOR)
    assert law is not None
    far = [Observation(np.log(n), 5.0 + 1.3 * np.log(n)) for n in SIZES]  # 3 above the common intercept of 2.
    with_pilots, without = law.estimate(far, np.log(128)), law.estimate([], np.log(128))
    assert with_pilots.mean == pytest.approx(5.0 + 1.3 * np.log(128), abs=0.25)
    assert without.mean == pytest.approx(2.0 + 1.3 * np.log(128), abs=0.3)
    assert with_pilots.deviation < 0.6 * without.deviation


def test_the_deviation_that_is_claimed_is_that_of_the_errors() -> None:
    misses = []
    for seed in range(40):
        groups = drawn(seed, configurations=12)
        own = groups.pop("0")
        law = MixedLaw.fit(groups, PRIOR)
        assert law is not None
        pilots = [item for item in own if item.log_n < np.log(64)]
        made = law.estimate(pilots, np.log(64))
        misses += [(item.y - made.mean) / made.deviation for item in own if item.log_n == np.log(64)]
    # 80 errors in pairs of one configuration: the standard error of their root mean square is about 10 %. The prior's spread of
    # exponents, 0.1 where the truth is none, makes the claim wide rather than narrow.
    assert 0.6 < np.sqrt(np.mean(np.square(misses))) < 1.15


def test_a_bound_pulls_the_law_up_where_leaving_it_out_would_not() -> None:
    groups = drawn(3, spread=0.4)
    cut = {
        name: [Observation(item.log_n, 7.0, is_bound=True) if item.y > 7.0 else item for item in group] for name, group in groups.items()
    }
    dropped = {name: [item for item in group if not item.is_bound] for name, group in cut.items()}
    whole, with_bounds, without = (MixedLaw.fit(given, PRIOR) for given in (groups, cut, dropped))
    assert whole is not None and with_bounds is not None and without is not None
    truth, kept, lost = (law.estimate([], np.log(64)).mean for law in (whole, with_bounds, without))
    assert lost < kept < truth
    assert truth - kept < 0.6 * (truth - lost)


def test_without_other_configurations_the_exponent_is_the_priors_until_pilots_differ_in_n() -> None:
    law = MixedLaw.vague(PRIOR)
    one = law.estimate([Observation(np.log(8), 5.0)], np.log(16))
    assert one.exponent == pytest.approx(PRIOR.exponent, abs=1e-3)
    assert one.mean == pytest.approx(5.0 + PRIOR.exponent * np.log(2), abs=1e-3)
    # The common line's own error and the spread of lines add up: 0.25 and 0.1 over log 2, and twice the spread of runs.
    expected = np.sqrt((0.25**2 + 0.1**2) * np.log(2) ** 2 + 2 * 0.15**2)
    assert one.deviation == pytest.approx(expected, rel=1e-3)


def test_no_known_run_gives_no_law() -> None:
    assert MixedLaw.fit({}, PRIOR) is None
    assert MixedLaw.fit({"a": [Observation(2.0, 5.0, is_bound=True)]}, PRIOR) is None
