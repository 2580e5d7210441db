"""Every model that ``stochreset models`` lists: its parameters, and its simulation with the defaults."""

from dataclasses import fields

import pytest

from stochreset.models import MODELS

from .commands import built, exists


@pytest.mark.parametrize("name", MODELS)
def test_every_model_simulates_with_its_defaults(document, name):
    built(name)
    found = document("simulate", name, "--horizon", 30, "--runs", 300)
    assert 0 < found["mfpt"] <= 30 and found["runs"] == 300
    assert found["z"] is None or abs(found["z"]) < 5


@pytest.mark.parametrize("protocol", [("--period", 20), ("--poisson", 0.1)])
@pytest.mark.parametrize("name", MODELS)
def test_every_model_agrees_with_what_it_knows_of_perturbation(document, name, protocol):
    built(name)
    found = document("simulate", name, *protocol, "--runs", 1000)
    assert found["censored"] == 0 and found["perturbation"] is not None
    assert found["z"] is None or abs(found["z"]) < 5


@pytest.mark.parametrize("name", MODELS)
def test_parameters_are_the_fields_of_the_class(name):
    model = built(name)
    process = model.build()
    names = [each.name for kind in model._classes() for each in fields(kind) if each.init]
    parts = [model.part[0]] if model.part else []
    optional = ["labels"]  # of a Markov chain: names for messages
    assert [each.name for each in model.parameters()] == [n for n in names if n not in parts + optional]
    assert set(model.units) == {each.name for each in model.parameters()}
    assert all(each.unit for each in model.parameters())
    assert model.values(process).keys() == set(model.units)


def test_list_of_models(document, run):
    if not all(map(exists, MODELS.values())):
        pytest.skip("some models are not there yet")
    found = document("models")["models"]
    assert [each["name"] for each in found] == list(MODELS)
    brownian = found[0]
    assert brownian["parameters"][1] == {"name": "diffusion", "default": 1.0, "unit": "length^2/time"}
    assert brownian["methods"] == ["exact", "bridge", "euler"]
    code, out, err = run("models")
    assert (code, err) == (0, "")
    assert all(f"{name}: " in out for name in MODELS)


def test_values_that_are_no_numbers(document):
    built("markov")
    found = document(
        "simulate", "markov", "--set", "rates=[[0, 1], [1, 0]]", "--set", "targets=1", "--runs", 500
    )
    assert found["parameters"]["rates"][0] == [0, 1]
    assert found["exact"] == pytest.approx(1.0) and found["exact_source"] == "numerical"
