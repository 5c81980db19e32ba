"""How alike neighbouring periods are once trend, season and the change at the start are taken out."""

from __future__ import annotations

import numpy as np

from whatworks_eval.errors import CannotEstimate
from whatworks_eval.inference.segmented import LEVEL, Line, fit_poisson, serial_error
from whatworks_eval.inference.series_sets import fit_shares
from whatworks_eval.inference.treated_series import arms_of
from whatworks_eval.judgement import Case, Measure
from whatworks_eval.panel import Panel


def autocorrelation(case: Case) -> tuple[Measure, Measure]:
    """Correlation of one period's residual with the next, and variance of a count over its mean.

    Both by restricted maximum likelihood, which allows for the coefficients fitted. With a comparison they
    are of the treated count given the total of both arms.
    """
    names = "correlation of one period's residual with the next", "variance over mean within the series"

    def missing(why: str) -> tuple[Measure, Measure]:
        return (
            Measure(name=names[0], unit="correlation", why_missing=why),
            Measure(name=names[1], unit="ratio", why_missing=why),
        )

    if not isinstance(case.data, Panel) or case.windowed is None:
        return missing("there is no series of periods")
    arms = arms_of(case.protocol, case.data, case.windowed)
    if arms.too_little is not None:
        return missing(arms.too_little)
    if arms.comparison is None:
        try:
            line = fit_poisson(arms.treated, arms.design, arms.exposure)
        except CannotEstimate as problem:
            return missing("; ".join(problem.problems))
        counts = arms.treated
    else:
        found, settled = fit_shares(arms.treated[None], arms.comparison[None], arms.design)
        if not settled[0]:
            return missing("too few incidents are spread over the windows for a fit")
        # A count given the total has variance Nπ(1-π): with that as the mean, its residual is as a Poisson
        # one.
        share = 1 / (1 + np.exp(-arms.design @ found[0]))
        total = arms.treated + arms.comparison
        mean = np.maximum(total * share * (1 - share), 1e-9)
        counts = mean + arms.treated - total * share
        line = Line(params=found[0], fitted=mean, without=mean, design=arms.design)
    serial = serial_error(
        counts, line, arms.time, np.eye(arms.design.shape[1])[LEVEL : LEVEL + 1], seed=0, draws=1
    )
    return (
        Measure(name=names[0], unit="correlation", value=serial.next_period),
        Measure(name=names[1], unit="ratio", value=serial.dispersion),
    )
