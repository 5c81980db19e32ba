"""The section 'The synthetic comparison': for the terminal, the page and JSON."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from whatworks_eval.judgement import Evaluation
from whatworks_eval.report import tables
from whatworks_eval.report.drawing import Chart
from whatworks_eval.report.numerals import SMALLEST_COUNT, clean, counted, percent, plain
from whatworks_eval.report.synthetic_charts import gaps_chart, index_chart
from whatworks_eval.report.tables import Table
from whatworks_eval.report.text import grid, heading, wrap
from whatworks_eval.synthetic_records import SyntheticComparison

TITLE = "The synthetic comparison, and what it rests on"
KINDS = {
    "simplex": "weights of at least 0 that add up to 100 %",
    "sdid": "weights of at least 0, spread by a penalty, with before periods weighted and a level difference "
    "allowed (synthetic difference-in-differences)",
    "augmented": "weights corrected by a ridge regression, which may go beyond the donors",
}
MOST_DONORS = 15


def synthetic_text(evaluation: Evaluation) -> str:
    """The section as plain text: sentences and weights; '' for other methods."""
    made = evaluation.synthetic
    if made is None:
        return ""
    parts = [
        heading(TITLE),
        *(wrap(sentence) for sentence in lead(made)),
        grid(weights_table(made, evaluation.grade.level)),
    ]
    return "\n".join(parts)


def synthetic_in_template(evaluation: Evaluation) -> dict[str, Any] | None:
    """What the template of the section prints; None for other methods."""
    made = evaluation.synthetic
    if made is None:
        return None
    return {
        "title": TITLE,
        "lead": lead(made),
        "figures": [_drawn(index_chart(evaluation, made)), _drawn(gaps_chart(evaluation, made))],
        "weights": weights_table(made, evaluation.grade.level),
    }


def _drawn(chart: Chart) -> dict[str, Any]:
    from markupsafe import Markup

    return {
        "id": chart.id,
        "title": chart.title,
        "svg": Markup(chart.svg),  # matplotlib escapes the names in it
        "table": chart.table,
        "notes": chart.notes,
    }


def lead(made: SyntheticComparison) -> list[str]:
    """How the mixture was made, how well it fitted, and what other choices would have said."""
    fit, started = made.fit, made.in_time
    said = [
        f"The treated areas, added up, are compared with a mixture of {counted(len(made.donors), 'donor')} "
        f"({made.donor_word}; {made.possible:,} there are), by {KINDS[made.kind]}. As many donors of equal "
        f"weight as are behind it: {plain(made.effective, 1)}. Every series is an index, so that changes are "
        "compared, not sizes.",
        f"Over the {made.before} periods before the start the mixture missed the treated areas by "
        f"{plain(fit.rmspe, 1)} % of their level"
        + ("." if fit.typical is None else f"; places like them are missed by {plain(fit.typical, 1)} %."),
    ]
    if made.as_good is not None and made.as_good.low is not None and made.as_good.high is not None:
        said.append(
            f"Other weights that fit within {plain(made.as_good.slack, 0)} % as well say "
            f"{_change(made.as_good.low)} to {_change(made.as_good.high)}."
        )
    if made.left_out:
        values = [donor.without for donor in made.left_out if donor.without is not None]
        said.append(
            f"With one donor left out at a time the figure runs from {_change(min(values))} to "
            f"{_change(max(values))}."
        )
    said.append(
        f"No start could be pretended: {clean(started.why_missing or 'too few periods')}."
        if started.value is None
        else f"With the start pretended to be {started.start}, from before periods alone, the figure is "
        f"{_change(started.value)}; nothing had been done then."
    )
    return said


def _change(log_ratio: float) -> str:
    return percent(100 * math.expm1(log_ratio), 1)


def weights_table(made: SyntheticComparison, level: int) -> Table:
    """Donors with their weight and the figure without each, the heaviest first."""
    shown = made.donors[:MOST_DONORS]
    rows = [
        (
            clean(donor.name),
            percent(100 * donor.weight, 1, sign=donor.weight < 0),
            "–" if donor.without is None else _change(donor.without),
        )
        for donor in shown
    ]
    rest = made.donors[MOST_DONORS:]
    notes: tuple[str, ...] = ("A donor's weight is its share of the mixture.",)
    if rest:
        share = percent(100 * sum(donor.weight for donor in rest), 1, sign=False)
        notes += (f"{counted(len(rest), 'lighter donor')} with {share} of the weight: see result.json.",)
    return Table(
        caption=f"Who stands in for the treated areas (design strength level {level} of 5)",
        columns=("Donor", "Weight", "Figure without it"),
        rows=tuple(rows),
        numeric=(1, 2),
        notes=notes,
    )


def synthetic_dict(evaluation: Evaluation) -> dict[str, Any] | None:
    """The section as plain JSON values; None for other methods. Small counts are null, as elsewhere."""
    made = evaluation.synthetic
    if made is None:
        return None
    hide = tables.hides_small_counts(evaluation)
    kept = ~(hide & (made.incidents < SMALLEST_COUNT))
    as_good, started = made.as_good, made.in_time
    return {
        "kind": made.kind,
        "donor_word": made.donor_word,
        "possible": made.possible,
        "effective": float(made.effective),
        "donors": [
            {
                "name": donor.name,
                "areas": list(donor.areas),
                "weight": float(donor.weight),
                "without": donor.without,
            }
            for donor in made.donors
        ],
        "fit": {
            "rmspe": float(made.fit.rmspe),
            "typical": made.fit.typical,
            "p_value": made.fit.p_value,
            "smallest_p": made.fit.smallest_p,
        },
        "as_good": None
        if as_good is None
        else {
            "low": as_good.low,
            "high": as_good.high,
            "slack_percent": as_good.slack,
            "unique": as_good.unique,
        },
        "in_time": {
            "start": started.start,
            "value": started.value,
            "p_value": started.p_value,
            "smallest_p": started.smallest_p,
            "why_missing": started.why_missing,
        },
        "series": [
            {
                "period": period,
                "window": "before" if at < made.before else "after",
                "recorded": float(made.recorded[at]) if kept[at] else None,
                "expected": float(made.expected[at]) if np.isfinite(made.expected[at]) else None,
            }
            for at, period in enumerate(made.periods)
        ],
    }
