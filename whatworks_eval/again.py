"""What `whatworks reproduce` prints: published effects computed again, or published ratios checked."""

from __future__ import annotations

from pathlib import Path

from whatworks_eval.terminal import deliver, save


def print_effects(*, html: Path | None, json: str | None) -> None:
    """Print every published effect beside the computed one; write the page and the numbers where asked."""
    from whatworks_eval import reproduce as published
    from whatworks_eval.report.reproduced import as_text

    every = published.reproduce()
    told = as_text(every)
    if html is not None:
        from whatworks_eval.report.reproduce_page import reproductions_page

        told += f"\n\nWritten: {save(html, reproductions_page(every))}"
    deliver(told, lambda: published.as_json(every), json)


def print_ratios(*, json: str | None) -> None:
    """Print every published claim about money with what its stated inputs give."""
    from whatworks_eval.report.ratios import ratios_text
    from whatworks_eval.reproduce_economics import check_claims, ratios_as_json

    every = check_claims()
    deliver(ratios_text(every), lambda: ratios_as_json(every), json)
