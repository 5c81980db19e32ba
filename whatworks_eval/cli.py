"""What is typed at the prompt: read, call, print. No statistics here.

Exit codes: 0 done · 2 usage · 10 protocol · 11 data · 12 design cannot support the estimate · 70 bug.
Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from whatworks_eval import __version__
from whatworks_eval.errors import DataError, ProtocolError, WhatWorksError, visible
from whatworks_eval.terminal import (
    UsageProblem,
    aside,
    evaluated,
    filled,
    folder_for,
    guarded,
    read,
    rendered,
    save,
    summary,
    write,
)

BUG = 70
DEMO = "simulated-neighbourhoods"

app = typer.Typer(
    name="whatworks",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # rich would swallow [windows] in a message
    pretty_exceptions_enable=False,
)
Design = Annotated[str, typer.Argument(metavar="FILE", help="Design (TOML), or the name of a shipped one.")]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder that outcome.path is relative to; absent = the design's own."),
]
Numbers = Annotated[
    str | None, typer.Option("--json", metavar="FILE", help="Write the JSON here too; - = only to stdout.")
]
Out = Annotated[Path | None, typer.Option("--out", help="Folder to write to; absent = out/ID.")]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code; a traceback only with --debug."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(encoding="utf-8", errors="backslashreplace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    try:
        app(args=[word for word in words if word != "--debug"], prog_name="whatworks")
    except WhatWorksError as error:
        if debug:
            raise
        aside(str(error))
        sys.exit(error.exit_code)
    except OSError as error:  # the place written to is full or gone, or a file was closed to us on the way
        if debug:
            raise
        where, why = visible(str(error.filename or "standard output")), error.strerror or error
        aside(f"- {where}: cannot be {'read' if error.filename else 'written'} ({why})")
        sys.exit(DataError.exit_code if error.filename else UsageProblem.exit_code)
    except Exception as error:
        if debug:
            raise
        aside(
            f"{type(error).__name__}: {visible(str(error))}\nThis is a fault in whatworks, not in your "
            "files. Please report it with what the same command prints when --debug is added."
        )
        sys.exit(BUG)
    sys.exit(0)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"whatworks {__version__}")
        raise typer.Exit


@app.callback()
def _whatworks(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of any error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and leave.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Did a policing project change crime, how sure can we be, and how strong is the design?

    Exit codes: 0 done, 2 usage, 10 protocol, 11 data, 12 the design cannot support the estimate, 70 a fault
    in the tool. Results go to standard output, everything else to standard error.
    """


@app.command()
def demo(out: Out = None) -> None:
    """Evaluate the shipped, simulated example.

    Writes report.html and result.json, as for a design of your own.
    """
    from whatworks_eval.caveats.wording import percent
    from whatworks_eval.shipped import shipped_path
    from whatworks_eval.toml_file import read_toml

    evaluation = evaluated(read(str(shipped_path("designs", DEMO))), data=None)
    about = read_toml(shipped_path("datasets", DEMO) / "dataset.toml")
    truth = (
        f"SIMULATED DATA: made up by a program with seed {about['seed']}; the effect put in is "
        f"{percent(about['true_effect_percent'])}. No police force and no real place is in it."
    )
    print(f"{filled(truth)}\n")
    print(summary(evaluation))
    written = write(evaluation, out)
    print(
        f"\nReport: {written[0]}\nNumbers: {written[1]}\n\nNext: open the report in a browser. To declare a "
        f"design of your own, start from\n  {shipped_path('designs', 'template')}\n"
        "and ask what level it could reach, before any data are seen, with\n  whatworks check my-design.toml"
    )


@app.command()
def check(file: Design) -> None:
    """Say what level a design could reach.

    Needs no data, so that it can be asked before the project starts.
    """
    from whatworks_eval.evaluation import appraise
    from whatworks_eval.report import render_appraisal

    print(render_appraisal(appraise(read(file))))


@app.command()
def run(
    file: Design,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder that outcome.path is relative to; absent = the design's own."),
    ] = None,
    out: Out = None,
    json: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE", help="Write the JSON here too; - = only to stdout."),
    ] = None,
) -> None:
    """Evaluate a design on its data.

    Reads the data, estimates, judges, and writes report.html and result.json.
    """
    protocol = read(file)
    if data is not None and not data.is_dir():
        raise UsageProblem(f"--data {data}: there is no such folder")
    folder_for(protocol.id, out)
    evaluation = evaluated(protocol, data)
    written = write(evaluation, out)
    if json is not None and json != "-":
        written += (save(Path(json), rendered(evaluation, "json")),)
    told = "\n".join([summary(evaluation), "", *(f"Written: {path}" for path in written)])
    if json == "-":
        aside(told)
        print(rendered(evaluation, "json"), end="")
    else:
        print(told)


Two = tuple[float, float]


@app.command()
def calc(
    treated: Annotated[Two, typer.Option("--treated", help="Incidents before and after, treated areas.")],
    comparison: Annotated[Two, typer.Option("--comparison", help="The same, comparison areas.")],
    buffer: Annotated[
        Two | None, typer.Option("--buffer", help="The same, nearby areas that could take what moves.")
    ] = None,
    buffer_comparison: Annotated[
        Two | None,
        typer.Option("--buffer-comparison", help="The same, what only the buffer is compared with."),
    ] = None,
    periods: Annotated[Two, typer.Option("--periods", help="Months in the before and the after window.")] = (
        1.0,
        1.0,
    ),
    phi: Annotated[float, typer.Option("--phi", help="Assumed variance of a count over its mean.")] = 4.0,
    comparability: Annotated[
        str, typer.Option("--comparability", help="Why the comparison is like the treated: level 3 at most.")
    ] = "",
    assignment: Annotated[
        str | None,
        typer.Option("--assignment", help="How places came to be treated: need, volunteer, random, ..."),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--start", help="First month with the project running, as 2019-01.")
    ] = None,
    add_half: Annotated[
        bool, typer.Option("--add-half", help="Add 0.5 to each count where one of them is zero.")
    ] = False,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write the JSON here; - = only to stdout.")
    ] = None,
) -> None:
    """Take a first look at four counts.

    Needs no design: makes one, evaluates it and prints it for `whatworks run`.
    """
    from whatworks_eval import calc as four_counts

    arms = {"--treated": treated, "--comparison": comparison}
    beside = {"--buffer": buffer, "--buffer-comparison": buffer_comparison}
    if problems := four_counts.problems_with({**arms, **beside}, periods, phi):
        raise UsageProblem(problems)
    evaluation = four_counts.first_look(
        treated=treated,
        comparison=comparison,
        buffer=buffer,
        buffer_comparison=buffer_comparison,
        periods=periods,
        phi=phi,
        comparability=comparability,
        assignment=assignment or "volunteer",
        start=start or four_counts.NOT_STATED,
        add_half=add_half,
    )
    told = four_counts.as_text(evaluation, assignment_stated=assignment is not None)
    if json == "-":
        aside(told)
        print(rendered(evaluation, "json"), end="")
        return
    print(told)
    if json is not None:
        aside(f"Written: {save(Path(json), rendered(evaluation, 'json'))}")


@app.command()
def panel(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Folder or zip of force-months.")],
    out: Annotated[Path, typer.Option("--out", help="File to write: .parquet or .csv.")],
    source: Annotated[str, typer.Option("--source", help="What PATH holds: police-uk.")] = "police-uk",
    offence: Annotated[
        list[str] | None, typer.Option("--offence", help="Count only this; may be given again.")
    ] = None,
) -> None:
    """Write incidents by area and month.

    Street-level files in, one table out, which source "counts" reads back.
    """
    from whatworks_eval.panel_file import write_panel
    from whatworks_eval.sources.police_uk import load_police_uk

    if source != "police-uk":
        raise UsageProblem(f"--source is '{source}'; this command reads police-uk")
    if out.suffix not in {".parquet", ".csv"}:
        raise UsageProblem(f"--out {out}: the name must end in .parquet or .csv")
    built = load_police_uk(path, offences=offence)
    guarded(out, lambda: write_panel(built, out))
    aside(f"{built!r}\nRows read {built.ledger.read:,}, counted {built.ledger.used:,}.")
    print(out)


@app.command()
def rules() -> None:
    """List every rule that can lower a level."""
    from whatworks_eval.caveats.page import rules_table

    print(rules_table())


@app.command()
def explain(rule: Annotated[str, typer.Argument(metavar="RULE", help="Id of a rule: threat.name.")]) -> None:
    """Explain one rule and give its source."""
    from whatworks_eval.caveats import page

    try:
        print(page.explain(rule))
    except ProtocolError as error:  # the id was typed here, not in a protocol
        raise UsageProblem(error.problems) from None


@app.command()
def cost(
    effect: Annotated[
        Path | None, typer.Option("--effect", metavar="FILE", help="result.json of an earlier evaluation.")
    ] = None,
    costs: Annotated[
        Path | None,
        typer.Option("--costs", metavar="FILE", help="What the project cost: TOML with [economics] keys."),
    ] = None,
    cohort: Annotated[
        Path | None,
        typer.Option("--cohort", metavar="FILE", help="Instead: a cohort of offenders, TOML with [cohort]."),
    ] = None,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option("--compare", metavar="FIRST SECOND", help="Instead: two results with their costs."),
    ] = None,
    worth: Annotated[
        float | None, typer.Option("--worth", metavar="GBP", help="What one incident prevented is worth.")
    ] = None,
    json: Numbers = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write the page and its numbers here.")
    ] = None,
) -> None:
    """Say what an effect is worth in pounds.

    Takes the result of an earlier evaluation with a file of costs; or, with --cohort, the cost of crime of a
    cohort of offenders before and after joining a scheme. With --compare, what the SECOND of two projects
    cost and prevented beyond the FIRST: result.json with economics, or economics.json as written here.
    """
    from whatworks_eval import costing, options_command

    if compare is not None or worth is not None:
        options_command.command(compare, worth=worth, beside=(effect, costs, cohort, out), json=json)
    else:
        costing.command(effect, costs, cohort, json=json, out=out)


@app.command()
def reproduce(
    economics: Annotated[
        bool, typer.Option("--economics", help="Instead: published 'for every pound' claims, checked.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the table with forest plots here.")
    ] = None,
    json: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE", help="Write every number here; - = only to stdout."),
    ] = None,
) -> None:
    """Compute published evaluations again.

    Published value, computed value, verdict and level of every row of the shipped table; with --economics,
    whether published claims of value for money follow from the inputs printed beside them.
    """
    from whatworks_eval import again

    if economics and html is not None:
        raise UsageProblem("--html draws published effects; with --economics leave it out")
    if economics:
        again.print_ratios(json=json)
    else:
        again.print_effects(html=html, json=json)


@app.command()
def match(
    file: Design,
    data: Data = None,
    out: Out = None,
    json: Numbers = None,
    boundaries: Annotated[
        Path | None, typer.Option("--boundaries", help="GeoJSON of the areas, for the map.")
    ] = None,
) -> None:
    """Choose a matched comparison and show how alike it is.

    Estimates nothing and uses no count after the start. Writes match.csv and match.html.
    """
    from whatworks_eval import match_command

    match_command.command(file, data=data, out=out, numbers=json, boundaries=boundaries)


@app.command()
def deprivation(file: Design, data: Data = None, json: Numbers = None) -> None:
    """Say how deprived the treated areas are.

    Mean score and share in the most deprived 10 %, beside their force and the comparison chosen.
    """
    from whatworks_eval import deprivation_command

    deprivation_command.command(file, data=data, numbers=json)


@app.command("list")
def list_all() -> None:
    """List the designs and datasets shipped."""
    from whatworks_eval.shipped import KINDS, list_shipped

    for kind in KINDS:
        print(f"{kind.capitalize()}\n")
        for item in list_shipped(kind):
            print(f"  {item.name}\n      {item.title}\n      {item.path}")
        print()
