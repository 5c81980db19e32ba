"""Which methods a rule is asked of: four answers, each naming every method.

A method added to METHODS gets a line in each table, and a test fails until it has one: so every
(method, rule) pair has been thought about, without forty files to edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from whatworks_eval.judgement import Case, Verdict
from whatworks_eval.measures.declared import has_comparison, starts_differ
from whatworks_eval.protocol import Protocol

ALWAYS: Mapping[str, bool] = MappingProxyType(
    {
        "before-after": True,
        "relative-effect": True,
        "did": True,
        "interrupted-time-series": True,
        "crossover": True,
        "synthetic": True,
    }
)
"""The doubt does not depend on what the treated areas are compared with."""

WITH_COMPARISON: Mapping[str, bool] = MappingProxyType(
    {
        "before-after": False,
        "relative-effect": True,
        "did": True,
        "interrupted-time-series": True,
        "crossover": False,
        "synthetic": True,
    }
)
"""The doubt is about the comparison areas, which a before-after does not use."""

RELABELLED: Mapping[str, bool] = MappingProxyType(
    {
        "before-after": False,
        "relative-effect": True,
        "did": True,
        "interrupted-time-series": True,
        "crossover": True,
        "synthetic": True,
    }
)
"""The doubt is about an inference that relabels whole sets of areas."""

WINDOWS_ALONE: Mapping[str, bool] = MappingProxyType(
    {
        "before-after": True,
        "relative-effect": True,
        "did": True,
        "interrupted-time-series": False,
        "crossover": False,
        "synthetic": True,
    }
)
"""The doubt is about totals of two windows; a series of periods is asked about season and months instead."""

TWO_BY_TWO: Mapping[str, bool] = MappingProxyType(
    {
        "before-after": False,
        "relative-effect": True,
        "did": True,
        "interrupted-time-series": False,
        "crossover": False,
        "synthetic": False,
    }
)
"""The doubt is about four totals and how an effect is read off them."""

SERIES: Mapping[str, bool] = MappingProxyType(
    {
        "before-after": False,
        "relative-effect": False,
        "did": False,
        "interrupted-time-series": True,
        "crossover": False,
        "synthetic": False,
    }
)
"""The doubt is about a series of periods."""


TWO_ARMS: Mapping[str, bool] = MappingProxyType(
    {
        "before-after": False,
        "relative-effect": True,
        "did": True,
        "interrupted-time-series": True,
        "crossover": True,
        "synthetic": True,
    }
)
"""The doubt is about places or times without the project: areas apart, or the same ones switched off."""

BEFORE_AND_AFTER: Mapping[str, bool] = MappingProxyType(
    {
        "before-after": True,
        "relative-effect": True,
        "did": True,
        "interrupted-time-series": True,
        "crossover": False,
        "synthetic": True,
    }
)
"""The doubt is about two windows or one start: areas switched on and off have neither."""

SWITCHED: Mapping[str, bool] = MappingProxyType(
    {
        "before-after": False,
        "relative-effect": False,
        "did": False,
        "interrupted-time-series": False,
        "crossover": True,
        "synthetic": False,
    }
)
"""The doubt is about areas switched on and off in turn."""

ROLLED_OUT: Mapping[str, bool] = MappingProxyType(
    {
        "before-after": False,
        "relative-effect": False,
        "did": True,
        "interrupted-time-series": False,
        "crossover": False,
        "synthetic": False,
    }
)
"""The doubt is about an effect followed through time: leads and lags, cohorts, differing trends."""


TAKEN_AS_THEY_ARE: Mapping[str, bool] = MappingProxyType(
    {
        "before-after": False,
        "relative-effect": True,
        "did": True,
        "interrupted-time-series": True,
        "crossover": False,
        "synthetic": False,
    }
)
"""The doubt is about comparison areas as a whole; a mixture of them is asked how well it fits instead."""

ONE_SERIES: Mapping[str, bool] = MappingProxyType(
    {
        "before-after": False,
        "relative-effect": False,
        "did": False,
        "interrupted-time-series": True,
        "crossover": False,
        "synthetic": True,
    }
)
"""The doubt is about many areas added up into one series."""

MIXED: Mapping[str, bool] = MappingProxyType(
    {
        "before-after": False,
        "relative-effect": False,
        "did": False,
        "interrupted-time-series": False,
        "crossover": False,
        "synthetic": True,
    }
)
"""The doubt is about a weighted mixture of donors."""


def asked(applies_to: Mapping[str, bool], protocol: Protocol) -> bool:
    """Whether a rule is asked of a design: a method that may go without a comparison is then not asked of it.

    Example:
        >>> from whatworks_eval import load_protocol
        >>> from whatworks_eval.shipped import shipped_path
        >>> asked(WITH_COMPARISON, load_protocol(shipped_path("designs", "police-now-2016")))
        True
    """
    of_comparison = any(
        applies_to is table for table in (WITH_COMPARISON, RELABELLED, TWO_ARMS, TAKEN_AS_THEY_ARE)
    )
    if of_comparison and protocol.method == "interrupted-time-series" and not has_comparison(protocol):
        return False
    if (applies_to is WINDOWS_ALONE or applies_to is TWO_BY_TWO) and starts_differ(protocol):
        return False  # areas that start at different times have no two windows in common
    if applies_to is TWO_BY_TWO and protocol.did.dose is not None:
        return False  # the effect of one more unit of dose is not read off four totals
    return applies_to[protocol.method]


def of_a_dose(case: Case, question: str) -> Verdict | None:
    """'Not assessed' for the effect of a dose, which is not followed through time; None for any other.

    Args:
        case: What is judged.
        question: What was asked, as the start of a sentence: 'Whether the arms …'.
    """
    if case.protocol.did.dose is None or case.over_time is not None:
        return None
    return Verdict(
        kind="not assessed",
        message=f"{question} was not assessed: the check is not built for a dose, which has no single start.",
    )
