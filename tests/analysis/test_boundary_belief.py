"""The belief about a boundary against sums over all its places, and what it says at the ends of its grid."""

import itertools
import math

import numpy as np
import pytest

from tauscope.analysis.boundary_belief import SPREAD, Answer, Belief

N, WIDTHS = (8, 16, 32), (8, 16)
ANSWERS = (Answer(8, 8, beyond=False), Answer(32, 8, beyond=True), Answer(16, 16, beyond=False), Answer(16, 16, beyond=False, doubt=0.1))


def by_enumeration() -> np.ndarray:
    """Every pair of gaps at the two widths, one by one."""
    places = np.log([8 / math.sqrt(2), 8 * math.sqrt(2), 16 * math.sqrt(2), 32 * math.sqrt(2)])
    total = np.zeros((2, 4))
    for first, second in itertools.product(range(4), range(4)):
        walk = np.exp(-np.abs(places[first] - places) / (2 * math.log(2)))
        weight = walk[second] / walk.sum()
        for answer in ANSWERS:
            place = places[(first, second)[WIDTHS.index(answer.width)]]
            right = 0.5 * (1 + math.erf((math.log(answer.n) - place) / SPREAD / math.sqrt(2)))
            beyond = answer.doubt + (1 - 2 * answer.doubt) * right
            weight *= beyond if answer.beyond else 1 - beyond
        total[0, first] += weight
        total[1, second] += weight
    return total / total.sum(1, keepdims=True)


def test_the_chain_gives_what_summing_over_every_place_gives() -> None:
    np.testing.assert_allclose(Belief.given(N, WIDTHS, ANSWERS).gap, by_enumeration(), rtol=1e-10)


def test_without_answers_nothing_is_known_and_the_middle_tells_most() -> None:
    belief = Belief.given((8, 16, 32), (8,), ())
    assert not belief.known(8) and belief.between(8) == (None, None)
    falls = [
        sum(share * belief.fall(Answer(n, 8, beyond)) for beyond, share in ((True, belief.beyond(n, 8)), (False, 1 - belief.beyond(n, 8))))
        for n in N
    ]
    assert falls[1] == max(falls)
    assert falls[1] == pytest.approx(1, abs=0.06)  # A bit, less what the 0.5 % of mistaken runs take.


def test_two_neighbours_on_either_side_make_it_known_and_the_next_width_likelier() -> None:
    belief = Belief.given((8, 16, 32, 64), (8, 16), (Answer(16, 8, beyond=False), Answer(32, 8, beyond=True)))
    assert belief.known(8) and belief.between(8) == (16, 32)
    assert not belief.known(16) and belief.gap[1].argmax() == 2


def test_a_boundary_beyond_the_grid_is_known_to_lie_there() -> None:
    belief = Belief.given((8, 16), (8,), (Answer(16, 8, beyond=False),))
    assert belief.known(8) and belief.between(8) == (16, None)


def test_an_answer_among_many_that_contradicts_them_makes_it_no_longer_known() -> None:
    agreed = [Answer(16, 8, beyond=False), Answer(32, 8, beyond=True)]
    assert Belief.given((16, 32), (8,), agreed).known(8)
    assert not Belief.given((16, 32), (8,), [*agreed, Answer(32, 8, beyond=False)]).known(8)
