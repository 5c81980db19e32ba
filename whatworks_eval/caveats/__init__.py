"""The rules: one file each, listed here in the order they are asked. No registration by import.

A design rule asks the protocol alone; an evidence rule asks a Case. Each may say "at most n" and none can
raise a level. Add a rule: one file with a RULE in it, one import and one line in a table below.
"""

from __future__ import annotations

import difflib

from whatworks_eval.caveats import (
    analysis_carry_over,
    analysis_forbidden_comparisons,
    analysis_functional_form,
    analysis_harm_weights,
    analysis_impossible_effect,
    analysis_no_information,
    analysis_overlapping_estimates,
    analysis_percent_or_points,
    analysis_scale_disagreement,
    analysis_several_outcomes,
    analysis_stated_weakness,
    analysis_subgroup,
    analysis_unit_not_stated,
    analysis_unregistered,
    chance_adjoining_areas,
    chance_detectable_effect,
    chance_dispersion,
    chance_donor_drives,
    chance_few_clusters,
    chance_few_comparison_areas,
    chance_few_incidents,
    chance_few_lots,
    chance_few_units,
    chance_one_unit_an_arm,
    chance_one_unit_drives,
    chance_single_area_cohorts,
    chance_small_base,
    chance_smallest_p,
    chance_spatial_correlation,
    chance_zero_cells,
    displacement_buffer_touches_comparison,
    displacement_comparison_touched,
    displacement_found,
    displacement_neighbour_exposure,
    displacement_no_buffer,
    displacement_too_noisy,
    history_anticipation,
    history_autocorrelation,
    history_calendar_months,
    history_covid,
    history_on_days,
    history_other_programmes,
    history_seasonal_windows,
    history_short_before,
    implementation_attrition,
    implementation_delivery,
    implementation_evaluator,
    implementation_units_lost,
    recording_declared_change,
    recording_detection_driven,
    recording_known_break,
    recording_missing_periods,
    recording_tipping_point,
    recording_unlocated,
    regression_chosen_by_need,
    regression_deprivation_alone,
    regression_earlier_baseline,
    regression_run_up,
    reporting_expected_change,
    selection_baseline_level,
    selection_baseline_trend,
    selection_block_shares,
    selection_circular_matching,
    selection_common_support,
    selection_comparability_stated,
    selection_comparison_choice,
    selection_composition,
    selection_differing_trends,
    selection_edition_mismatch,
    selection_hidden_confounder,
    selection_imbalance,
    selection_match_drives_answer,
    selection_no_comparison,
    selection_not_adjusted,
    selection_not_random,
    selection_outside_range,
    selection_pre_fit,
    selection_pre_trend,
    selection_two_series,
    selection_untouched_offences,
    selection_weights_not_unique,
)
from whatworks_eval.caveats.applies import asked
from whatworks_eval.caveats.surveys import judge_of, suits
from whatworks_eval.errors import ProtocolError
from whatworks_eval.judgement import BEST_LEVEL, Case, DesignRule, EvidenceRule, Finding, Judged, Verdict
from whatworks_eval.protocol import Protocol

DESIGN_RULES: tuple[DesignRule, ...] = (
    selection_no_comparison.RULE,
    selection_comparability_stated.RULE,
    selection_not_adjusted.RULE,
    selection_not_random.RULE,
    selection_two_series.RULE,
    regression_chosen_by_need.RULE,
    selection_circular_matching.RULE,
    selection_edition_mismatch.RULE,
    analysis_unregistered.RULE,
    analysis_unit_not_stated.RULE,
    history_short_before.RULE,
    history_calendar_months.RULE,
    history_seasonal_windows.RULE,
    history_covid.RULE,
    history_other_programmes.RULE,
    recording_declared_change.RULE,
    recording_detection_driven.RULE,
    analysis_harm_weights.RULE,
    reporting_expected_change.RULE,
    displacement_comparison_touched.RULE,
    displacement_no_buffer.RULE,
    implementation_attrition.RULE,
    implementation_delivery.RULE,
    implementation_evaluator.RULE,
    analysis_subgroup.RULE,
    analysis_percent_or_points.RULE,
    analysis_stated_weakness.RULE,
)
"""Asked of the protocol alone, in this order."""

EVIDENCE_RULES: tuple[EvidenceRule, ...] = (
    selection_baseline_level.RULE,
    selection_baseline_trend.RULE,
    selection_pre_trend.RULE,
    selection_pre_fit.RULE,
    selection_weights_not_unique.RULE,
    selection_differing_trends.RULE,
    selection_composition.RULE,
    selection_outside_range.RULE,
    selection_block_shares.RULE,
    selection_imbalance.RULE,
    selection_common_support.RULE,
    selection_comparison_choice.RULE,
    selection_untouched_offences.RULE,
    selection_match_drives_answer.RULE,
    selection_hidden_confounder.RULE,
    history_autocorrelation.RULE,
    history_on_days.RULE,
    regression_run_up.RULE,
    regression_earlier_baseline.RULE,
    regression_deprivation_alone.RULE,
    history_anticipation.RULE,
    recording_missing_periods.RULE,
    implementation_units_lost.RULE,
    recording_unlocated.RULE,
    recording_known_break.RULE,
    recording_tipping_point.RULE,
    analysis_carry_over.RULE,
    analysis_overlapping_estimates.RULE,
    analysis_several_outcomes.RULE,
    analysis_forbidden_comparisons.RULE,
    analysis_no_information.RULE,
    analysis_functional_form.RULE,
    chance_one_unit_an_arm.RULE,
    chance_few_units.RULE,
    chance_few_clusters.RULE,
    chance_few_comparison_areas.RULE,
    chance_single_area_cohorts.RULE,
    chance_few_lots.RULE,
    chance_adjoining_areas.RULE,
    chance_spatial_correlation.RULE,
    chance_smallest_p.RULE,
    chance_one_unit_drives.RULE,
    chance_donor_drives.RULE,
    chance_small_base.RULE,
    chance_few_incidents.RULE,
    chance_dispersion.RULE,
    chance_detectable_effect.RULE,
    chance_zero_cells.RULE,
    analysis_scale_disagreement.RULE,
    analysis_impossible_effect.RULE,
    displacement_found.RULE,
    displacement_neighbour_exposure.RULE,
    displacement_too_noisy.RULE,
    displacement_buffer_touches_comparison.RULE,
)
"""Asked of the protocol, the data and the estimate together, in this order."""

RULES: tuple[DesignRule | EvidenceRule, ...] = (*DESIGN_RULES, *EVIDENCE_RULES)
"""Every rule, design rules first."""


def ask_design(protocol: Protocol) -> tuple[Finding, ...]:
    """What the design rules say of a protocol, each finding starting from the best level."""
    findings: list[Finding] = []
    for rule in DESIGN_RULES:
        if asked(rule.applies_to, protocol) and suits(rule.id, protocol):
            findings += _findings(rule, rule.judge(protocol), BEST_LEVEL)
    return tuple(findings)


def ask_evidence(case: Case, ceiling: int) -> tuple[Finding, ...]:
    """What the evidence rules say of a case, each finding starting from the ceiling of its design."""
    findings: list[Finding] = []
    for rule in EVIDENCE_RULES:
        if asked(rule.applies_to, case.protocol) and suits(rule.id, case.protocol):
            findings += _findings(rule, judge_of(rule.id, rule.judge, case)(case), ceiling)
    return tuple(findings)


def find_rule(rule_id: str) -> DesignRule | EvidenceRule:
    """The rule with this id.

    Raises:
        ProtocolError: There is none; the message names the nearest.

    Example:
        >>> find_rule("history.covid").threat
        'history'
    """
    by_id = {rule.id: rule for rule in RULES}
    if rule_id in by_id:
        return by_id[rule_id]
    # The second half alone is often what is remembered: 'covid' for 'history.covid'.
    near = [known for known in by_id if known.split(".", 1)[1] == rule_id.strip().casefold()]
    near += difflib.get_close_matches(rule_id, by_id, n=3, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else "`whatworks rules` lists them"
    raise ProtocolError(f"no rule called '{rule_id}'; {hint}")


def _findings(rule: DesignRule | EvidenceRule, judged: Judged, level_from: int) -> list[Finding]:
    verdicts = () if judged is None else (judged,) if isinstance(judged, Verdict) else judged
    return [
        Finding(
            rule=rule.id,
            threat=verdict.threat or rule.threat,
            kind=verdict.kind,
            message=verdict.message,
            evidence=verdict.evidence,
            source=verdict.source or rule.source,
            level_from=level_from,
            level_to=min(level_from, verdict.cap),
            remedy=rule.remedy,
            cap=verdict.cap,
        )
        for verdict in verdicts
    ]
