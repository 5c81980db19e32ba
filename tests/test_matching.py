"""Matching: hand cases, brute force on small ones, and a clear reason where there is no fair comparison."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from whatworks_eval.errors import CannotEstimate, DataError, ProtocolError
from whatworks_eval.matching.balance import balance, effective_size
from whatworks_eval.matching.distances import (
    Positions,
    mahalanobis,
    robust_mahalanobis,
    score_difference,
)
from whatworks_eval.matching.match import Match, match
from whatworks_eval.matching.nearest import nearest_with_replacement, nearest_without_replacement
from whatworks_eval.matching.optimal import optimal
from whatworks_eval.matching.propensity import propensity
from whatworks_eval.matching.support import support

Floats = NDArray[np.float64]


def arms_of(treated: int, pool: int) -> NDArray[np.bool_]:
    """Treated areas first."""
    return np.arange(treated + pool) < treated


def on_score(values: list[float], treated: int, **options: Any) -> Match:
    """A match on one score; the treated areas come first."""
    score = np.array(values)[:, None]
    options = {"distance": "score"} | options
    return match(score, arms_of(treated, len(values) - treated), names=["score"], **options)


def test_nearest_takes_every_tie() -> None:
    """Two areas at the same distance are both used, half each; the third is not."""
    found = on_score([5.0, 4.0, 6.0, 9.0], 1)
    assert found.pairs.tolist() == [[0, 1], [0, 2]]
    assert found.weights.tolist() == [0.0, 0.5, 0.5, 0.0]
    assert found.used.tolist() == [1, 2]
    assert found.of(0).tolist() == [1, 2]
    assert found.mean_of(np.array([0.0, 10.0, 20.0, 99.0])).tolist() == [15.0]
    assert found.distance == "difference in score"


def test_nearest_reuses_and_without_replacement_does_not() -> None:
    """With replacement both take 4.9; without, the one further from the pool's mean has first choice."""
    values = [5.0, 5.5, 4.9, 3.0, 1.0]
    assert on_score(values, 2).pairs.tolist() == [[0, 2], [1, 2]]
    assert on_score(values, 2).weights.tolist() == [0, 0, 2.0, 0, 0]
    assert on_score(values, 2, replacement=False).pairs.tolist() == [[0, 3], [1, 2]]


def test_several_for_each() -> None:
    """Two for each treated area: the two nearest, half each."""
    found = on_score([5.0, 1.0, 3.0, 4.5, 9.0], 1, per_treated=2)
    assert found.pairs.tolist() == [[0, 2], [0, 3]]
    assert found.shares.tolist() == [0.5, 0.5]


def test_caliper_lets_go_and_says_so() -> None:
    """Pool SD of 1, 2, 3 is 1: 2.4 SD away is beyond a caliper of 1, and is listed with the reason."""
    found = on_score([3.5, 5.4, 1.0, 2.0, 3.0], 2, distance="mahalanobis", caliper=1.0)
    assert found.matched.tolist() == [0]
    assert found.unmatched == {1: "no area within 1 SD is left to choose"}
    with pytest.raises(CannotEstimate, match=r"within 0\.1 SD is left to choose \(2 treated\)"):
        on_score([3.5, 5.4, 1.0, 2.0, 3.0], 2, distance="mahalanobis", caliper=0.1)


def test_unknown_features_and_strata_are_listed() -> None:
    """NaN is unknown, not zero: the area is neither matched nor chosen, and the reason names the feature."""
    treated = [[1.0, 1.0], [np.nan, 2.0], [3.0, 4.0]]
    pool = [[1.0, np.nan], [1.1, 1.3], [2.0, 9.0], [7.0, 1.0], [9.0, 5.0]]
    labels = ["A", "A", "B", "A", "A", None, "A", "A"]
    found = match(np.array([*treated, *pool]), arms_of(3, 5), names=["imd", "level"], exact=labels)
    assert found.pairs.tolist() == [[0, 4]]
    assert found.unmatched == {1: "IMD not known", 2: "no area that could be chosen shares its stratum"}
    assert found.not_usable == {3: "level not known", 5: "the stratum it must be matched in is not known"}


def test_exact_strata_are_never_crossed() -> None:
    """The nearest area of all lies in another force and is left alone, by every algorithm with pairs."""
    values = [5.0, 5.1, 2.0, 5.05, 9.0]
    labels = ["Avon", "Gwent", "Avon", "Gwent", "Gwent"]
    for options in ({}, {"replacement": False}, {"algorithm": "optimal"}):
        found = on_score(values, 2, exact=labels, **options)
        assert found.pairs.tolist() == [[0, 2], [1, 3]]
    strata = on_score(values, 2, exact=labels, algorithm="strata")
    assert strata.pairs.tolist() == [[0, 2], [1, 3], [1, 4]]
    assert strata.weights.tolist() == [0, 0, 1.0, 0.5, 0.5]


def test_identical_areas_share_alike() -> None:
    """Three pool areas no feature tells apart: without replacement none is preferred, each counts a third."""
    found = on_score([5.0, 4.0, 4.0, 4.0, 9.0], 1, replacement=False)
    assert found.weights == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3, 0], abs=1e-12)
    short = on_score([5.0, 5.0, 8.0, 5.0, 8.0], 3, replacement=False, caliper=0.5)
    assert short.matched.tolist() == [2]
    assert set(short.unmatched) == {0, 1}
    assert all("identical" in why for why in short.unmatched.values())


def test_an_area_is_never_its_own_match() -> None:
    """Where treated areas may themselves be chosen (placebo matching), each finds another."""
    score = np.array([[1.0], [1.0], [2.0], [2.5]])
    everyone = np.ones(4, dtype=bool)
    found = match(score, everyone, names=["score"], pool=everyone, distance="score")
    assert found.pairs.tolist() == [[0, 1], [1, 0], [2, 3], [3, 2]]


@pytest.mark.parametrize("seed", range(6))
def test_nearest_against_plain_loops(seed: int) -> None:
    """30 treated, 90 others on a coarse grid, full of ties: the same pairs as loops over every distance."""
    rng = np.random.default_rng(seed)
    place = Positions(at=rng.integers(0, 7, (120, 2)) / 2.0, hardest=rng.normal(size=120), name="")
    arms, strata = arms_of(30, 90), rng.integers(0, 2, 120)
    apart = np.round(np.linalg.norm(place.at[:, None] - place.at[None, :], axis=2), 9)
    apart[strata[:, None] != strata[None, :]] = np.inf
    for each, caliper in ((1, None), (3, None), (2, 0.5)):
        furthest = 1e6 if caliper is None else caliper
        again, once, used = [], [], set()
        for one in range(30):
            near = np.sort(apart[one, 30:])
            reach = min(near[each - 1], furthest)
            again += [[one, other] for other in range(30, 120) if apart[one, other] <= reach]
        for _ in range(each):
            for one in np.argsort(-place.hardest[:30]).tolist():
                free = [
                    (apart[one, other], first_here(place.at, strata, other), other)
                    for other in range(30, 120)
                    if other not in used and apart[one, other] <= furthest
                ]
                if free:
                    once.append([one, min(free)[2]])
                    used.add(min(free)[2])
        found = nearest_with_replacement(place, strata, arms, ~arms, per_treated=each, caliper=caliper)
        assert found.tolist() == again
        found = nearest_without_replacement(place, strata, arms, ~arms, per_treated=each, caliper=caliper)
        assert sorted(by_place(found, place.at)) == sorted(by_place(np.array(once), place.at))


def first_here(at: Floats, strata: NDArray[np.intp], area: int) -> int:
    """The first pool area in the same place and stratum."""
    same = (at[30:] == at[area]).all(axis=1) & (strata[30:] == strata[area])
    return 30 + int(np.flatnonzero(same)[0])


def by_place(pairs: NDArray[np.intp], at: Floats) -> list[tuple[float, ...]]:
    """Pairs as treated area and the place of its match: which of several in one place is not asked."""
    return [(float(one), *at[other].tolist()) for one, other in pairs]


def brute_force(distance: Floats) -> float:
    """The least total distance of a one-to-one assignment, by trying all."""
    rows, columns = distance.shape
    return min(
        sum(float(distance[row, column]) for row, column in enumerate(chosen))
        for chosen in itertools.permutations(range(columns), rows)
    )


@pytest.mark.parametrize("seed", range(8))
def test_optimal_is_the_least_of_all(seed: int) -> None:
    """Four treated, seven others: the least total distance of all 840 assignments; greedy is not less."""
    rng = np.random.default_rng(seed)
    features, arms = rng.normal(size=(11, 2)), arms_of(4, 7)
    place = mahalanobis(features, ~arms, ["a", "b"])
    apart = np.linalg.norm(place.at[:4, None] - place.at[None, 4:], axis=2)

    def total(found: Match) -> float:
        return float(sum(apart[one, other - 4] for one, other in found.pairs))

    best = total(match(features, arms, names=["a", "b"], algorithm="optimal"))
    assert best == pytest.approx(brute_force(apart), abs=1e-9)
    assert total(match(features, arms, names=["a", "b"], replacement=False)) >= best - 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_optimal_within_a_caliper_serves_the_most_first(seed: int) -> None:
    """Inside the caliper: most treated areas served, then the least total distance; by trying all."""
    rng = np.random.default_rng(seed)
    place = score_difference(rng.normal(size=9), arms_of(4, 5), ~arms_of(4, 5), "x")
    apart = np.abs(place.at[:4, 0][:, None] - place.at[4:, 0][None, :])
    options = []
    for chosen in itertools.permutations([0, 1, 2, 3, 4, -1, -1, -1, -1], 4):
        used = [(row, column) for row, column in enumerate(chosen) if column >= 0]
        if all(apart[one] <= 0.5 for one in used):
            options.append((-len(used), sum(float(apart[one]) for one in used)))
    pairs = optimal(
        place, np.zeros(9, dtype=np.intp), arms_of(4, 5), ~arms_of(4, 5), per_treated=1, caliper=0.5
    )
    best = min(options)
    assert len(pairs) == -best[0]
    assert sum(float(apart[one, other - 4]) for one, other in pairs) == pytest.approx(best[1], abs=1e-9)


def test_optimal_with_too_few_areas_serves_each_once_before_any_twice() -> None:
    """Two wanted for each of two treated areas and three areas left: nobody goes without."""
    found = on_score([1.0, 2.0, 1.1, 1.2, 8.0], 2, algorithm="optimal", per_treated=2)
    assert np.bincount(found.pairs[:, 0]).tolist() in ([2, 1], [1, 2])
    assert found.note == "1 matched treated areas have fewer than 2 matches"


def test_optimal_refuses_what_memory_cannot_hold() -> None:
    """The error names the size and the alternative."""
    with pytest.raises(CannotEstimate, match="use 'nearest'"):
        on_score(np.random.default_rng(1).normal(size=36_000).tolist(), 3_000, algorithm="optimal")


def test_too_many_alike_is_refused() -> None:
    """6,000 treated and 6,000 others all alike would be 36 million pairs: refused, with what to do."""
    values = [1.0] * 6_000 + [1.0] * 6_000 + [2.0]
    for options in ({}, {"algorithm": "strata"}, {"replacement": False}):
        with pytest.raises(CannotEstimate, match=r"36,0.* pairs, more than 20,000,000; match on a further"):
            on_score(values, 6_000, **options)


def largest_by_force(features: Floats, treated: int, tolerance: float) -> int:
    """The largest balanced 1:1 set, by trying every pair of subsets."""
    spread = features[:treated].std(axis=0, ddof=1)
    pool = range(treated, len(features))
    for size in range(treated, 0, -1):
        for kept in itertools.combinations(range(treated), size):
            middle = features[list(kept)].mean(axis=0)
            for other in itertools.combinations(pool, size):
                if (np.abs(features[list(other)].mean(axis=0) - middle) <= tolerance * spread + 1e-9).all():
                    return size
    return 0


@pytest.mark.parametrize("seed", range(6))
def test_cardinality_is_the_largest_of_all(seed: int) -> None:
    """Five treated, seven others: as many kept as the best of all subsets, and balanced as stated."""
    rng = np.random.default_rng(seed)
    features = np.vstack([rng.normal(1.0, 1, (5, 2)), rng.normal(0.0, 1, (7, 2))])
    arms = arms_of(5, 7)
    expected = largest_by_force(features, 5, 0.15)
    if expected == 0:
        with pytest.raises(CannotEstimate, match="no set of treated and comparison areas is balanced"):
            match(features, arms, names=["a", "b"], algorithm="cardinality", tolerance=0.15)
        return
    found = match(features, arms, names=["a", "b"], algorithm="cardinality", tolerance=0.15)
    kept = np.isin(np.arange(12), found.matched)
    after = balance(features, arms, ~arms, weights=found.weights, matched=kept, names=["a", "b"])
    assert len(found.matched) == expected
    assert found.proven is True
    assert all(abs(one.after.standardised or 0.0) <= 0.15 + 1e-6 for one in after.features)
    assert len(found.unmatched) == 5 - expected


def test_entropy_weights_balance_every_mean_and_are_the_least_divergent() -> None:
    """Means agree to 1e-8, weights are log-linear in the features (which is what least divergence means)."""
    rng = np.random.default_rng(4)
    features = np.vstack([rng.normal(0.5, 1, (20, 3)), rng.normal(0, 1, (300, 3))])
    arms = arms_of(20, 300)
    found = match(features, arms, names=["a", "b", "c"], algorithm="entropy")
    weights = found.weights[20:]
    assert weights.sum() == pytest.approx(20, abs=1e-9)
    assert (weights @ features[20:] / 20) == pytest.approx(features[:20].mean(axis=0), abs=1e-8)
    design = np.column_stack([np.ones(300), features[20:]])
    fitted = design @ np.linalg.lstsq(design, np.log(weights), rcond=None)[0]
    assert np.log(weights) == pytest.approx(fitted, abs=1e-7)
    assert found.mean_of(features[:, 0]) == pytest.approx(np.full(20, features[:20, 0].mean()), abs=1e-8)


def test_entropy_weights_keep_to_strata_and_say_why_not() -> None:
    """Within each stratum weights add up to its treated areas; a mean beyond the pool is refused by name."""
    values = [1.0, 2.0, 0.0, 3.0, 1.0, 4.0]
    found = on_score(values, 2, algorithm="entropy", exact=["A", "B", "A", "A", "B", "B"])
    assert found.weights[[2, 3]].sum() == pytest.approx(1.0, abs=1e-8)
    assert found.weights @ np.array(values) == pytest.approx(3.0, abs=1e-8)
    with pytest.raises(CannotEstimate, match=r"score \(treated mean 9, pool 1 to 3\)"):
        on_score([9.0, 1.0, 2.0, 3.0], 1, algorithm="entropy")
    corner = np.array([[0.9, 0.9], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    with pytest.raises(CannotEstimate, match="beyond every mixture"):
        match(corner, arms_of(1, 3), names=["a", "b"], algorithm="entropy")


def test_mahalanobis_by_hand() -> None:
    """Against the textbook formula with the pool's covariance, over the root of the number of features."""
    rng = np.random.default_rng(3)
    features = rng.multivariate_normal([0, 0, 0], [[1, 0.6, 0], [0.6, 2, 0.3], [0, 0.3, 3]], 40)
    arms = arms_of(5, 35)
    place = mahalanobis(features, ~arms, ["a", "b", "c"])
    gap = features[0] - features[30]
    expected = np.sqrt(gap @ np.linalg.inv(np.cov(features[5:], rowvar=False)) @ gap / 3)
    assert np.linalg.norm(place.at[0] - place.at[30]) == pytest.approx(expected, rel=1e-10)


def test_robust_mahalanobis_by_hand() -> None:
    """Against Rosenbaum's recipe: ranks, covariance scaled so that each variance is that of untied ranks."""
    from scipy.stats import rankdata

    rng = np.random.default_rng(3)
    features = np.column_stack([rng.lognormal(size=40), rng.binomial(1, 0.1, 40), rng.normal(size=40)])
    arms = arms_of(5, 35)
    ranks = rankdata(features, axis=0)
    covariance = np.cov(ranks, rowvar=False)
    ratio = np.sqrt(np.var(np.arange(1, 41), ddof=1) / np.diag(covariance))
    gap = ranks[0] - ranks[30]
    expected = np.sqrt(gap @ np.linalg.inv(covariance * np.outer(ratio, ratio)) @ gap / 3)
    place = robust_mahalanobis(features, ~arms, ["a", "b", "c"])
    assert np.linalg.norm(place.at[0] - place.at[30]) == pytest.approx(expected, rel=1e-10)


def test_features_that_cannot_be_used_are_named() -> None:
    """A feature that does not vary, and features that say the same thing, are errors with what to do."""
    rng = np.random.default_rng(1)
    one = rng.normal(size=30)
    arms = arms_of(5, 25)
    same = np.column_stack([one, np.ones(30)])
    for distance in ("mahalanobis", "robust", "propensity"):
        with pytest.raises(DataError, match="region is the same in every area"):
            match(same, arms, names=["imd", "region"], distance=distance)
    double = np.column_stack([one, 2 * one + 1, rng.normal(size=30)])
    with pytest.raises(DataError, match="imd, imd_again say the same thing"):
        match(double, arms, names=["imd", "imd_again", "level"])
    with pytest.raises(DataError, match="at least one follows from the others"):
        match(double, arms, names=["imd", "imd_again", "level"], distance="propensity")


def test_separation_is_an_error_that_says_what_to_do() -> None:
    """Complete and quasi-complete separation are found, named, and never returned as numbers."""
    rng = np.random.default_rng(1)
    noise = rng.normal(size=200)
    arms = arms_of(20, 180)
    complete = np.column_stack([noise, np.where(arms, 5.0, -5.0) + rng.uniform(-1, 1, 200)])
    with pytest.raises(CannotEstimate, match="without error, so no propensity score"):
        propensity(complete, arms, ["noise", "imd"])
    half = np.zeros(200)
    half[:10] = 1  # only treated areas ever have it
    with pytest.raises(CannotEstimate, match="'propensity': rare tell treated"):
        propensity(np.column_stack([noise, half]), arms, ["noise", "rare"])


def test_support_names_areas_beyond_the_pool() -> None:
    """Beyond the range is said with how far; so is an area inside every range but alone; others are not."""
    rng = np.random.default_rng(2)
    line = np.linspace(0, 10, 400)
    pool = np.column_stack([line, line + rng.normal(0, 0.1, 400)])
    treated = np.array([[5.0, 5.0], [2.0, 8.0], [15.0, 15.0]])
    features, arms = np.vstack([treated, pool]), arms_of(3, 400)
    names = ["imd_without_crime", "b"]
    found = support(features, mahalanobis(features, ~arms, names), arms, ~arms, names)
    named = {one.area: one for one in found.beyond}
    assert set(named) == {1, 2}
    assert named[1].outside == ()
    assert named[1].lonelier == 0
    beyond = dict(named[2].outside)["imd_without_crime"]
    assert beyond == pytest.approx((15 - 10) / line.std(ddof=1), rel=1e-9)
    assert named[2].how_far.startswith("IMD without crime 1.7 SD beyond every other area")


def test_support_names_few_when_treated_are_like_the_pool() -> None:
    """2,000 areas drawn as the pool is, in five features: about 1 % for loneliness, 0.5 % for the range."""
    rng = np.random.default_rng(5)
    features = rng.normal(size=(4_000, 5))
    arms = arms_of(2_000, 2_000)
    place = mahalanobis(features, ~arms, list("abcde"))
    found = support(features, place, arms, ~arms, list("abcde"))
    assert 0.005 <= len(found.beyond) / 2_000 <= 0.025


def test_balance_by_hand() -> None:
    """Means, SDs of the treated, weighted variance, the widest gap and the effective number of areas."""
    features = np.array([[1.0], [3.0], [5.0], [2.0], [6.0], [np.nan]])
    arms = arms_of(3, 3)
    weights = np.array([0, 0, 0, 2.0, 1.0, 0])
    found = balance(features, arms, ~arms, weights=weights, matched=arms, names=["x"])
    one = found.features[0]
    assert one.before.standardised == pytest.approx((3 - 4) / 2)
    assert one.before.variance_ratio == pytest.approx(4 / 8)
    assert one.after.comparison == pytest.approx(10 / 3)
    assert one.after.standardised == pytest.approx((3 - 10 / 3) / 2)
    # Σw(x − m)² Σw / ((Σw)² − Σw²) = (2 × (4/3)² + (8/3)²) × 3 / (9 − 5) = 8
    assert one.after.variance_ratio == pytest.approx(4 / 8)
    assert one.before.furthest == pytest.approx(1 / 2)
    assert found.effective_areas == pytest.approx(9 / 5)
    assert (found.areas_used, found.not_known) == (2, {"x": 1})


def test_balance_says_why_a_number_is_missing() -> None:
    """One treated area has no SD: the pool's is used and named; no variance ratio, with the reason."""
    features = np.array([[5.0, 1.0], [1.0, 1.0], [3.0, 1.0]])
    arms = arms_of(1, 2)
    found = balance(features, arms, ~arms, weights=np.array([0, 0, 1.0]), matched=arms, names=["x", "same"])
    varying, same = found.features
    assert varying.deviation_of == "pool"
    assert varying.before.standardised == pytest.approx(3 / np.sqrt(2))
    assert varying.before.variance_ratio is None
    assert "one area" in varying.before.why_missing
    assert same.before.standardised is None
    assert "no standard deviation" in same.before.why_missing
    assert effective_size(np.zeros(3)) == 0.0


def test_every_wrong_option_is_said_at_once() -> None:
    """Four keys wrong, four problems, each naming its key."""
    with pytest.raises(ProtocolError) as caught:
        on_score(
            [1.0, 2.0, 3.0],
            1,
            algorithm="optimal",
            per_treated=0,
            caliper=-1.0,
            replacement=True,
            tolerance=0.1,
        )
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "matching.per_treated",
        "matching.caliper",
        "matching.replacement",
        "matching.tolerance",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"algorithm": "magic"}, "matching.algorithm: 'magic' is not one of"),
        ({"algorithm": "cardinality"}, "matching.tolerance: 'cardinality' needs"),
        ({"algorithm": "entropy", "per_treated": 3}, "matching.per_treated: 'entropy' uses every area"),
        ({"algorithm": "entropy", "caliper": 0.2}, "matching.caliper: 'entropy' has no caliper"),
        ({"algorithm": "strata", "replacement": False}, "matching.replacement: 'strata' shares areas"),
    ],
)
def test_options_that_do_not_go_together(options: dict[str, Any], message: str) -> None:
    """Each is an error of ours that names the key."""
    with pytest.raises(ProtocolError, match=message):
        on_score([1.0, 2.0, 3.0], 1, **options)


def test_arrays_that_do_not_fit() -> None:
    """Shapes, infinities, empty arms and areas in both arms are errors with the numbers in them."""
    arms = arms_of(1, 2)
    with pytest.raises(DataError, match=r"features are 3 × 2 for 3 areas and 1 names"):
        match(np.ones((3, 2)), arms, names=["x"])
    with pytest.raises(DataError, match="infinite"):
        match(np.array([[1.0], [np.inf], [2.0]]), arms, names=["x"])
    with pytest.raises(DataError, match="no treated area"):
        match(np.ones((3, 1)), np.zeros(3, dtype=bool), names=["x"])
    with pytest.raises(DataError, match="both treated and to be chosen"):
        match(np.arange(3.0)[:, None], arms, names=["x"], pool=np.ones(3, dtype=bool), replacement=False)
