"""Every example script runs, at a small size."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
EXPECTED = {
    "own_runs.py": "speed-up",
    "predict_from_one_period.py": "quasi-steady state",
    "qss_error.py": "linear response",
    "validate_toy_models.py": "largest error",
    "where_it_fails.py": "linear response refused",
}
ARGUMENTS = {
    "own_runs.py": ["runs.h5"],
    "predict_from_one_period.py": ["figure.png"],
    "qss_error.py": ["figure.png"],
    "validate_toy_models.py": [".", "ornstein-uhlenbeck", "markov"],
    "where_it_fails.py": ["figure.png"],
}
OUTPUT = {"own_runs.py": "runs.h5", "validate_toy_models.py": "validate_markov.png"}


def test_every_example_is_tested():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("script", sorted(EXPECTED))
def test_example_runs(script, tmp_path):
    output = tmp_path / OUTPUT.get(script, "figure.png")
    command = [sys.executable, "-W", "error", EXAMPLES / script, "150", *ARGUMENTS[script]]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert EXPECTED[script] in done.stdout
    assert output.stat().st_size > 1000
