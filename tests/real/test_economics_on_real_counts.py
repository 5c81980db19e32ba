"""Nothing was done, nothing was bought: the placebo's pounds on real counts."""

from __future__ import annotations

from pathlib import Path

from whatworks_eval import evaluate, load_data, load_protocol
from whatworks_eval.report.economics_words import economics_headline
from whatworks_eval.shipped import shipped_path


def test_the_placebo_says_that_the_range_includes_no_benefit(shared_data: Path) -> None:
    """A null effect gives a ratio whose range holds zero, and the headline says so before any number."""
    protocol = load_protocol(shipped_path("designs", "placebo-avon-and-somerset"))
    made = evaluate(protocol, load_data(protocol, base=shared_data / "police_uk")).economics
    assert made is not None
    assert made.prevented_includes_zero
    assert made.ratio.low is not None
    assert made.ratio.high is not None
    assert made.ratio.low < 0 < made.ratio.high
    assert economics_headline(made).startswith("The range includes no benefit at all")
