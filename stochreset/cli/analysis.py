"""``stochreset qss``, ``predict`` and ``rank``: analysis of a runs file."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from stochreset.cli import options

Model = Literal["auto", "constant", "cycles"]


def qss(
    runs: options.RunsPath,
    metric: options.Metric = None,
    ensemble: Annotated[
        str, typer.Option(help="Ensemble: unperturbed, or a perturbation as NAME:PERIOD.")
    ] = "unperturbed",
    threshold: Annotated[
        float | None, typer.Option(help="Look only at runs that have not reached this before.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=0, help="Shift that counts as unchanged, in spreads between runs.")
    ] = 0.25,
    json: options.Json = False,
) -> None:
    """Decide whether the runs reach a quasi-steady state, and when."""
    from stochreset.cli import documents
    from theory import relaxation
    from training import read_study

    study = read_study(runs, metric)
    chosen = {each.name: each for each in study}.get(ensemble)
    if chosen is None:
        known = ", ".join(each.name for each in study)
        raise ValueError(f"`--ensemble` {ensemble!r} is not in {runs}; it has: {known}")
    verdict = relaxation(chosen, threshold=threshold, tolerance=tolerance)
    document = documents.qss_document(chosen.metric, chosen.name, verdict)
    if json:
        documents.print_json(document)
        return
    print(f"{chosen.metric}, {chosen.name}, {len(chosen)} runs of {chosen.horizon} epochs")
    print(f"quasi-steady state: {verdict.verdict.replace('_', ' ')}")
    if verdict.relaxation_epoch is not None:
        print(f"relaxation epoch:   {verdict.relaxation_epoch}")
    print(f"why:                {verdict.reason}")


def predict(
    runs: options.RunsPath,
    threshold: options.Threshold,
    perturbation: Annotated[str, typer.Option(help="Name of the perturbation.")],
    measured: Annotated[int, typer.Option(min=1, help="Period to predict from.")],
    metric: options.Metric = None,
    periods: Annotated[
        str | None,
        typer.Option(
            help="Periods, for example 1,2,5:50:5; default: those that were run, and some up to the end of the "
            "unperturbed runs."
        ),
    ] = None,
    model: Annotated[Model, typer.Option(help="Formula.")] = "auto",
    resamples: options.Resamples = 2000,
    seed: options.Seed = 0,
    json: options.Json = False,
) -> None:
    """Predict the mean first-passage time at other periods from the runs at one."""
    from stochreset.cli import documents, tables
    from theory import measured_points, relaxation, respond
    from theory import predict as predict_periods
    from theory.estimates import few_runs_note
    from training import read_study

    wanted = options.parse_periods(periods) if periods is not None else None
    study = read_study(runs, metric)
    options.check_measured(study, perturbation, measured)
    if wanted is None:
        wanted = options.default_periods(study, perturbation)
    response, limits = respond(
        study,
        perturbation,
        measured,
        threshold,
        relaxation(study.unperturbed),
        resamples=resamples,
        seed=seed,
    )
    predictions = predict_periods(response, wanted, limits, model)
    points = measured_points(study, perturbation, threshold)
    if json:
        documents.print_json(documents.predict_document(response, predictions, points))
        return
    title = f"{perturbation}, threshold {threshold:g}, from period {measured}; ⟨τ⟩ = {response.tau_estimate}"
    console = tables.console()
    console.print(tables.predictions_table(title, predictions, points))
    for note in filter(
        None, (*tables.prediction_notes(predictions), few_runs_note(response.perturbed_alive))
    ):
        print(f" - {note}")


def rank(
    runs: options.RunsPath,
    threshold: options.Threshold,
    metric: options.Metric = None,
    measured: options.MeasuredPeriods = None,
    horizon: options.Horizon = None,
    resamples: options.Resamples = 2000,
    seed: options.Seed = 0,
    json: options.Json = False,
) -> None:
    """Rank the perturbations, each at its best period, against no perturbation."""
    from stochreset.cli import documents, tables
    from theory import rank as rank_perturbations
    from theory.estimates import few_runs_note
    from training import read_study

    chosen = options.parse_measured(measured)
    study = read_study(runs, metric)
    options.check_all_measured(study, chosen)
    ranking = rank_perturbations(
        study, threshold, measured=chosen, horizon=horizon, resamples=resamples, seed=seed
    )
    if json:
        documents.print_json(documents.rank_document(ranking))
        return
    tables.console().print(tables.ranking_table(ranking))
    print(
        f"no perturbation: {ranking.unperturbed} epochs up to epoch {ranking.horizon}, "
        f"{ranking.unperturbed_censored} of {ranking.unperturbed_runs} runs not there by then"
    )
    for optimum in ranking.optima:
        for note in filter(None, (optimum.advice, few_runs_note(optimum.response.perturbed_alive))):
            print(f" - {optimum.perturbation}: {note}")
