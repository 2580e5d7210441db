import random

import pytest

pytest.importorskip("torch", reason="studies train with torch, of the optional extra `training`")

from training.config import ConfigError, example  # noqa: E402

WORDS = [
    *(
        "true",
        "nan",
        "-inf",
        "-1",
        "0",
        "1e400",
        "99999999999999999999",
        "0xffffffffffffffffffff",
        "''",
        "[]",
        "{}",
    ),
    *("[[1]]", "[{}]", "[1, 'a']", "2020-01-01", "12:00:00", '"\\u0000"', '"~x/y"', '"a\\nb"', "{first = 1}"),
    *("{count = 9e9}", '"sgd"', '"mlp"', '"warm_restart"', "[{kind = 'warm_restart'}]", "1e-300", "0.5", "7"),
]


def change_value(text, rng):
    lines = text.splitlines()
    at = rng.choice([number for number, line in enumerate(lines) if "=" in line])
    lines[at] = f"{lines[at].partition('=')[0].lstrip('# ')} = {rng.choice(WORDS)}"
    return "\n".join(lines)


def change_key(text, rng):
    lines = text.splitlines()
    at = rng.choice([number for number, line in enumerate(lines) if "=" in line])
    key = rng.choice(
        ["kind", "preset", "parts", "seeds", "name", "data", '"a b"', "a.b", "period", "gamma.shape"]
    )
    lines[at] = f"{key} ={lines[at].partition('=')[2]}"
    return "\n".join(lines)


def drop_line(text, rng):
    lines = text.splitlines()
    del lines[rng.randrange(len(lines))]
    return "\n".join(lines)


def move_line(text, rng):
    lines = text.splitlines()
    lines.insert(rng.randrange(len(lines)), lines.pop(rng.randrange(len(lines))))
    return "\n".join(lines)


def change_character(text, rng):
    at = rng.randrange(len(text))
    return text[:at] + rng.choice("\"'[]{}=.#\n\r\0\\é\x7f09a ") + text[at + 1 :]


MUTATIONS = [change_value, change_value, change_key, drop_line, move_line, change_character]


@pytest.mark.parametrize("seed", range(200))
def test_a_mutated_configuration_loads_or_is_refused_with_all_its_problems(load, seed):
    rng = random.Random(seed)
    text = example()
    for _ in range(rng.randint(1, 4)):
        text = rng.choice(MUTATIONS)(text, rng)
    try:
        study = load(text)
    except ConfigError as error:
        assert error.problems
        assert all(each.startswith("study.toml") and each.isprintable() for each in error.problems)
    else:
        assert study.epochs >= 1


def test_the_mutations_give_both(load):
    outcomes = set()
    for seed in range(40):
        rng = random.Random(seed)
        try:
            load(rng.choice(MUTATIONS)(example(), rng))
            outcomes.add("loaded")
        except ConfigError:
            outcomes.add("refused")
    assert outcomes == {"loaded", "refused"}
