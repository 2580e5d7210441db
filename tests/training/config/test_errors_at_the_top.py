"""Errors at the top of the file of a study, above its first table, and what the file lacks."""

import pytest

pytest.importorskip("torch", reason="studies train with torch, of the optional extra `training`")

TABLES = "[data], [network], [optimizer], [schedule], [training], [hardware], [[perturbation]], [optimize], [executor]"
TOP = [
    (
        "epoch = 3",
        'the file has no key "epoch"; did you mean epochs? It has: epochs, seeds, block_size, metric,',
    ),
    ("treshold = 3", 'the file has no key "treshold"; did you mean threshold? It has: epochs,'),
    ("task = 3", 'the file has no key "task"; It has: epochs,'),
    ("optimiser.lr = 1", f"the file has no table [optimiser]; did you mean [optimizer]? It has: {TABLES}"),
    ("foo = [{}]", f"the file has no table [foo]; It has: {TABLES}"),
    ("block_size = true", "block_size must be a whole number, got true"),
    ("block_size = 2.5", "block_size must be a whole number, got 2.5"),
    ('block_size = "25"', 'block_size must be a whole number, got "25"'),
    ("block_size = 0", "block_size must be a whole number of runs, at least 1, got 0"),
    ("block_size = 99999999999999999999", "block_size must be a whole number, got one of 67 bits"),
    (
        "metric = 3",
        "metric must be one of test_accuracy, train_accuracy, test_loss, train_loss, epoch_seconds, got 3",
    ),
    ('metric = "acuracy"', 'epoch_seconds, got "acuracy"; did you mean test_accuracy?'),
    ("threshold = true", "threshold must be a number, got true"),
    ("threshold = inf", "threshold must be a finite number, got inf"),
    ("threshold = 2020-01-01", "threshold must be a number, got 2020-01-01"),
    ("threshold = [[1], 2, {}]", "threshold must be a number, got [[...], 2, a table]"),
    ("stop_at_threshold = 1", "stop_at_threshold must be true or false, got 1"),
    (
        "stop_at_threshold = true",
        "stop_at_threshold needs a threshold; give one, or train all runs to the end",
    ),
    ("checkpoint_seconds = 0", "checkpoint_seconds must be positive, got 0.0"),
    ("executor = 3", "executor must be a table [executor], got 3"),
    ('executor = "process"', "executor must have one of the forms in-process, processes[:N]"),
    ("hardware = 3", "hardware must be a table [hardware], got 3"),
    ("optimizer = [{}]", "optimizer must be a table [optimizer], got [[optimizer]]"),
    ("perturbation = 3", "perturbation must be tables [[perturbation]], got 3"),
    ("perturbation = {}", "perturbation must be tables [[perturbation]], got a table [perturbation]"),
]


@pytest.mark.parametrize(("text", "message"), TOP, ids=[text for text, _ in TOP])
def test_top_of_the_file(problems_with, text, message):
    [problem] = problems_with(f"{text}\n")
    assert problem.startswith("study.toml, line 3: ")
    assert message in problem


SEEDS = [
    ("0", "seeds must be a number of runs from 1 to 1,000,000, got 0"),
    ("9000000000", "seeds must be a number of runs from 1 to 1,000,000, got 9000000000"),
    ("true", "seeds must be a number of runs, a list of seeds, or {first = 100, count = 50}, got true"),
    ('"many"', 'seeds must be a number of runs, a list of seeds, or {first = 100, count = 50}, got "many"'),
    ("1.5", "got 1.5"),
    ("[]", "seeds must be whole numbers of at least 0, at least one, got []"),
    ("[1, -2]", "seeds must be whole numbers of at least 0, at least one, got -2"),
    ('[1, "2"]', 'seeds must be a list of whole numbers, got [1, "2"]'),
    ("[1, 2, 1]", "seeds must differ from each other, 1 occurs twice"),
    ("{first = 1}", "[seeds] lacks the key count; it has: first"),
    ("{first = -1, count = 3}", "[seeds] first must be a seed of at least 0, got -1"),
    ("{count = 3, last = 3}", '[seeds] has no key "last"; It has: count, first'),
]


@pytest.mark.parametrize(("text", "message"), SEEDS, ids=[text for text, _ in SEEDS])
def test_seeds(problems, text, message):
    [problem] = problems(f'epochs = 3\nseeds = {text}\n[data]\nkind = "digits"\n[network]\nkind = "mlp"\n')
    assert problem.startswith("study.toml, line 2: ")
    assert message in problem


def test_what_is_missing(problems):
    assert problems("") == [
        "study.toml: the file lacks the key epochs; it has: no keys",
        "study.toml: the file lacks the key seeds; it has: no keys",
        "study.toml: the file lacks the table [data]",
        "study.toml: the file lacks the table [network]",
    ]
