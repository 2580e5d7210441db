"""Errors in the [[perturbation]] tables of the file of a study: kinds, names, parts and protocols."""

import pytest

pytest.importorskip("torch", reason="studies train with torch, of the optional extra `training`")

HOW = "give one of kind, preset, parts"
WHEN = "give at least one of period, periods, rate, rates, once, gamma, uniform"
PERTURBATIONS = [
    ("name = 'x'\nonce = 3", 9, f"lacks a key; {HOW}"),
    ("kind = 'warm_restart'\npreset = 'ash_adams'\nonce = 3", 11, f"has kind and preset; {HOW}"),
    ("kind = 'shrink'\nonce = 3", 10, 'got "shrink"; did you mean shrink_perturb?'),
    ("preset = 'ash_adam'\nonce = 3", 10, 'ash_adams, got "ash_adam"; did you mean ash_adams?'),
    ("preset = 'ash_adams'\nshrink = 1\nonce = 3", 9, "lacks the key noise; it has: preset, shrink, once"),
    ("kind = 'warm_restart'", 9, f"does not say when; {WHEN}"),
    (
        "kind = 'warm_restart'\nonce = 3\nshrink = 1",
        12,
        'has no key "shrink"; It has: kind, name, period, periods',
    ),
    ("kind = 'weight_noise'\nonce = 3", 9, "lacks the key noise"),
    (
        "kind = 'weight_noise'\nnoise = -1\nonce = 3",
        11,
        "noise must be a finite number of at least 0, got -1.0",
    ),
    ("kind = 'layer_reset'\nlayers = 'a'\nonce = 3", 11, 'layers must be a list of texts in quotes, got "a"'),
    ("kind = 'layer_reset'\nlayers = ['a']\nlast = 1\nonce = 3", 12, "last and layers exclude each other"),
    (
        "kind = 'warm_restart'\noptimizer = 'rest'\nonce = 3",
        11,
        'keep, reset, got "rest"; did you mean reset?',
    ),
    ("kind = 'stochastic_reset'\ncheckpoint = 3\nonce = 3", 11, "checkpoint must be a text in quotes, got 3"),
    ("kind = 'warm_restart'\nonce = 3\nname = 3", 12, "name must be a text in quotes, got 3"),
    (
        "kind = 'warm_restart'\nonce = 3\nname = 'a/b'",
        12,
        "name 'a/b' is not a usable name: it must be printable text",
    ),
    ("kind = 'warm_restart'\nonce = 3\nname = 'epoch'", 12, "name 'epoch' is not a usable name"),
    (
        "kind = 'warm_restart'\nonce = 3\nname = 'unperturbed'",
        12,
        "name of a treatment must not be 'unperturbed'",
    ),
    # parts
    ("parts = []\nonce = 3", 10, "parts must be perturbations, at least one, got ()"),
    ("parts = 'x'\nonce = 3", 10, 'parts must be a list of tables, got "x"'),
    (
        "parts = [{kind = 'warm'}]\nonce = 3",
        10,
        "parts kind must be one of shrink_perturb, stochastic_reset, part",
    ),
    (
        "parts = [{kind = 'warm_restart', name = 'x'}]\nonce = 3",
        10,
        'parts has no key "name"; It has: kind, optimi',
    ),
    ("parts = [{kind = 'weight_noise', noise = 'x'}]\nonce = 3", 10, 'parts noise must be a number, got "x"'),
    (
        "parts = [{kind = 'warm_restart'}]\nnoise = 1\nonce = 3",
        11,
        'has no key "noise"; It has: parts, name, per',
    ),
    # protocols
    ("kind = 'warm_restart'\nperiod = 0", 11, "period must be a whole number of epochs, at least 1, got 0"),
    (
        "kind = 'warm_restart'\nperiods = [20, 0]",
        11,
        "period must be a whole number of epochs, at least 1, got 0",
    ),
    ("kind = 'warm_restart'\nperiod = [20]", 11, "period must be a whole number, got [20]"),
    ("kind = 'warm_restart'\nperiods = 20", 11, "periods must be a list of whole numbers, got 20"),
    ("kind = 'warm_restart'\nperiods = []", 11, "periods must hold at least one number, got []"),
    (
        "kind = 'warm_restart'\nperiod = 20\nperiods = [30]",
        12,
        "period and periods exclude each other; give one of",
    ),
    (
        "kind = 'warm_restart'\nrate = 1\nrates = [2]",
        12,
        "rate and rates exclude each other; give one of them",
    ),
    ("kind = 'warm_restart'\nperiods = [20, 20]", 11, "treatments holds warm_restart:20 twice"),
    ("kind = 'warm_restart'\nrate = nan", 11, "rate must be a finite number, got nan"),
    ("kind = 'warm_restart'\nonce = '3'", 11, 'once must be a whole number, got "3"'),
    ("kind = 'warm_restart'\nonce = [0]", 11, "epoch must be a whole number of epochs, at least 1, got 0"),
    ("kind = 'warm_restart'\nonce = 9\nbranch_at = 9", 12, "branch_at needs a period"),
    (
        "kind = 'warm_restart'\nperiod = 9\nbranch_at = [0]",
        12,
        "branch_at must be a whole number of epochs, at lea",
    ),
    (
        "kind = 'warm_restart'\nperiods = [\n9,\n160]",
        11,
        "protocol of warm_restart:160 first perturbs at or after the last epoch, 160; shorten the period or train more",
    ),
    (
        "kind = 'warm_restart'\nperiod = 9\nbranch_at = 200",
        12,
        "protocol of warm_restart:9@200 first perturbs at",
    ),
    (
        "kind = 'warm_restart'\nonce = [9, 200]",
        11,
        "protocol of warm_restart:once-200 first perturbs at or after the last epoch, 160; perturb earlier or",
    ),
    ("kind = 'warm_restart'\ngamma = 4", 11, "gamma must be a table, got 4"),
    ("kind = 'warm_restart'\ngamma = {shape = 4}", 11, "gamma lacks the key scale; it has: shape"),
    (
        "kind = 'warm_restart'\ngamma = {shape = 4, scale = 0}",
        11,
        "gamma scale must lie between 0.001 and 1,000,000",
    ),
    (
        "kind = 'warm_restart'\ngamma = {shape = 1, scale = 1e5}",
        11,
        "gamma distribution has intervals beyond 2.07e+06 epochs with probability 1e-09",
    ),
    (
        "kind = 'warm_restart'\nuniform = {shortest = 4, longest = 3}",
        11,
        "uniform longest must be at least shortest",
    ),
    (
        "kind = 'warm_restart'\nuniform = {shortest = 0, longest = 3}",
        11,
        "uniform shortest must be a whole number of",
    ),
    # seeds
    (
        "kind = 'warm_restart'\nonce = 3\nseeds = [1, 1]",
        12,
        "seeds must differ from each other, 1 occurs twice",
    ),
]


@pytest.mark.parametrize(("text", "line", "message"), PERTURBATIONS, ids=[text for text, *_ in PERTURBATIONS])
def test_perturbations(problems_with, text, line, message):
    [problem] = problems_with("", f"[[perturbation]]\n{text}")
    assert problem.startswith(f"study.toml, line {line}: [[perturbation]] ")
    assert message in problem


def test_two_different_perturbations_of_one_name(problems_with):
    table = '[[perturbation]]\nkind = "shrink_perturb"\n'
    [problem] = problems_with("", f"{table}period = 20\n{table}shrink = 0.5\nperiod = 30\n")
    assert problem == (
        "study.toml, line 15: [[perturbation]] treatments calls two different perturbations 'shrink_perturb'; "
        "give one another name"
    )


def test_number_of_treatments(problems_with):
    periods = list(range(1, 1002))
    [problem] = problems_with("", f'[[perturbation]]\nkind = "warm_restart"\nperiods = {periods}')
    assert "line 9: [[perturbation]] is one too many: there may be at most 1000 treatments" in problem
