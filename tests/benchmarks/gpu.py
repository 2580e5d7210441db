"""Speed and accuracy of `device="cuda"`. Usage: python gpu.py [SECONDS]

Needs an NVIDIA GPU and stochreset[cuda]; about a minute at 2 seconds a row. The kernel is compiled before the
clock starts. Not named cuda.py: a script's folder comes first in the search for modules, and numba-cuda
imports NVIDIA's package `cuda`.
"""

import math
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from passages.by_stochreset import parts
from passages.works import WORKS, Work

from stochreset import simulate
from stochreset.cuda import check_gpu

ROWS = [("W1", "euler", 1e-3), ("W3", "euler", 1e-3), ("W3", "bridge", 0.02), ("W3", "bridge", 0.1)]
ROWS += [("W2", "euler", 1e-3), ("W2", "bridge", 0.02), ("W2p", "euler", 1e-3)]
PILOT, MOST = 1 << 20, 1 << 28
HEAD = (
    f"{'work':>4s} {'method':<7s}{'dt':>7s}{'runs':>12s}{'seconds':>9s}{'1e9 steps/s':>13s}{'runs/s':>10s}"
    f"{'mean':>9s}{'+-':>9s}{'exact':>9s}{'error %':>9s}{'+-':>7s}"
)


def installed(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"


def describe() -> str:
    from numba import cuda

    device = cuda.get_current_device()
    name = device.name.decode() if isinstance(device.name, bytes) else str(device.name)
    capability = ".".join(map(str, device.compute_capability))
    packages = ", ".join(map(installed, ("numba", "numba-cuda", "numpy", "stochreset")))
    gpu = f"{name}, compute capability {capability}, {device.MULTIPROCESSOR_COUNT} multiprocessors"
    return f"{gpu}\nPython {platform.python_version()}, {packages}"


def measure(work: Work, method: str, dt: float, seconds: float) -> str:
    call, options = parts(work), {"method": method, "dt": dt, "device": "cuda"}
    pilot = simulate(*call, runs=PILOT, seed=1, **options)
    runs = int(min(MOST, max(PILOT, PILOT * seconds / pilot.seconds)))
    sample = simulate(*call, runs=runs, seed=2, **options)
    mean, error = float(sample.times.mean()), float(sample.times.std()) / math.sqrt(runs)
    exact, _ = work.exact
    return (
        f"{work.name:>4s} {method:<7s}{dt:>7g}{runs:>12,d}{sample.seconds:>9.3f}"
        f"{sample.steps / sample.seconds / 1e9:>13.4g}{runs / sample.seconds:>10.3g}{mean:>9.5f}{error:>9.2g}"
        f"{exact:>9.5f}{100 * (mean / exact - 1):>9.3f}{100 * error / exact:>7.3f}"
    )


def main(seconds: float = 2.0) -> None:
    """Print the table."""
    try:
        check_gpu()
    except RuntimeError as problem:
        raise SystemExit(f"nothing measured: {problem}") from None
    print(describe(), HEAD, sep="\n")
    for name, method, dt in ROWS:
        print(measure(WORKS[name], method, dt, seconds), flush=True)
    print("euler looks at the ends of steps only: its error is 0.5826 sqrt(2 D dt) in the target's position")


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
