"""Whole evaluations made by hand, one for each thing a report must word right."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from whatworks_eval.judgement import Evaluation, Finding, Grade, Kind, Measure, Source
from whatworks_eval.panel import InputFile, Ledger
from whatworks_eval.protocol import Protocol
from whatworks_eval.records import Contrast, Estimate, Placebo, Series, Windowed
from whatworks_eval.report import Form, render

SCALE = "Maryland Scientific Methods Scale (Farrington, Gottfredson, Sherman and Welsh 2002)"
HOSTILE = '<script>alert("x")</script>'
FARRINGTON = Source(
    key="Farrington et al. 2002",
    text="Farrington, D. P., Gottfredson, D. C., Sherman, L. W. and Welsh, B. C. (2002) The Maryland "
    "Scientific Methods Scale. In: Evidence-Based Crime Prevention. London: Routledge.",
)
YEARS = (tuple(f"2018-{m:02d}" for m in range(1, 13)), tuple(f"2019-{m:02d}" for m in range(1, 13)))


def make_protocol(**changes: Any) -> Protocol:
    """A protocol for police.uk data; any top-level table can be replaced."""
    made: dict[str, Any] = {
        "schema": 1,
        "id": "asb-hotspots-2019",
        "question": "Did the 2019 patrols reduce anti-social behaviour in the treated neighbourhoods?",
        "registered": "2018-11-01",
        "method": "relative-effect",
        "seed": 2019,
        "intervention": {"name": "Problem-oriented patrol", "start": "2019-01", "assignment": "volunteer"},
        "outcome": {"source": "police-uk", "path": "avon.zip", "offences": ["Anti-social behaviour"]},
        "windows": {"before": ["2018-01", "2018-12"], "after": ["2019-01", "2019-12"]},
        "areas": {"treated": ["E01000001", "E01000002"], "comparison": "rest", "unit": "contiguous"},
    }
    return Protocol.model_validate({**made, **changes})


def make_estimate(value: float | None, low: float | None, high: float | None, **changes: Any) -> Estimate:
    """An estimate from percentages, turned into log ratios."""

    def log(percent: float | None) -> float | None:
        return None if percent is None else math.log1p(percent / 100)

    made: dict[str, Any] = {
        "measure": "ratio of ratios",
        "value": log(value),
        "low": log(low),
        "high": log(high),
        "p_value": 0.012,
        "smallest_p": 0.0002,
        "confidence": 0.95,
        "inference": "9,999 placebo sets of 6 whole neighbourhoods",
        "recorded": 1210.0,
        "expected": None if value is None else 1210.0 / (1 + value / 100),
        "quantiles": tuple(np.linspace(-0.3, 0.1, 199).tolist()) if low is not None else (),
    }
    return Estimate(**{**made, **changes})


def finding(
    rule: str, cap: int = 5, kind: Kind = "caveat", message: str = "", start: int = 5, **changes: Any
) -> Finding:
    """A finding with one measure behind it."""
    made: dict[str, Any] = {
        "rule": rule,
        "threat": rule.split(".", maxsplit=1)[0],
        "kind": kind,
        "message": message or f"What {rule.split('.')[1].replace('-', ' ')} shows is written here.",
        "evidence": (Measure(name="Treated units", unit="units", value=6.0, threshold=6.0),),
        "source": FARRINGTON,
        "level_from": start,
        "level_to": min(cap, start),
        "cap": cap,
        "remedy": f"Answer {rule}.",
    }
    return Finding(**{**made, **changes})


def make_contrast(treated: int = 12, comparison: int = 90, buffer: int = 8) -> Contrast:
    """Areas in numbered order; two areas to a unit."""
    codes = [f"E010{number:05d}" for number in range(treated + comparison + buffer)]
    first, second = codes[:treated], codes[treated : treated + comparison]
    return Contrast(
        treated=tuple(first),
        comparison=tuple(second),
        buffer=tuple(codes[treated + comparison :]),
        units={code: f"unit {place // 2}" for place, code in enumerate([*first, *second])},
        unit_basis="contiguous",
        comparison_units=True,
        chosen="every other area in the data",
    )


def make_windowed(
    contrast: Contrast, treated: tuple[float, float], comparison: tuple[float, float]
) -> Windowed:
    """Totals by arm spread evenly over its areas."""
    areas = (*contrast.treated, *contrast.comparison, *contrast.buffer)
    sizes = (len(contrast.treated), len(contrast.comparison), len(contrast.buffer))
    arm = np.repeat(np.array(["treated", "comparison", "buffer"]), sizes)
    totals = (treated, comparison, (400.0, 380.0))
    return Windowed(
        areas=areas,
        arm=arm,
        weight=np.ones(len(areas)),
        before=np.concatenate([np.full(n, t[0] / max(n, 1)) for n, t in zip(sizes, totals, strict=True)]),
        after=np.concatenate([np.full(n, t[1] / max(n, 1)) for n, t in zip(sizes, totals, strict=True)]),
        months=(11.0, 11.0),
        periods=tuple(tuple(p for p in year if not p.endswith("-07")) for year in YEARS),  # type: ignore[arg-type]
        periods_dropped={"2019-07": "no file for this month", "2018-07": "counterpart of 2019-07"},
        areas_dropped={"E01099999": "missing in 4 of 24 months"},
        same_calendar=True,
        index=np.arange(len(areas)),
    )


def make_series(fall: float = 0.2, level: float = 120.0) -> Series:
    """Three years by month, with July 2019 missing; the treated fall from 2019 on."""
    periods = tuple(f"{year}-{month:02d}" for year in (2018, 2019, 2020) for month in range(1, 13))
    time = np.arange(36)
    rng = np.random.default_rng(7)
    counts = {}
    for arm, size in (("treated", level), ("comparison", 9 * level), ("buffer", 0.3 * level)):
        mean = (
            size
            * (1 + 0.15 * np.sin(time / 12 * 2 * np.pi))
            * np.where((time >= 12) & (arm == "treated"), 1 - fall, 1)
        )
        made = rng.poisson(mean).astype(float)
        made[18] = np.nan
        counts[arm] = made
    before = (time < 12) & (time != 6)
    return Series(
        periods=periods,
        counts=counts,
        index={arm: 100 * made / made[before].mean() for arm, made in counts.items()},
        before=before,
        after=(time >= 12) & (time < 24) & (time != 18),
        start="2019-01",
    )


def make_ledger(name: str = "2018-01/2018-01-avon-and-somerset-street.csv") -> Ledger:
    """Two files, three reasons for exclusion and one month without a file."""
    return Ledger(
        read=500_606,
        used=120_300,
        excluded={
            "another offence": {"2018-01": 190_000, "2018-02": 170_306},
            "no location": {"2018-01": 12_000},
            "area outside the force": {"2018-01": 8_000},
        },
        files=(
            InputFile(name=name, sha256="ab" * 32, rows=13_873),
            InputFile(name="b.csv", sha256="cd" * 32, rows=13_001),
        ),
        periods_without_file={"avon-and-somerset": ("2019-07",)},
        forces={"avon-and-somerset": {"2018-01": (13_000, 900)}},
        areas_dropped={"E01000777": "in another force"},
        notes=("Crime IDs were not de-duplicated.",),
    )


def make_placebo(observed: float | None) -> Placebo:
    """Placebo effects around zero."""
    effects = np.random.default_rng(3).normal(0, 0.07, 2000)
    return Placebo(
        effects=effects, observed=observed, sets=2000, exact=False, how="sets of 6 whole neighbourhoods"
    )


def make_centroids(contrast: Contrast) -> dict[str, tuple[float, float]]:
    """Points on a grid of a kilometre, the treated in one corner."""
    every = (*contrast.treated, *contrast.buffer, *contrast.comparison)
    return {area: (350_000 + 1000.0 * (n % 11), 170_000 + 1000.0 * (n // 11)) for n, area in enumerate(every)}


BASIC = (
    finding(
        "selection.baseline-level", 3, message="Treated areas recorded 1.9 times as many incidents per area."
    ),
    finding("selection.not-adjusted", 3, message="Comparison areas were neither matched nor adjusted."),
    finding("implementation.delivery", 5, "not assessed", "Nothing is said of how much was delivered."),
    finding(
        "selection.baseline-trend",
        3,
        "not assessed",
        "The slope before is too noisy to judge.",
        evidence=(Measure(name="Slope", unit="% a month", why_missing="11 periods before; 12 needed"),),
    ),
    finding("chance.few-units", 5, "clear", "There are 6 treated units and 45 comparison units."),
    finding("recording.known-break", 5, "clear", "No recording break is known in these windows."),
)


def evaluation(level: int = 3, ceiling: int = 4, **changes: Any) -> Evaluation:
    """A full evaluation over a panel; any field can be replaced."""
    contrast = make_contrast()
    findings = changes.pop("findings", BASIC)
    made: dict[str, Any] = {
        "protocol": make_protocol(),
        "ledger": make_ledger(),
        "contrast": contrast,
        "windowed": make_windowed(contrast, (1500.0, 1210.0), (11_000.0, 10_900.0)),
        "estimate": make_estimate(-18.6, -26.2, -10.1),
        "alternatives": (
            make_estimate(
                -18.6, -22.0, -15.0, label="Poisson interval", choice="inference", inference="Poisson"
            ),
            make_estimate(-14.2, -24.9, -2.0, label="level-matched areas", choice="comparison set"),
            make_estimate(-12.0, -27.0, 6.0, label="nearby areas", choice="comparison set", p_value=0.17),
            make_estimate(-16.0, -25.0, -6.0, label="longer baseline", choice="window"),
        ),
        "findings": findings,
        "grade": Grade(
            scale=SCALE,
            ceiling=ceiling,
            level=level,
            bound_by=tuple(dict.fromkeys(f.rule for f in findings if f.cap == level)),
            crosswalk={"What Works Centre for Local Economic Growth": min(level, 3)},
        ),
        "series": make_series(),
        "placebo": make_placebo(-0.206),
        "centroids": make_centroids(contrast),
    }
    return Evaluation(**{**made, **changes})


def large_drop() -> Evaluation:
    """A drop whose interval excludes zero, at level 3."""
    return evaluation()


def null_result() -> Evaluation:
    """An interval that holds zero and nothing as large as a tenth."""
    return evaluation(
        estimate=make_estimate(-1.1, -6.2, 4.3, p_value=0.71),
        placebo=make_placebo(-0.011),
        series=make_series(0.0),
    )


def imprecise() -> Evaluation:
    """An interval that holds zero and large changes both ways."""
    return evaluation(
        estimate=make_estimate(-2.0, -24.0, 26.0, p_value=0.88),
        placebo=make_placebo(-0.02),
        series=make_series(0.0),
    )


def hot_spot() -> Evaluation:
    """Places chosen for need and compared with the rest: level 2, regression to the mean."""
    need = finding(
        "regression.chosen-by-need",
        2,
        message="Places were chosen for need and compared with areas that recorded less.",
        remedy="Compare with areas of the same level before the start.",
    )
    return evaluation(
        2,
        4,
        protocol=make_protocol(
            intervention={"name": "Nothing was done", "start": "2019-01", "assignment": "need"},
            registered=None,
        ),
        findings=(need, *BASIC),
        estimate=make_estimate(-9.8, -15.4, -3.7),
        alternatives=(
            make_estimate(
                -9.8, -11.0, -8.5, label="Poisson interval", choice="inference", inference="Poisson"
            ),
            make_estimate(-0.9, -7.1, 5.8, label="level-matched areas", choice="comparison set", p_value=0.8),
        ),
    )


def before_after() -> Evaluation:
    """Treated areas alone."""
    contrast = make_contrast(12, 0, 0)
    alone = finding("history.no-comparison", 2, message="There is no comparison.")
    return evaluation(
        2,
        2,
        protocol=make_protocol(
            method="before-after",
            areas={"treated": ["E01000001"]},
            outcome={"source": "counts", "path": "a.csv"},
        ),
        contrast=Contrast(
            treated=contrast.treated,
            comparison=(),
            units=contrast.units,
            unit_basis="area",
            comparison_units=False,
            chosen="no comparison",
        ),
        windowed=make_windowed(contrast, (1500.0, 1210.0), (0.0, 0.0)),
        findings=(alone, *BASIC[2:]),
        estimate=make_estimate(
            -19.3, -30.2, -6.8, measure="ratio of after to before", inference="dispersion 4.0"
        ),
        alternatives=(),
        placebo=None,
    )


def published() -> Evaluation:
    """Published percentage changes: no counts, no interval."""
    outcome = {
        "source": "published-changes",
        "offences": ["Anti-social behaviour"],
        "changes": {"treated": -11.7, "comparison": -7.2, "decimals": 1},
    }
    none = {"p_value": None, "smallest_p": None, "recorded": None, "expected": None, "inference": "none"}
    ratio = 100 * (0.883 / 0.928 - 1)
    why = "only percentages are published; the four counts behind them would allow an interval"
    return evaluation(
        2,
        3,
        protocol=make_protocol(
            id="police-now-2016",
            question="Did it?",
            outcome=outcome,
            windows=None,
            areas=None,
            registered=None,
        ),
        ledger=Ledger(files=(InputFile(name="police-now-2016.toml", sha256="ef" * 32, rows=2),)),
        contrast=Contrast(
            treated=("treated",),
            comparison=("comparison",),
            units={},
            unit_basis="not stated",
            comparison_units=False,
            chosen="communities without a participant",
        ),
        windowed=None,
        findings=(
            finding("selection.stated", 2, message="Communities served are 'unusual outliers'."),
            *BASIC[2:],
        ),
        estimate=make_estimate(ratio, None, None, why_missing=why, **none),
        alternatives=(
            Estimate(
                measure="difference of percentage changes",
                scale="difference",
                unit="percentage points",
                value=-4.5,
                confidence=0.95,
                inference="none",
                why_missing=why,
                label="points between the two percentage changes",
                choice="effect measure",
            ),
            make_estimate(
                -4.74, None, None, label="rounding: smallest", choice="rounding", why_missing=why, **none
            ),
            make_estimate(
                -4.95, None, None, label="rounding: largest", choice="rounding", why_missing=why, **none
            ),
        ),
        series=None,
        placebo=None,
        centroids={},
    )


def totals() -> Evaluation:
    """Four published numbers."""
    contrast = Contrast(
        treated=("treated",),
        comparison=("comparison",),
        units={"treated": "treated"},
        unit_basis="not stated",
        comparison_units=False,
        chosen="as published",
    )
    outcome = {"source": "totals", "totals": {"treated": [398, 190], "comparison": [148, 97]}}
    return evaluation(
        2,
        3,
        protocol=make_protocol(outcome=outcome, windows=None, areas=None),
        ledger=Ledger(),
        contrast=contrast,
        windowed=Windowed(
            areas=("treated", "comparison"),
            arm=np.array(["treated", "comparison"]),
            weight=np.ones(2),
            before=np.array([398.0, 148.0]),
            after=np.array([190.0, 97.0]),
            months=(1.0, 1.0),
        ),
        findings=(finding("selection.comparability", 2, message="Comparability is not shown."), *BASIC[2:]),
        estimate=make_estimate(
            -27.2, -57.9, 25.9, p_value=0.26, smallest_p=None, recorded=190.0, expected=260.9
        ),
        alternatives=(),
        series=None,
        placebo=None,
        centroids={},
    )


def nothing_after() -> Evaluation:
    """Nothing recorded in the treated areas after: a limit and no value."""
    contrast = make_contrast(2, 90, 0)
    return evaluation(
        contrast=contrast,
        windowed=make_windowed(contrast, (14.0, 0.0), (1100.0, 1000.0)),
        estimate=make_estimate(
            None,
            None,
            -62.0,
            recorded=0.0,
            expected=12.7,
            why_missing="nothing was recorded in the treated areas after",
        ),
        alternatives=(
            make_estimate(
                None, None, 15.0, label="nearby areas", choice="comparison set", why_missing="as above"
            ),
        ),
        series=make_series(1.0, 2.0),
        placebo=make_placebo(None),
        centroids=make_centroids(contrast),
    )


def no_estimate() -> Evaluation:
    """Too little data for any number."""
    return evaluation(
        2,
        estimate=make_estimate(
            None,
            None,
            None,
            p_value=None,
            recorded=None,
            why_missing="both windows are empty in the comparison areas",
        ),
        alternatives=(),
        placebo=None,
    )


def no_interval() -> Evaluation:
    """One pair of units: a number, and no interval."""
    return evaluation(
        estimate=make_estimate(
            -14.0,
            None,
            None,
            p_value=0.4,
            smallest_p=0.2,
            why_missing="the smallest attainable p-value is 0.2",
        )
    )


def randomised() -> Evaluation:
    """A trial at level 5 whose interval excludes zero."""
    return evaluation(5, 5, findings=tuple(f for f in BASIC if f.kind == "clear"))


def higher() -> Evaluation:
    """A rise."""
    return evaluation(
        estimate=make_estimate(12.4, 3.3, 22.0),
        windowed=make_windowed(make_contrast(), (1500.0, 1710.0), (11_000.0, 10_900.0)),
        placebo=make_placebo(0.117),
        series=make_series(-0.12),
    )


def hostile() -> Evaluation:
    """Names that try to be markup, a formula or a terminal command wherever a name can stand."""
    protocol = make_protocol(
        question=f"{HOSTILE} did it?",
        intervention={
            "name": f"=cmd|' /C calc'!A0 {HOSTILE} \x1b[31m",
            "start": "2019-01",
            "assignment": "need",
        },
        outcome={"source": "counts", "path": f"{HOSTILE}.csv", "offences": [HOSTILE, "=1+1"]},
        areas={"treated": [HOSTILE, "=cmd"], "comparison": "rest"},
    )
    contrast = make_contrast()
    spoilt = Contrast(
        treated=(HOSTILE, "=cmd", *contrast.treated[2:]),
        comparison=contrast.comparison,
        buffer=contrast.buffer,
        units={HOSTILE: HOSTILE, "=cmd": "=cmd", **dict.fromkeys(contrast.treated[2:], "unit")},
        unit_basis="column",
        comparison_units=False,
        chosen=HOSTILE,
    )
    ledger = make_ledger(f"{HOSTILE}.csv")
    return evaluation(
        protocol=protocol,
        contrast=spoilt,
        ledger=Ledger(
            read=3,
            used=2,
            excluded={HOSTILE: {HOSTILE: 1}},
            files=ledger.files,
            periods_without_file={HOSTILE: ("2019-07",)},
            areas_dropped={HOSTILE: HOSTILE},
            notes=(HOSTILE,),
        ),
        findings=(finding("selection.not-adjusted", 3, message=HOSTILE, remedy=HOSTILE), *BASIC),
        centroids={**make_centroids(contrast), HOSTILE: (350_000.0, 170_000.0)},
    )


EVERY: dict[str, Callable[[], Evaluation]] = {
    made.__name__: made
    for made in (
        large_drop,
        null_result,
        imprecise,
        hot_spot,
        before_after,
        published,
        totals,
        nothing_after,
        no_estimate,
        no_interval,
        randomised,
        higher,
        hostile,
    )
}


@cache
def rendered(name: str, form: Form) -> str:
    """A fixture's report, rendered once for all tests that only read it."""
    return render(EVERY[name](), form)
