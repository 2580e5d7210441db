"""The evidence for the answer: quasi-steady state, response, predictions, ranking and confirmation."""

from __future__ import annotations

from stochreset.cli import tables
from stochreset.cli.html.data import PREDICTION_COLUMNS, RANKING_COLUMNS, prediction_rows, ranking_rows
from stochreset.cli.html.markup import Html, element, section, table
from stochreset.cli.html.svg import figure
from stochreset.cli.reporting import Analysis, figures
from theory import Confirmation, Optimum


def evidence_section(analysis: Analysis) -> Html:
    """All evidence at the chosen threshold."""
    drawn = _figures(analysis)
    parts = [_steady(analysis, drawn)]
    parts += [
        _perturbation(analysis, optimum, drawn, n) for n, optimum in enumerate(analysis.ranking.optima, 1)
    ]
    parts += [_ranking(analysis, drawn), _confirmation(analysis)]
    return section(f"Evidence at threshold {analysis.ranking.threshold:g}", *parts, name="evidence")


def _figures(analysis: Analysis) -> dict[str, Html]:
    captions = {
        "traces_unperturbed": "Metric of the unperturbed runs against the epoch.",
        "survival_unperturbed": "Fraction of the unperturbed runs that are not there yet, with 95 % intervals.",
        "relaxation": "Distance between the law of the metric at an epoch and at later ones.",
        "ranking": "Speed-up of each perturbation at its best period, with 95 % intervals; ✓: confirmed by runs there.",
    }
    for optimum in analysis.ranking.optima:
        name, period = optimum.perturbation, optimum.response.period
        captions[f"traces_{name}"] = f"Metric of the runs under {name} every {period} epochs."
        captions[f"response_{name}"] = (
            f"Mean first-passage time under {name} against its period: predicted from period {period}, "
            "with 95 % bands, and measured."
        )
    drawn = figures(analysis)
    return {
        stem: figure(draw, f"figure{n}", captions.get(stem, stem))
        for n, (stem, draw) in enumerate(drawn.items(), 1)
    }


def _steady(analysis: Analysis, drawn: dict[str, Html]) -> Html:
    ranking = analysis.ranking
    qss, alone = ranking.qss, ranking.unperturbed
    verdict = qss.verdict.replace("_", " ")
    stems = ("traces_unperturbed", "relaxation", "survival_unperturbed")
    return section(
        "Without perturbation: the quasi-steady state",
        element("p", element("strong", f"Quasi-steady state: {verdict}"), f"; {qss.reason}."),
        element(
            "p",
            f"Mean time of the unperturbed runs: {tables.number(alone.value)} ± {tables.number(alone.stderr, 2)} "
            f"epochs up to epoch {ranking.horizon}; {ranking.unperturbed_censored} of {ranking.unperturbed_runs} "
            "runs are not there by then.",
        ),
        element("div", *(drawn[stem] for stem in stems if stem in drawn), class_="figures"),
        name="steady",
        level=3,
    )


def _perturbation(analysis: Analysis, optimum: Optimum, drawn: dict[str, Html], number: int) -> Html:
    name, response = optimum.perturbation, optimum.response
    tau = response.tau_estimate
    bound = "at least " if tau.lower_bound else ""
    shown = element(
        "p",
        f"Response, measured at period {response.period} in {response.perturbed_runs} runs "
        f"({response.perturbed_alive} of them not there at their first perturbation): mean residual time {bound}",
        f"{tables.number(tau.value)} ± {tables.number(tau.stderr, 2)} epochs "
        f"(95 % interval {tables.interval(tau.low, tau.high)}).",
    )
    stems = (f"traces_{name}", f"response_{name}")
    caption = f"{name}: mean first-passage times at threshold {response.threshold:g}, in epochs"
    rows = prediction_rows(analysis, name)
    points = table(caption, PREDICTION_COLUMNS, rows, text=("validity", "why"))
    return section(
        f"{name}: response and prediction",
        shown,
        element("div", *(drawn[stem] for stem in stems if stem in drawn), class_="figures"),
        element("details", element("summary", "Prediction point by point"), points, open=True),
        name=f"perturbation{number}",
        level=3,
    )


def _ranking(analysis: Analysis, drawn: dict[str, Html]) -> Html:
    ranking = analysis.ranking
    caption = f"Best period of each perturbation at threshold {ranking.threshold:g}, best first"
    advice = [
        element(
            "li",
            f"{o.perturbation}: {o.advice} (95 % interval of the best period: {o.period_low} to "
            f"{o.period_high}).",
        )  # fmt: skip
        for o in ranking.optima
        if o.advice
    ]
    return section(
        "Ranking",
        element(
            "p",
            f"Speed-ups compare mean times up to epoch {ranking.horizon}, without over with perturbation.",
        ),
        table(caption, RANKING_COLUMNS, ranking_rows(analysis), text=("validity", "confirmed")),
        element("div", drawn["ranking"], class_="figures") if "ranking" in drawn else "",
        element("ul", *advice) if advice else "",
        name="ranking",
        level=3,
    )


def _confirmation(analysis: Analysis) -> Html:
    rows = [_confirmed(o, o.confirmation) for o in analysis.ranking.optima if o.confirmation is not None]
    content: list[object] = []
    if rows:
        columns = (
            "perturbation", "period", "runs", "not there", "measured (epochs)", "predicted (epochs)",
            "speed-up", "verdict",
        )  # fmt: skip
        caption = "Runs at the recommended periods, held against the prediction; means up to the horizon"
        content.append(table(caption, columns, rows, text=("verdict",)))
    without = [o for o in analysis.ranking.optima if o.confirmation is None]
    content += [
        element("p", f"{o.perturbation}: there are no runs at period {o.prediction.period} yet.")
        for o in without
    ]
    return section("Confirmation", *content, name="confirmation", level=3)


def _confirmed(optimum: Optimum, found: Confirmation) -> list[object]:
    predicted = optimum.restricted
    fresh = optimum.prediction.period != optimum.response.period
    verdict = "agree" if found.agrees else "do not agree"
    if found.horizon != optimum.horizon:
        verdict = f"only up to epoch {found.horizon}"
    return [
        optimum.perturbation,
        str(optimum.prediction.period),
        str(found.runs),
        str(found.censored),
        f"{tables.number(found.restricted.value)} ± {tables.number(found.restricted.stderr, 2)}",
        f"{tables.number(predicted.value)} ± {tables.number(predicted.stderr, 2)}",
        f"{tables.number(found.speedup.value, 3)} "
        f"[{tables.number(found.speedup.low, 3)} to {tables.number(found.speedup.high, 3)}]",
        f"fresh runs {verdict}" if fresh else "not fresh: the prediction was made from these runs",
    ]
