"""This package, through its public names."""

from passages.methods import Draw, Method, Unavailable
from passages.works import EULER_STEP, Work


def parts(work: Work) -> tuple:
    """The work as a process, a protocol and a perturbation."""
    try:
        from stochreset import Brownian, OrnsteinUhlenbeck, Periodic, Poisson, Reset
    except ImportError:
        raise Unavailable("this version of stochreset has no such simulation") from None
    start_and_target = {"start": work.start, "target": work.target}
    if work.stiffness:
        process = OrnsteinUhlenbeck(theta=work.stiffness, diffusion=work.diffusion, **start_and_target)
    else:
        process = Brownian(drift=work.drift, diffusion=work.diffusion, **start_and_target)
    if not work.resets:
        return process, None, None
    return process, Poisson(work.rate) if work.rate else Periodic(work.period), Reset()


def draw(method: str, dt: float | None, work: Work, runs: int, seed: int) -> Draw:
    setting = parts(work)
    from stochreset import simulate

    try:
        result = simulate(*setting, runs=runs, seed=seed, method=method, dt=dt)
    except (ValueError, NotImplementedError) as refusal:
        raise Unavailable(str(refusal)) from None
    steps = float(result.steps) if result.steps and result.method != "exact" else None
    return Draw(
        float(result.times.mean()), runs, steps, label=f" ({result.method})" if method == "auto" else ""
    )


METHODS = [
    Method("stochreset auto", lambda *call: draw("auto", None, *call), euler=False),
    Method("stochreset bridge", lambda *call: draw("bridge", None, *call), euler=False),
    Method("stochreset euler", lambda *call: draw("euler", EULER_STEP, *call)),
]
