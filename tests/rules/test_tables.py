"""The tables of rules are complete, and what rules say of themselves is fit to print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from whatworks_eval import caveats
from whatworks_eval.caveats import DESIGN_RULES, EVIDENCE_RULES, RULES, find_rule, page
from whatworks_eval.errors import ProtocolError
from whatworks_eval.judgement import DesignRule, EvidenceRule
from whatworks_eval.methods import METHODS

FOLDER = Path(caveats.__file__).parent
NOT_RULES = {"__init__", "applies", "page", "references", "surveys", "wording"}
DOCS = FOLDER.parent.parent / "docs" / "reference"
NEVER = re.compile(r"\bprov(ed|en)\b|\bsignificant|\bno effect\b|\bcontrol groups?\b", re.IGNORECASE)

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


def test_every_file_is_in_its_table() -> None:
    """A file in the folder holds one rule, named after it, and that rule is in a table."""
    files = {path.stem for path in FOLDER.glob("*.py")} - NOT_RULES
    assert files == {rule.id.replace(".", "_").replace("-", "_") for rule in RULES}


def test_each_rule_is_listed_once() -> None:
    """No rule is asked twice, and each is in the table of its own sort."""
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
    assert all(isinstance(rule, DesignRule) for rule in DESIGN_RULES)
    assert all(isinstance(rule, EvidenceRule) for rule in EVIDENCE_RULES)


@every_rule
def test_every_method_has_an_answer(rule: DesignRule | EvidenceRule) -> None:
    """Each (method, rule) pair has been thought about, and no method that does not exist is named."""
    assert set(rule.applies_to) == set(METHODS)


@every_rule
def test_ids_name_their_threat(rule: DesignRule | EvidenceRule) -> None:
    """An id is 'threat.name'."""
    assert rule.id.split(".")[0] == rule.threat
    assert re.fullmatch(r"[a-z]+\.[a-z]+(-[a-z]+)*", rule.id)


@every_rule
def test_rules_explain_themselves(rule: DesignRule | EvidenceRule) -> None:
    """A rule asks a question, gives a reason, says what to do and where it comes from, in our words."""
    assert rule.asks.endswith("?")
    assert rule.why.endswith(".")
    assert rule.remedy.endswith(".")
    assert len(rule.source.key) > 5
    assert len(rule.source.text) > len(rule.source.key)
    assert not NEVER.search(" ".join((rule.asks, rule.why, rule.remedy)))


def test_a_rule_is_found_by_its_id() -> None:
    """Every id leads to its rule."""
    assert all(find_rule(rule.id) is rule for rule in RULES)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("history.covd", "history.covid"),
        ("covid", "history.covid"),
        ("regression.runup", "regression.run-up"),
    ],
)
def test_a_mistyped_id_is_answered_with_the_nearest(typed: str, meant: str) -> None:
    """The error names what was probably meant, and is one of ours."""
    with pytest.raises(ProtocolError, match=f"did you mean '{re.escape(meant)}'"):
        find_rule(typed)


def test_an_id_like_nothing_points_to_the_list() -> None:
    """Where nothing is near, the error says where to look."""
    with pytest.raises(ProtocolError, match="whatworks rules"):
        find_rule("zzzzzzzz")


def test_the_page_in_docs_is_the_generated_one() -> None:
    """docs/reference/rules.md cannot drift from the rules.

    Write it again with: python -m whatworks_eval.caveats.page > docs/reference/rules.md
    """
    assert (DOCS / "rules.md").read_text("utf-8") == page.rules_page()


def test_the_table_and_the_explanation_name_every_rule() -> None:
    """What the terminal shows leaves no rule out."""
    table = page.rules_table()
    for rule in RULES:
        assert rule.id in table
        said = " ".join(page.explain(rule.id).split())
        assert " ".join(rule.why.split()) in said
        assert " ".join(rule.source.text.split()) in said
