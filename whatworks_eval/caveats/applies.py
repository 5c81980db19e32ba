"""Which methods a rule is asked of: four answers, each naming every method.

A method added to METHODS gets a line in each table, and a test fails until it has one: so every
(method, rule) pair has been thought about, without forty files to edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from whatworks_eval.measures.declared import has_comparison
from whatworks_eval.protocol import Protocol

ALWAYS: Mapping[str, bool] = MappingProxyType(
    {"before-after": True, "relative-effect": True, "interrupted-time-series": True}
)
"""The doubt does not depend on what the treated areas are compared with."""

WITH_COMPARISON: Mapping[str, bool] = MappingProxyType(
    {"before-after": False, "relative-effect": True, "interrupted-time-series": True}
)
"""The doubt is about the comparison areas, which a before-after does not use."""

RELABELLED: Mapping[str, bool] = MappingProxyType(
    {"before-after": False, "relative-effect": True, "interrupted-time-series": True}
)
"""The doubt is about an inference that relabels whole sets of areas."""

WINDOWS_ALONE: Mapping[str, bool] = MappingProxyType(
    {"before-after": True, "relative-effect": True, "interrupted-time-series": False}
)
"""The doubt is about totals of two windows; a series of periods is asked about season and months instead."""

TWO_BY_TWO: Mapping[str, bool] = MappingProxyType(
    {"before-after": False, "relative-effect": True, "interrupted-time-series": False}
)
"""The doubt is about four totals and how an effect is read off them."""

SERIES: Mapping[str, bool] = MappingProxyType(
    {"before-after": False, "relative-effect": False, "interrupted-time-series": True}
)
"""The doubt is about a series of periods."""


def asked(applies_to: Mapping[str, bool], protocol: Protocol) -> bool:
    """Whether a rule is asked of a design: a method that may go without a comparison is then not asked of it.

    Example:
        >>> from whatworks_eval import load_protocol
        >>> from whatworks_eval.shipped import shipped_path
        >>> asked(WITH_COMPARISON, load_protocol(shipped_path("designs", "police-now-2016")))
        True
    """
    of_comparison = applies_to is WITH_COMPARISON or applies_to is RELABELLED
    if of_comparison and protocol.method == "interrupted-time-series" and not has_comparison(protocol):
        return False
    return applies_to[protocol.method]
