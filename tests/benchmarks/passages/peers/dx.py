"""diffusionx: mean passage time over its threads where the process is built in, else one path at a time."""

from diffusionx.simulation import OU, Langevin

from passages.methods import Draw
from passages.works import EULER_STEP, Work

FAR = -50.0
LONGEST = 1000.0


def draw(work: Work, runs: int, seed: int) -> Draw:
    """The seed is not used: the package takes none."""
    domain = (FAR, work.target)
    limits = {"time_step": EULER_STEP, "max_duration": LONGEST}
    if work.drift:
        process = Langevin(lambda x, t: work.drift, lambda x, t: work.noise, work.start)
        mean = sum(process.fpt(domain, **limits) for _ in range(runs)) / runs
        label = ", Langevin, 1 core"
    else:
        process = OU(work.stiffness, work.noise, work.start)
        mean = process.fpt_moment(domain, 1, center=False, particles=runs, **limits)
        label = ", OU"
    return Draw(mean, runs, mean * runs / EULER_STEP, label=label)
