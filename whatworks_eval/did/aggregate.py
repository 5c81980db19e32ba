"""Effects by cohort and period put together: all, by time since the start, by cohort, by calendar period.

Cohorts are weighted by their share of areas, as in Callaway and Sant'Anna's `did` package; that the shares
are estimated too is in the errors. The average over event times or periods gives each the same weight; the
average over cohorts gives each its share.

Source: Callaway and Sant'Anna (2021), J Econometrics 225, 200-230, section 3 and their Corollary 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from whatworks_eval.did.group_time import GroupTime
from whatworks_eval.did.paths import FEWEST_UNITS, Axis, EffectPath, NoEffect, standard_error
from whatworks_eval.did.rollout import Bools, Floats, Ints

Kind = Literal["simple", "dynamic", "group", "calendar"]

AXES: dict[Kind, Axis] = {
    "simple": "overall",
    "dynamic": "event time",
    "group": "cohort",
    "calendar": "period",
}
WEIGHTING: dict[Kind, str] = {
    "simple": "cells from the start on, by the cohort's share of areas",
    "dynamic": "event times from the start on, alike",
    "group": "cohorts, by their share of areas",
    "calendar": "periods, alike",
}
NOTHING_AFTER = "no cohort has a period with an effect from its start on"
RANK = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTest:
    """Whether several effects could all be zero.

    Attributes:
        statistic: Wald statistic; None where there is no test.
        tested: Effects tested together.
        clusters: Units that bear on them.
        p_value: From chi-squared, as other packages report it: too small where units are few.
        p_value_few: From Hotelling's F with the degrees of freedom of the smaller arms (Welch).
        freedom: Those degrees of freedom, of the effect that has fewest.
        left_out: Effects left out because they rest on fewer than three treated units.
        why_missing: Why there is no test.
    """

    statistic: float | None
    tested: int
    clusters: int
    p_value: float | None
    p_value_few: float | None
    freedom: float | None
    left_out: int
    why_missing: str | None = None


def aggregate(cells: GroupTime, kind: Kind) -> EffectPath:
    """Effects along the axis asked for, and their average, with the errors of the shares in them.

    Args:
        cells: From `group_time` or `ratio_group_time`.
        kind: `simple` (one number), `dynamic` (by periods since the start), `group` or `calendar`.

    Example:
        >>> from whatworks_eval.did.group_time import group_time
        >>> from whatworks_eval.did.rollout import rollout
        >>> cells = group_time(rollout([[1, 2, 3], [1, 2, 3], [2, 3, 9], [2, 5, 6]], [-1, -1, 2, 1]))
        >>> path = aggregate(cells, "dynamic")
        >>> path.at.tolist(), path.value.tolist()
        ([-1, 0, 1], [0.0, 3.5, 2.0])
    """
    after = cells.period >= cells.cohort
    if kind == "simple":
        overall = _pooled(cells, after) if after.any() else None
        return _path(cells, kind, np.array([], dtype=np.int64), [], overall)
    key = {"dynamic": cells.period - cells.cohort, "group": cells.cohort, "calendar": cells.period}[kind]
    places = np.unique(key if kind == "dynamic" else key[after])
    parts = []
    for place in places:
        inside = key == place
        if kind != "dynamic":
            inside &= after
        parts.append(_averaged(cells, inside) if kind == "group" else _pooled(cells, inside))
    return _path(cells, kind, places, parts, _overall(cells, kind, places, parts))


Part = tuple[float, Floats, int, int]  # an effect, its influence by cluster, treated areas and units


def _pooled(cells: GroupTime, inside: Bools) -> Part:
    """Cells weighted by their cohorts' shares; influence includes that of the shares."""
    column = np.searchsorted(np.array(cells.cohorts), cells.cohort[inside])
    share = cells.shares[column]
    weight = share / share.sum()
    value = float(weight @ cells.value[inside])
    # d(value)/d(share of a cohort) is (its effect - value) / sum of shares, for every cell it has inside.
    slope = np.bincount(
        column, weights=(cells.value[inside] - value) / share.sum(), minlength=len(cells.cohorts)
    )
    influence = cells.influence[:, inside] @ weight + cells.share_influence @ slope
    return value, influence, *_behind(cells, inside)


def _behind(cells: GroupTime, inside: Bools) -> tuple[int, int]:
    """Treated areas and units behind some cells: the most in any cell of each cohort, added up."""
    cohorts = [inside & (cells.cohort == cohort) for cohort in np.unique(cells.cohort[inside])]
    return (
        sum(int(cells.treated[own].max()) for own in cohorts),
        sum(int(cells.treated_units[own].max()) for own in cohorts),
    )


def _averaged(cells: GroupTime, inside: Bools) -> Part:
    """Cells of one cohort, alike."""
    value = float(cells.value[inside].mean())
    return value, cells.influence[:, inside].mean(axis=1), *_behind(cells, inside)


def _overall(cells: GroupTime, kind: Kind, places: Ints, parts: list[Part]) -> Part | None:
    """The average of the places from the start on."""
    kept = [
        (part, place) for part, place in zip(parts, places, strict=True) if kind != "dynamic" or place >= 0
    ]
    if not kept:
        return None
    values = np.array([part[0] for part, _ in kept], dtype=float)
    influence = np.column_stack([part[1] for part, _ in kept])
    after = cells.period >= cells.cohort
    cohorts = np.unique(cells.cohort[after])
    behind = _behind(cells, after)
    if kind != "group":
        return float(values.mean()), influence.mean(axis=1), *behind
    column = np.searchsorted(np.array(cells.cohorts), cohorts)
    share = cells.shares[column]
    weight = share / share.sum()
    value = float(weight @ values)
    slope = (values - value) / share.sum()
    return value, influence @ weight + cells.share_influence[:, column] @ slope, *behind


def _path(cells: GroupTime, kind: Kind, at: Ints, parts: list[Part], overall: Part | None) -> EffectPath:
    influence = np.column_stack([part[1] for part in parts]) if parts else np.zeros((len(cells.influence), 0))
    value, sums, treated, units = (None, None, 0, 0) if overall is None else overall
    return EffectPath(
        axis=AXES[kind],
        scale=cells.scale,
        at=at,
        value=np.array([part[0] for part in parts], dtype=float),
        se=standard_error(influence),
        treated=np.array([part[2] for part in parts], dtype=np.int64),
        treated_units=np.array([part[3] for part in parts], dtype=np.int64),
        influence=influence,
        overall=value,
        overall_se=None if sums is None else float(standard_error(sums)),
        overall_influence=sums,
        overall_treated=treated,
        overall_units=units,
        weighting=WEIGHTING[kind],
        missing=tuple(NoEffect(at=cell.cohort, why=cell.why) for cell in cells.missing if cell.period is None)
        if kind == "group"
        else (),
        why_missing=None if value is not None else NOTHING_AFTER,
    )


def pre_test(cells: GroupTime) -> JointTest:
    """Whether all effects before the start could be zero, cells with under three treated units left out.

    Example:
        >>> from whatworks_eval.did.group_time import group_time
        >>> from whatworks_eval.did.rollout import rollout
        >>> made = group_time(rollout([[1, 2, 3], [1, 2, 4], [2, 3, 9]], [-1, -1, 2]))
        >>> pre_test(made).why_missing
        'no effect before the start rests on at least 3 treated units'
    """
    before = cells.before
    if cells.scale == "log-ratio":
        # Each early period is set against the others, so that the first says nothing the rest do not.
        first = {
            (int(g), int(cells.period[before & (cells.cohort == g)].min(initial=0))) for g in cells.cohorts
        }
        pairs = zip(cells.cohort.tolist(), cells.period.tolist(), strict=True)
        before = before & np.array([pair not in first for pair in pairs])
    usable = before & (cells.treated_units >= FEWEST_UNITS)
    left_out = int((before & ~usable).sum())
    if not usable.any():
        why = f"no effect before the start rests on at least {FEWEST_UNITS} treated units"
        return _no_test(0, 0, left_out, why if left_out else "no period before the start can be compared")
    freedom = welch(cells.treated_units[usable], cells.compared_units[usable])
    return joint_test(
        cells.value[usable], cells.influence[:, usable], freedom=float(freedom.min()), left_out=left_out
    )


def welch(treated: Ints, compared: Ints) -> Floats:
    """Degrees of freedom of differences of two means of so many units, as unlike in one arm as the other.

    Source: Welch (1947), Biometrika 34, 28-35.

    Example:
        >>> welch(np.array([15]), np.array([30])).round(1).tolist()
        [28.1]
    """
    first, second = treated.astype(float), np.maximum(compared, 2).astype(float)
    parts = 1 / (first**2 * (first - 1)) + 1 / (second**2 * (second - 1))
    freedom: Floats = (1 / first + 1 / second) ** 2 / parts
    return freedom


def joint_test(
    value: Floats, influence: Floats, *, freedom: float | None = None, left_out: int = 0
) -> JointTest:
    """Whether effects with these influence sums (clusters × effects) could all be zero.

    Args:
        value: The effects.
        influence: Their influence sums.
        freedom: Degrees of freedom of the covariance; one less than the units that bear on it where absent.
        left_out: Effects the caller left out.

    Example:
        >>> sums = np.array([[0.1, 0.0], [-0.1, 0.1], [0.0, -0.1], [0.1, 0.1]])
        >>> round(joint_test(np.array([0.1, 0.2]), sums).statistic, 6)
        1.666667
    """
    from scipy.stats import chi2, f

    tested = len(value)
    clusters = int((np.abs(influence).sum(axis=1) > 0).sum())
    free = clusters - 1.0 if freedom is None else min(freedom, clusters - 1.0)
    if tested >= clusters:
        return _no_test(
            tested, clusters, left_out, f"{tested} effects cannot be tested together with {clusters} units"
        )
    covariance = influence.T @ influence
    scale = np.sqrt(np.diag(covariance))
    # Tiny compared with the others' errors means that the cells of an arm do not vary at all.
    if not (scale > RANK * scale.max()).all():
        return _no_test(tested, clusters, left_out, "an effect to be tested does not vary between units")
    values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    if values[0] <= RANK * values[-1]:
        return _no_test(
            tested,
            clusters,
            left_out,
            "the effects to be tested are not distinct given the units behind them",
        )
    turned = vectors.T @ (value / scale)
    statistic = float((turned**2 / values).sum())
    left = free - tested + 1
    return JointTest(
        statistic=statistic,
        tested=tested,
        clusters=clusters,
        p_value=float(chi2.sf(statistic, tested)),
        p_value_few=float(f.sf(statistic * left / (tested * free), tested, left)) if left > 0 else None,
        freedom=free,
        left_out=left_out,
    )


def _no_test(tested: int, clusters: int, left_out: int, why: str) -> JointTest:
    return JointTest(
        statistic=None,
        tested=tested,
        clusters=clusters,
        p_value=None,
        p_value_few=None,
        freedom=None,
        left_out=left_out,
        why_missing=why,
    )
