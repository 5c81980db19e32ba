"""Which methods a rule is asked of: four answers, each naming every method.

A method added to METHODS gets a line in each table, and a test fails until it has one: so every
(method, rule) pair has been thought about, without forty files to edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ALWAYS: Mapping[str, bool] = MappingProxyType({"before-after": True, "relative-effect": True})
"""The doubt does not depend on what the treated areas are compared with."""

WITH_COMPARISON: Mapping[str, bool] = MappingProxyType({"before-after": False, "relative-effect": True})
"""The doubt is about the comparison areas, which a before-after does not use."""

RELABELLED: Mapping[str, bool] = MappingProxyType({"before-after": False, "relative-effect": True})
"""The doubt is about an inference that relabels whole sets of areas."""
