"""``stochreset simulate`` and ``stochreset models``: first-passage times of toy models."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from stochreset.cli import options
from stochreset.garbage import uncollected

if TYPE_CHECKING:
    from stochreset.exact_answers import ExactMean
    from stochreset.plan import Plan

Method = Literal["auto", "exact", "bridge", "euler"]
MOST_RUNS = 100_000_000
PERTURBATION = "reset[:X]|partial:C|shrink:LAMBDA:GAMMA|kick:NOISE[:SHIFT]|switch"


@uncollected()
def simulate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Name of a model; see `stochreset models`.")],
    parameters: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Parameter of the model; repeatable."),
    ] = None,
    runs: Annotated[int, typer.Option(min=1, max=MOST_RUNS, help="Independent runs.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, max=2**64 - 1, help="Seed of the runs.")] = 0,
    method: Annotated[Method, typer.Option(help="How to simulate; auto: the most accurate.")] = "auto",
    dt: Annotated[float | None, typer.Option(help="Time step of bridge and euler.")] = None,
    horizon: Annotated[float | None, typer.Option(help="Time at which runs are censored.")] = None,
    poisson: Annotated[float | None, typer.Option(metavar="RATE", help="Perturb at this rate.")] = None,
    period: Annotated[float | None, typer.Option(metavar="P", help="Perturb every P units of time.")] = None,
    once: Annotated[float | None, typer.Option(metavar="T", help="Perturb once, at T.")] = None,
    perturbation: Annotated[
        str | None,
        typer.Option(metavar=PERTURBATION, help="What a perturbation does; default: by the model, a reset."),
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; default: one per processor.")] = None,
    estimate_bias: Annotated[
        bool, typer.Option("--estimate-bias", help="Estimate the bias of time steps by halving them.")
    ] = False,
    json: options.Json = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE.h5", help="File for the times.")] = None,
) -> None:
    """Simulate first-passage times and compare their mean with the exact one where it is known."""
    from stochreset.cli import documents, settings, tables
    from stochreset.models import find_model
    from theory.files import check_target

    chosen = find_model(model)
    if out is not None:
        check_target(out, "--out")
    protocol = settings.parse_protocol(poisson, period, once)
    effect = settings.parse_perturbation(perturbation, protocol)
    settings.positive("--dt", dt, "leave it out for the default of the model")
    settings.positive("--horizon", horizon, "leave it out to follow all runs to arrival")
    values = settings.parse_parameters(chosen, parameters or [])
    try:
        process = chosen.build(values)
    except ValueError as problem:
        raise ValueError(f"`--set` for {chosen.name}: {problem}") from None

    from stochreset import simulate as run
    from stochreset.plan import make_plan
    from stochreset.sample_file import write_sample

    try:
        _check_answerable(make_plan(process, protocol, effect, horizon, method, dt), estimate_bias)
        sample = run(
            process,
            protocol,
            effect,
            runs=runs,
            seed=seed,
            horizon=horizon,
            method=method,
            dt=dt,
            threads=threads,
            estimate_bias=estimate_bias,
            progress=sys.stderr.isatty(),
        )
    except ValueError as problem:
        raise ValueError(settings.in_options(str(problem))) from None
    except MemoryError:
        raise ValueError(f"`--runs` {runs} do not fit into memory; take fewer") from None
    exact = None
    try:
        exact = _known_mean(process, protocol, effect, horizon)
    finally:  # the sample is kept whatever becomes of the exact mean, Ctrl-C included
        result = documents.SimulationResult(
            model=chosen.name,
            parameters=chosen.values(process),
            protocol=protocol,
            perturbation=process.default_perturbation()
            if protocol is not None and effect is None
            else effect,
            horizon=horizon,
            sample=sample,
            exact=exact,
        )
        document = documents.simulation_document(result)
        if out is not None:
            write_sample(out, sample, document)
    if json:
        documents.print_json(document)
    else:
        print(tables.simulation_text(document))
        if out is not None:
            print(f"written to: {out}")


def _check_answerable(plan: Plan, estimate_bias: bool) -> None:
    """Raise where the mean of the sample would mean nothing, or there is no bias to estimate."""
    endless = math.isinf(plan.horizon)
    if endless and not plan.protocol.endless and not plan.process.finite_mean:
        raise ValueError(
            "`--horizon` is needed: the mean first-passage time is infinite, so that the mean of any number of runs "
            "tells nothing; give the time at which they are censored"
        )
    if estimate_bias and plan.dt is None:
        others = [f"`--method {each}`" for each in plan.process.methods(True, False) if each != "exact"]
        choice = f", or choose {' or '.join(others)}" if others else ""
        raise ValueError(
            f"`--estimate-bias` has no use in the exact method, which has no time step; leave it out{choice}"
        )


def _known_mean(process: Any, protocol: Any, perturbation: Any, horizon: float | None) -> ExactMean | None:
    """Exact mean; None also where its formula does not reach."""
    from stochreset.exact_answers import exact_mean

    try:
        return exact_mean(process, protocol, perturbation, horizon)
    except (ValueError, ArithmeticError, MemoryError):
        return None


def models(json: options.Json = False) -> None:
    """List the models with their parameters, methods and exact answers."""
    from stochreset.cli import documents, tables
    from stochreset.models import MODELS

    document = documents.models_document(list(MODELS.values()))
    if json:
        documents.print_json(document)
    else:
        print(tables.models_text(document))
