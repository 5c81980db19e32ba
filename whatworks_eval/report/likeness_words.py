"""How alike the areas are, in sentences and tables: one set of words for terminal, page and match list."""

from __future__ import annotations

import math

from whatworks_eval.likeness import FeatureGaps, Gap, Likeness
from whatworks_eval.matching.features import in_words
from whatworks_eval.report.numerals import SMALLEST_COUNT, clean, counted, listed, number, percent, signed
from whatworks_eval.report.tables import ABSENT, Table

TITLE = "How alike the areas are"
NEGLIGIBLE = 0.1
"""Standardised differences within this are drawn as small.

Source: Austin 2009, Statistics in Medicine 28(25), 3083-3107: below 0.1 is often taken as negligible.
"""
_LABELS = {"before_level": "Incidents before", "before_trend": "Trend before", "residents": "Residents"}
FROM_COUNTS = ("before_level", "before_trend")
TOO_FEW = f"fewer than {SMALLEST_COUNT} in all"
MOST_NAMED = 50  # areas in a table; the rest are counted


def label(name: str) -> str:
    """A feature as a reader knows it.

    Example:
        >>> label("before_level"), label("imd_score")
        ('Incidents before', 'IMD score')
    """
    said = in_words(clean(name))
    return _LABELS.get(name, said[:1].upper() + said[1:])


def _small(name: str) -> str:
    said = label(name)
    return said if said.isupper() or said[:2].isupper() else said[:1].lower() + said[1:]


def lead(found: Likeness) -> list[str]:
    """What the section says first: whose effect it is, from how many areas, and how alike they are."""
    search = [clean(found.searched)] if found.searched else []
    return [
        *(estimand(found), reuse(found)),
        *search,
        *(how_averaged(name, lsoas) for name, lsoas in found.averaged),
        how_alike(found),
        *regression(found),
    ]


def how_averaged(name: str, lsoas: int) -> str:
    """That an area's score was put together from its LSOAs.

    Example:
        >>> how_averaged("imd_score", 888)
        "IMD score: of each area, the population-weighted mean of its LSOAs' scores, over 888 LSOAs in all."
    """
    return (
        f"{label(name)}: of each area, the population-weighted mean of its LSOAs' scores, over "
        f"{counted(lsoas, 'LSOA')} in all."
    )


def estimand(found: Likeness) -> str:
    """Whose effect is estimated, restated where treated areas were left out."""
    if found.matched == found.declared:
        return f"Each of the {counted(found.declared, 'treated area')} has a comparison."
    return (
        f"The effect is for the {found.matched:,} of {found.declared:,} treated areas that could be "
        f"matched; nothing is said of the other {found.declared - found.matched:,}."
    )


def reuse(found: Likeness) -> str:
    """How many comparison areas there really are."""
    said = (
        f"Chosen: {clean(found.chosen)}, out of {counted(found.pool, 'area')}. "
        f"{counted(found.used, 'comparison area')} {'is' if found.used == 1 else 'are'} used"
    )
    if found.effective < 0.995 * found.used:
        area, stands = found.heaviest
        return (
            f"{said}; being weighted, they tell as much as {number(round(found.effective, 1))} that count "
            f"alike. {clean(area)} counts most: it stands for {number(round(stands, 2))} of the "
            f"{found.matched:,} treated areas."
        )
    return f"{said}, all counting alike."


def how_alike(found: Likeness) -> str:
    """How many features are still apart, and which."""
    known = [one for one in found.features if one.after.standardised is not None]
    apart = [one for one in known if abs(one.after.standardised or 0.0) > NEGLIGIBLE]
    if not known:
        return "No difference could be put in standard deviations."
    if not apart:
        return (
            f"After matching, treated and comparison areas differ by at most {NEGLIGIBLE:g} standard "
            f"deviations in {_every(len(known))}."
        )
    names = [f"{_small(one.name)} ({signed(one.after.standardised or 0.0, 2)})" for one in apart]
    return (
        f"After matching, they differ by more than {NEGLIGIBLE:g} standard deviations in {len(apart)} of "
        f"{counted(len(known), 'feature')}: {listed(names)}."
    )


def _every(size: int) -> str:
    return "the one feature known" if size == 1 else f"all {size} features known"


def regression(found: Likeness) -> list[str]:
    """What a match without the level before the start leaves open; nothing where it was matched on."""
    if "before_level" in found.on:
        return []
    return [
        "The comparison was not matched on the level before the start. Places picked at a peak fall back "
        "with nothing done, and areas alike in deprivation or residents alone do not fall back with them."
    ]


def balance_table(found: Likeness) -> Table:
    """Standardised differences and variance ratios, before and after matching."""
    rows = tuple(
        (
            label(one.name),
            "yes" if one.matched_on else "no",
            *(_figure(gap.standardised, sign=True) for gap in (one.before, one.after)),
            *(_figure(gap.variance_ratio, sign=False) for gap in (one.before, one.after)),
        )
        for one in found.features
    )
    return Table(
        caption="Balance before and after matching",
        columns=(
            "Feature",
            "Matched on",
            "Difference before, SD",
            "Difference after, SD",
            "Variance ratio before",
            "Variance ratio after",
        ),
        rows=rows,
        numeric=(2, 3, 4, 5),
        notes=(
            "Difference: treated less comparison, in standard deviations of the treated areas. Before: all "
            "treated areas against all that could be chosen; after: the matched against their comparison. A "
            "variance ratio of 1 means that both spread alike.",
            *_reasons(found.features),
        ),
    )


def typical_table(found: Likeness) -> Table:
    """What the two groups are like, in units a reader knows; nothing of a handful of incidents."""
    inside = [found.before[0] <= period <= found.before[1] for period in found.periods]
    small = {
        group.group: sum(total or 0.0 for total, kept in zip(group.totals, inside, strict=True) if kept)
        < SMALLEST_COUNT
        for group in found.lead_in
    }
    rows = tuple(
        (
            label(one.name),
            *(
                TOO_FEW if few and one.name in FROM_COUNTS else _said(one.name, value, found.period)
                for value, few in zip(
                    (one.before.treated, one.before.comparison, one.after.treated, one.after.comparison),
                    (small["treated"], small["pool"], small["treated"], small["comparison"]),
                    strict=True,
                )
            ),
        )
        for one in found.features
    )
    return Table(
        caption="The typical area",
        columns=("Feature", "Treated, all", "All to choose from", "Treated, matched", "Comparison"),
        rows=rows,
        numeric=(1, 2, 3, 4),
        notes=(
            f"Means; of incidents (by area and {found.period}, half an incident added to each area), trend "
            "(last third of the before window against the first) and residents the geometric mean, as they "
            "are compared as logarithms.",
        ),
    )


def left_out_table(found: Likeness) -> Table | None:
    """Treated areas without a comparison, and why; None where there are none."""
    return _named("Treated areas left out", "Why", found.unmatched)


def beyond_table(found: Likeness) -> Table | None:
    """Treated areas kept though nothing is like them, and how far off; None where there are none."""
    return _named("Treated areas kept though no other area is like them", "How far off", found.beyond)


def lead_in_table(found: Likeness) -> Table:
    """Incidents an area by period before the start, for the three groups."""
    rows = tuple(
        (
            period,
            *(_mean(group.means[at], group.totals[at]) for group in found.lead_in),
        )
        for at, period in enumerate(found.periods)
    )
    return Table(
        caption=f"Incidents an area by {found.period}, before the start",
        columns=(found.period.capitalize(), "Treated, matched", "Comparison", "All to choose from"),
        rows=rows,
        numeric=(1, 2, 3),
    )


def _mean(value: float | None, total: float | None) -> str:
    if value is None or total is None:
        return "no data"
    return TOO_FEW if total < SMALLEST_COUNT else number(value)


def _named(caption: str, head: str, areas: tuple[tuple[str, str], ...]) -> Table | None:
    if not areas:
        return None
    more = len(areas) - MOST_NAMED
    return Table(
        caption=f"{caption} ({len(areas):,})",
        columns=("Area", head),
        rows=tuple((clean(area), clean(why)) for area, why in areas[:MOST_NAMED]),
        notes=(f"And {more:,} more; all are in the JSON.",) if more > 0 else (),
    )


def _figure(value: float | None, *, sign: bool) -> str:
    if value is None:
        return ABSENT
    return signed(value, 2, plus=sign)


def _said(name: str, value: float, period: str) -> str:
    if name == "before_level":
        return f"{number(math.exp(value))} a {period}"
    if name == "before_trend":
        return percent(100 * (math.exp(value) - 1), 1)
    if name == "residents":
        return f"{math.exp(value):,.0f}"
    return number(value)


def _reasons(features: tuple[FeatureGaps, ...]) -> list[str]:
    """Why figures are absent, and areas for which a feature is not known."""

    def why(gap: Gap) -> str:
        return clean(gap.why_missing)

    found = [
        f"{label(one.name)}: {why(gap)}."
        for one in features
        for gap in (one.before, one.after)
        if gap.why_missing
    ]
    lost = [
        f"{label(one.name)} is not known for {counted(one.not_known, 'area')}, left out of its row."
        for one in features
        if one.not_known
    ]
    return [*dict.fromkeys(found), *lost]
