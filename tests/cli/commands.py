"""Arguments for the commands, what the runs file of these tests holds, and how its documents are read."""

import json

ENSEMBLES = ("unperturbed", "partial_reset:20", "shrink_perturb:20", "shrink_perturb:30")
PERTURBATIONS = ("shrink_perturb", "partial_reset")  # best first
PREDICT = ("--threshold", "91", "--perturbation", "shrink_perturb", "--measured", "20")
FAST = ("--resamples", "200")


def strict(text):
    """The one JSON document that is the whole text, by a parser that knows neither NaN nor Infinity."""

    def refuse(token):
        raise AssertionError(f"{token} is not JSON")

    assert text.startswith("{\n") and text.endswith("\n}\n")
    return json.loads(text, parse_constant=refuse)
