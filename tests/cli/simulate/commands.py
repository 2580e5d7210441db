"""A short ``stochreset simulate``, and whether the class of a model is there to simulate."""

from importlib.util import find_spec

import pytest

from stochreset.models import MODELS

FAST = ("simulate", "brownian", "--set", "diffusion=0.5", "--poisson", "2.5", "--runs", "2000")


def exists(model):
    """Models of the registry whose class is there; all of them in a complete package."""
    if find_spec(model.home.partition(":")[0]) is None:
        return False
    try:
        model.build()
    except AttributeError as problem:
        return "closed_forms" not in str(problem)
    return True


def built(name):
    if not exists(MODELS[name]):
        pytest.skip(f"{name} is not there yet")
    return MODELS[name]
