"""Words, tables and pictures from records: nothing here computes an effect or judges one.

numerals ─► subject ─► words ─► tables ─► text · page (charts, map) · as_json
"""

from __future__ import annotations

from typing import Literal

from whatworks_eval.judgement import Evaluation
from whatworks_eval.report.appraisal import render_appraisal

Form = Literal["text", "json", "html"]
FORMS: tuple[Form, ...] = ("text", "json", "html")


def render(evaluation: Evaluation, form: Form = "text") -> str:
    """The evaluation as text for a terminal, JSON for a machine or one HTML file for a reader.

    The level stands beside the number in every form; no form can leave it out.

    Example:
        >>> from whatworks_eval import evaluate, load_data, load_protocol
        >>> from whatworks_eval.shipped import shipped_path
        >>> protocol = load_protocol(shipped_path("designs", "police-now-2016"))
        >>> evaluation = evaluate(protocol, load_data(protocol))
        >>> render(evaluation).splitlines()[0]
        'Did recorded anti-social behaviour fall more in communities with a Police Now participant than in'
    """
    if form == "text":
        from whatworks_eval.report.text import as_text

        return as_text(evaluation)
    if form == "json":
        from whatworks_eval.report.as_json import as_json

        return as_json(evaluation)
    if form == "html":
        from whatworks_eval.report.page import as_html

        return as_html(evaluation)
    raise ValueError(f"form is {form!r}; expected one of {', '.join(map(repr, FORMS))}")


__all__ = ["FORMS", "Form", "render", "render_appraisal"]
