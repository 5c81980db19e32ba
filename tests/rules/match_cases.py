"""Matched worlds: counts where nothing was done, an index of deprivation, and the contrast matching makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from cases import World, alternative, case_of, design, make_panel

from whatworks_eval.contrast import build_contrast
from whatworks_eval.judgement import Case
from whatworks_eval.records import Estimate
from whatworks_eval.windows import build_windowed

MATCHED = World(treated=20, comparison=200)
INDEX = {"imd_score": {"path": "imd.csv", "edition": 2015, "as": "score"}}
BOTH = {"matching": {"on": ["before_level", "imd_score"]}}
IMD = {"matching": {"on": ["imd_score"]}}
NEED = {"intervention": {"assignment": "need"}}
ANSWER = replace(alternative(-0.1, 0.05), label="registered", choice=None)


def matched_case(
    world: World = MATCHED,
    changes: Mapping[str, Any] | None = None,
    *,
    seed: int = 1,
    deprived: float = 0.0,
    from_top: bool = False,
    answer: Estimate | None = ANSWER,
    alternatives: tuple[Estimate, ...] = (),
) -> Case:
    """The case of a matched design.

    Args:
        world: Counts.
        changes: To the protocol: matched on the level alone unless told otherwise.
        seed: Of the counts and the index.
        deprived: How many standard deviations more deprived the treated are than their level explains.
        from_top: Whether the treated are drawn from the tenth that recorded most before.
        answer: An estimate made by hand; None = estimated.
        alternatives: Beside the estimate.
    """
    panel, _, treated = make_panel(world, seed)
    rng = np.random.default_rng([seed, 7])
    start = panel.periods[-12 - world.before]
    before = panel.counts[:, [start <= period < "2019-01" for period in panel.periods]].sum(axis=1)
    if from_top:
        top = np.argsort(-before)[: len(before) // 10 + world.treated // 2]
        treated = {panel.areas[at] for at in rng.choice(top, world.treated, replace=False)}
    inside = np.isin(panel.areas, sorted(treated))
    level = np.log(before + 0.5)
    score = 0.5 * (level - level.mean()) / level.std() + rng.normal(0, 0.85, len(level)) + deprived * inside
    panel = replace(panel, covariates={"imd_score": 20.0 + 8.0 * score})
    protocol = design(
        {
            "seed": seed,
            "windows": {"before": [start, panel.periods[-13]], "after": ["2019-01", "2019-12"]},
            "areas": {"treated": sorted(treated), "comparison": "matched", "buffer": None},
            "covariates": INDEX,
        },
        changes,
    )
    contrast = build_contrast(protocol, panel)
    if answer is None:
        return case_of(protocol, panel, contrast, alternatives)
    return Case(
        protocol=protocol,
        data=panel,
        contrast=contrast,
        windowed=build_windowed(protocol, panel, contrast),
        estimate=answer,
        alternatives=alternatives,
    )


def answered(value: float, half: float, *others: tuple[float, float]) -> Case:
    """A matched case with answer and other matches made by hand: value and half-width on the log scale."""
    made = tuple(
        alternative(other, width, label=f"match {at}", choice="match")
        for at, (other, width) in enumerate(others)
    )
    own = replace(alternative(value, half), label="registered", choice=None)
    return matched_case(answer=own, alternatives=made)


def longer(case: Case) -> Case:
    """The same with an answer on a longer baseline."""
    return replace(case, alternatives=(alternative(0.06, 0.1, label="longer baseline", choice="window"),))


MATCH_CASES: list[tuple[str, Callable[[], Case], str, int]] = [
    ("selection.imbalance", lambda: matched_case(changes=BOTH), "clear", 5),
    ("selection.imbalance", lambda: matched_case(replace(MATCHED, imbalance=2.0), IMD), "caveat", 2),
    ("selection.imbalance", lambda: matched_case(deprived=1.5), "caveat", 2),
    ("selection.imbalance", lambda: replace(matched_case(), windowed=None), "not assessed", 3),
    ("selection.common-support", lambda: matched_case(changes=BOTH), "clear", 5),
    ("selection.common-support", lambda: matched_case(replace(MATCHED, imbalance=8.0), BOTH), "caveat", 2),
    (
        "selection.common-support",
        lambda: matched_case(
            replace(MATCHED, imbalance=4.0),
            BOTH | {"matching": {**BOTH["matching"], "outside_support": "drop"}},
        ),
        "caveat",
        5,
    ),
    (
        "selection.common-support",
        lambda: matched_case(World(treated=3, comparison=1)),
        "not assessed",
        3,
    ),
    ("selection.match-drives-answer", lambda: answered(-0.2, 0.1, (0.05, 0.1)), "caveat", 2),
    ("selection.match-drives-answer", lambda: answered(-0.2, 0.1, (-0.1, 0.15)), "caveat", 5),
    ("selection.match-drives-answer", lambda: answered(-0.02, 0.1, (0.03, 0.1)), "clear", 5),
    ("selection.match-drives-answer", matched_case, "not assessed", 5),
    ("chance.few-comparison-areas", matched_case, "clear", 5),
    ("chance.few-comparison-areas", lambda: matched_case(World(treated=10, comparison=5)), "caveat", 3),
    (
        "chance.few-comparison-areas",
        lambda: matched_case(World(treated=20, comparison=16)),
        "caveat",
        5,
    ),
    ("chance.few-comparison-areas", lambda: replace(matched_case(), windowed=None), "not assessed", 3),
    (
        "selection.hidden-confounder",
        lambda: matched_case(answer=replace(ANSWER, value=-0.5, low=-0.7, high=-0.3)),
        "clear",
        5,
    ),
    ("selection.hidden-confounder", matched_case, "caveat", 5),
    (
        "selection.hidden-confounder",
        lambda: matched_case(answer=replace(ANSWER, low=None, high=None)),
        "not assessed",
        5,
    ),
    ("regression.deprivation-alone", lambda: longer(matched_case(changes=IMD | NEED)), "caveat", 2),
    ("regression.deprivation-alone", lambda: matched_case(changes=IMD, from_top=True), "caveat", 2),
    ("regression.deprivation-alone", lambda: matched_case(changes=IMD), "clear", 5),
    (
        "regression.deprivation-alone",
        lambda: replace(matched_case(changes=IMD), windowed=None),
        "not assessed",
        2,
    ),
]


MATCH_WORLDS: list[Callable[[], Case]] = [
    lambda: longer(matched_case(changes=IMD | NEED, from_top=True)),
    lambda: matched_case(replace(MATCHED, imbalance=8.0), BOTH, deprived=3.0, answer=None),
    lambda: answered(-0.2, 0.1, (0.05, 0.1), (-0.1, 0.15)),
    lambda: answered(-0.2, 0.1, (-0.1, 0.15), (-0.3, 0.1)),
    lambda: matched_case(World(treated=2, comparison=5, level=0.2), answer=None),
    lambda: matched_case(World(treated=1, comparison=40), BOTH, answer=None),
]
"""What is said of these is looked at sentence by sentence."""


def matched_on(**index: Any) -> dict[str, Any]:
    """A change to the protocol: matched on the level and an index."""
    return {
        "areas": {"comparison": "matched", "buffer": None},
        "covariates": {"imd": {"path": "imd.csv", "as": "score"} | index},
        "matching": {"on": ["before_level", "imd"]},
    }


MATCH_DESIGNS: list[tuple[str, Mapping[str, Any], str, int]] = [
    ("selection.circular-matching", matched_on(edition=2015), "caveat", 5),
    ("selection.circular-matching", matched_on(column="Crime Score"), "caveat", 5),
    (
        "selection.circular-matching",
        matched_on(edition=2015, **{"without": ["crime"], "as": "score"}),
        "clear",
        5,
    ),
    ("selection.edition-mismatch", matched_on(edition=2025), "caveat", 3),
    ("selection.edition-mismatch", matched_on(), "not assessed", 5),
    ("selection.edition-mismatch", matched_on(edition=2019), "clear", 5),
]
