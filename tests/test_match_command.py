"""`whatworks match`: chosen from before the start alone, shown, written, and nothing estimated."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from matched_designs import AREAS, BEFORE, HOSTILE, TREATED, made

from whatworks_eval import cli
from whatworks_eval.before_start import before_start
from whatworks_eval.errors import DataError
from whatworks_eval.evaluation import evaluate
from whatworks_eval.match_command import choose
from whatworks_eval.panel import Panel
from whatworks_eval.protocol import load_protocol
from whatworks_eval.report.likeness_section import likeness_dict
from whatworks_eval.sources import load_data
from whatworks_eval.sources.outlines import read_outlines


class Done(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def whatworks(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command."""

    def run(*words: str | Path) -> Done:
        with pytest.raises(SystemExit) as left:
            cli.main([str(word) for word in words])
        shown = capsys.readouterr()
        return Done(int(left.value.code or 0), shown.out, shown.err)

    return run


def all_of(whatworks: Run, folder: Path, **how: Any) -> tuple[bytes, ...]:
    """Every byte `whatworks match` gives for a design: stdout, list, page, JSON."""
    design = made(folder, **how)
    done = whatworks("match", design, "--out", folder / "out", "--json", folder / "m.json")
    assert done.code == 0, done.err
    written = (folder / "out" / "match.csv", folder / "out" / "match.html", folder / "m.json")
    return (done.out.encode(), *(path.read_bytes() for path in written))


@pytest.mark.parametrize(
    "matching",
    [
        {},
        {"on": ["before_level"]},
        {"on": ["before_level", "before_trend", "imd_score"], "algorithm": "optimal", "per_treated": 2},
        {"algorithm": "entropy"},
        {"distance": "propensity", "caliper": 0.8},
        {"algorithm": "cardinality", "tolerance": 0.3, "per_treated": 2},
    ],
    ids=["nearest", "level", "optimal", "entropy", "propensity", "cardinality"],
)
def test_no_count_after_the_start_changes_a_byte(
    whatworks: Run, tmp_path: Path, matching: dict[str, Any]
) -> None:
    """Every count after the start changed: list, balance, page, JSON and print are the same bytes."""
    one = all_of(whatworks, tmp_path, matching=matching)
    assert one == all_of(whatworks, tmp_path, matching=matching, after=3.0, after_seed=77)


@pytest.mark.parametrize(
    ("matching", "said"),
    [
        (
            {"on": ["before_level", "before_trend", "imd_score"], "per_treated": 1},
            "the nearest area in level before the start, trend before the start and IMD score "
            "(Mahalanobis distance)",
        ),
        ({"on": ["imd_score"]}, "the 3 nearest areas in IMD score"),
        (
            {"algorithm": "cardinality", "tolerance": 0.3, "per_treated": 1},
            "one area for each treated area, chosen so that both groups are alike on average in level before "
            "the start and IMD score (paired by Mahalanobis distance)",
        ),
        ({"algorithm": "entropy"}, "other areas weighted to balance level before the start and IMD score"),
    ],
    ids=["nearest", "one feature", "cardinality", "entropy"],
)
def test_how_it_was_chosen_is_said_in_words(
    whatworks: Run, tmp_path: Path, matching: dict[str, Any], said: str
) -> None:
    """An English list of names a reader knows; no key of the protocol stands in the text, JSON keeps them."""
    path = made(tmp_path, matching=matching)
    done = whatworks("match", str(path))
    assert f"Chosen: {said}, out of" in " ".join(done.out.split())
    assert "imd_score" not in done.out
    protocol = load_protocol(path)
    likeness = choose(protocol, load_data(protocol)).likeness
    assert likeness is not None
    assert "imd_score" in {one["name"] for one in likeness_dict(likeness)["features"]}


def test_counts_before_the_start_do_change_it(whatworks: Run, tmp_path: Path) -> None:
    """The check above can fail: other counts before the start give another list."""
    assert all_of(whatworks, tmp_path)[1] != all_of(whatworks, tmp_path, seed=5)[1]


def test_data_that_end_before_the_start_will_do(whatworks: Run, tmp_path: Path) -> None:
    """A comparison can be chosen before the project begins, and it is the same one."""
    assert all_of(whatworks, tmp_path) == all_of(whatworks, tmp_path, periods=BEFORE)


def test_the_match_is_the_one_the_evaluation_uses(tmp_path: Path) -> None:
    """What `match` lists is who `evaluate` compares, areas left out included."""
    protocol = load_protocol(made(tmp_path, matching={"caliper": 0.2}))
    data = load_data(protocol)
    chosen, evaluation = choose(protocol, data), evaluate(protocol, data)
    assert chosen.contrast == evaluation.contrast
    assert chosen.likeness == evaluation.likeness
    listed = {(row.treated, row.comparison) for row in chosen.rows if row.comparison}
    assert listed == set(evaluation.contrast.pairs)
    assert {row.treated for row in chosen.rows if not row.comparison} == set(evaluation.contrast.unmatched)


@pytest.mark.parametrize("matching", [{}, {"algorithm": "entropy"}, {"replacement": False}])
def test_shares_of_each_treated_area_add_up_to_one(tmp_path: Path, matching: dict[str, Any]) -> None:
    """What the areas of one comparison count for is a whole."""
    protocol = load_protocol(made(tmp_path, matching=matching))
    sums: dict[str, float] = {}
    for row in choose(protocol, load_data(protocol)).rows:
        sums[row.treated] = sums.get(row.treated, 0.0) + (row.share or 0.0)
    assert sums
    assert list(sums.values()) == pytest.approx([1.0] * len(sums))


def test_nothing_after_the_start_is_left_in_the_data(tmp_path: Path) -> None:
    """What is matched from holds no count from the start on; what was observed stays."""
    protocol = load_protocol(made(tmp_path))
    data = load_data(protocol)
    assert isinstance(data, Panel)
    early = before_start(protocol, data)
    late = [period >= "2019-01" for period in early.periods]
    assert not early.counts[:, late].any()
    assert (early.observed == data.observed).all()
    kept = ~np.array(late)
    assert (early.counts[:, kept] == data.counts[:, kept]).all()


def test_names_that_bite_are_only_text(whatworks: Run, tmp_path: Path) -> None:
    """A name that is a formula, a script or holds a comma is shown and written as text."""
    areas = (*HOSTILE, *AREAS)
    design = made(tmp_path, areas=areas, treated=HOSTILE, matching={"on": ["before_level"]})
    text = design.read_text("utf-8")  # their codes are of no census, so there is no index to join
    design.write_text(text[: text.index("[covariates")] + text[text.index("[matching]") :], encoding="utf-8")
    done = whatworks("match", design, "--out", tmp_path / "out")
    assert done.code == 0, done.err
    page = (tmp_path / "out" / "match.html").read_text("utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "\u202e" not in page
    with (tmp_path / "out" / "match.csv").open(encoding="utf-8", newline="") as held:
        rows = list(csv.DictReader(held))
    first = {row["treated"] for row in rows}
    assert first == {"'" + name if name[0] in "=+-@" else name for name in HOSTILE}


def test_areas_left_out_restate_whose_effect_it_is(whatworks: Run, tmp_path: Path) -> None:
    """Treated areas without a like are named with the reason, and the estimand says how many are left."""
    design = made(tmp_path, matching={"caliper": 0.12, "on": ["before_level", "imd_score"]})
    done = whatworks("match", design, "--out", tmp_path / "out", "--json", "-")
    assert done.code == 0, done.err
    found = json.loads(done.out)["matching"]
    left = found["unmatched"]
    assert 0 < len(left) < len(TREATED)
    assert found["estimand"].startswith(f"The effect is for the {found['matched']} of 6 treated areas that")
    assert found["matched"] == 6 - len(left)
    for area, why in left.items():
        assert area in done.err
        assert "0.12 SD" in why


def test_nothing_is_estimated(whatworks: Run, tmp_path: Path) -> None:
    """Neither print nor page nor JSON holds an effect, a level or a count from the after window."""
    told = [part.decode() for part in all_of(whatworks, tmp_path)]
    for part in told:
        assert "2019-0" not in part.replace("2019-01", "")
        assert "percent_change" not in part
        assert "level at most" not in part
    assert "no effect was estimated" in " ".join(told[0].split())


def test_what_cannot_be_done_leaves_with_its_code(whatworks: Run, tmp_path: Path) -> None:
    """Usage 2, protocol 10, data 11, no match 12; never a traceback."""
    design = made(tmp_path)
    (tmp_path / "plain").write_text("x", encoding="utf-8")
    out = tmp_path / "out"
    cases = [
        (2, "no such folder", ("match", design, "--data", tmp_path / "none")),
        (2, "is a file", ("match", design, "--out", tmp_path / "plain")),
        (10, "nothing to match", ("match", made(tmp_path / "rest", comparison="rest"))),
        (10, "nothing to match", ("match", "police-now-2016")),
        (11, "cannot be read", ("match", design, "--out", out, "--boundaries", tmp_path / "none.geojson")),
        (11, "is not GeoJSON", ("match", design, "--out", out, "--boundaries", tmp_path / "plain")),
        (12, "no treated area", ("match", made(tmp_path / "c", matching={"caliper": 1e-9}), "--out", out)),
    ]
    for code, says, words in cases:
        done = whatworks(*words)
        assert (done.code, says in done.err, "Traceback" in done.err) == (code, True, False), done.err
    assert not out.exists()


def outlines(folder: Path, areas: tuple[str, ...], *, square: Any = None, zipped: bool = False) -> Path:
    """A GeoJSON file with a square for each area."""
    features = [
        {
            "type": "Feature",
            "properties": {"name": "<b>", "LSOA11CD": area},
            "geometry": {
                "type": "Polygon",
                "coordinates": square
                or [
                    [
                        [at * 0.01, 51.0],
                        [at * 0.01 + 0.01, 51.0],
                        [at * 0.01 + 0.01, 51.01],
                        [at * 0.01, 51.0],
                    ]
                ],
            },
        }
        for at, area in enumerate(areas)
    ]
    held = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    path = folder / ("b.geojson.gz" if zipped else "b.geojson")
    path.write_bytes(gzip.compress(held) if zipped else held)
    return path


@pytest.mark.parametrize("zipped", [False, True])
def test_a_map_with_boundaries_is_drawn(whatworks: Run, tmp_path: Path, zipped: bool) -> None:
    """Boundaries give shapes; areas without one are counted under the map."""
    design = made(tmp_path)
    file = outlines(tmp_path, AREAS[1:], zipped=zipped)
    assert whatworks("match", design, "--out", tmp_path / "out", "--boundaries", file).code == 0
    page = (tmp_path / "out" / "match.html").read_text("utf-8")
    assert 'id="outlines"' in page
    assert "lacks 1 area used here" in page


def test_longitude_and_latitude_become_metres(tmp_path: Path) -> None:
    """A hundredth of a degree at 51 north is 1,112 m up and 700 m across, within a metre."""
    (ring,) = read_outlines(outlines(tmp_path, AREAS[:1]), AREAS).rings[AREAS[0]]
    wide, tall = np.ptp(ring, axis=0)
    assert (wide, tall) == (pytest.approx(699.8, abs=1.0), pytest.approx(1111.9, abs=1.0))


@pytest.mark.parametrize(
    "square", [[[["a", 1], [1, 2], [2, 2]]], [[[0, 0], [1, 1]]], [[[0], [1], [2]]], [[5]], 5, [7]]
)
def test_broken_outlines_are_refused(tmp_path: Path, square: Any) -> None:
    """A ring that is none is an error that names the feature."""
    with pytest.raises(DataError, match="feature 1: a ring"):
        read_outlines(outlines(tmp_path, AREAS[:1], square=square), AREAS)
