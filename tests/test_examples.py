"""Every example script runs, at a small size."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
EXPECTED = {"predict_from_one_period.py": "quasi-steady state", "own_runs.py": "speed-up"}


def test_every_example_is_tested():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("script", sorted(EXPECTED))
def test_example_runs(script, tmp_path):
    output = tmp_path / ("figure.png" if script.startswith("predict") else "runs.h5")
    command = [sys.executable, "-W", "error", EXAMPLES / script, "150", output]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert EXPECTED[script] in done.stdout
    assert output.stat().st_size > 1000
