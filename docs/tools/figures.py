"""Draw the figures of README and pages again. Usage: python figures.py [NAME ...], or --list."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES, PAGES = "examples/figures", "docs/figures"

FIGURES = {
    f"{EXAMPLES}/predict_from_one_period.png": ["examples/predict_from_one_period.py", "1000", "{figure}"],
    f"{EXAMPLES}/qss_error.png": ["examples/qss_error.py", "200", "{figure}"],
    f"{EXAMPLES}/where_it_fails.png": ["examples/where_it_fails.py", "2000", "{figure}"],
    f"{EXAMPLES}/validate_double-well.png": [
        "examples/validate_toy_models.py",
        "2000",
        "{folder}",
        "double-well",
    ],
    f"{EXAMPLES}/resnet18_traces.png": ["examples/resnet18_traces.py", "67", "{figure}"],
    f"{PAGES}/optimum.png": ["docs/figures/optimum.py", "{figure}"],
    f"{PAGES}/architecture.svg": ["docs/figures/architecture.py", "{figure}"],
}
"""Every figure, and the script that draws it with its arguments; a folder, where it names the figure itself."""


def draw(name: str, target: Path | None = None) -> Path:
    """Draw one figure, in place or as ``target``; returns its path."""
    target = ROOT / name if target is None else target
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder) / Path(name).name
        places = {"figure": str(drawn), "folder": folder}
        script, *arguments = (part.format(**places) for part in FIGURES[name])
        subprocess.run(
            [sys.executable, str(ROOT / script), *arguments], check=True, stdout=subprocess.DEVNULL
        )
        target.write_bytes(drawn.read_bytes())
    return target


def main(*names: str) -> None:
    """Draw the figures named, or all of them."""
    if names == ("--list",):
        print("\n".join(FIGURES))
        return
    for name in names or FIGURES:
        print(draw(name).relative_to(ROOT), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
