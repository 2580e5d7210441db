import tomllib

import pytest

pytest.importorskip("torch", reason="the package loads perturbations, of the optional extra `training`")

from training.config.lines import Lines  # noqa: E402

TEXT = '''\
# a comment with [brackets] = "and quotes
title = "a # b [c] = \\" d" # [not.a.table]
many = [ # [no]
  1, 2,
  "]", # ]
  [3, [4]],
]
text = """
[data]
kind = "not here" \\"""
""""
raw = \'\'\'
[network]
kind = 'nor here\'\'\'\'
a.b.c = 1
a."d e".'f' = 2
"quoted key" = 3
inline = {x = 1, y = {z = "}"}}
date = 2020-01-01T00:00:00
last = 5

  [ data ]
  kind = "digits"
  "tr\\u0061in" = 1
[other . "x.y"]
k = 1
[[perturbation]]
kind = "a"
periods = [
  20,
]
[perturbation.gamma]
shape = 4
[[perturbation]]   # the second
parts = [{kind = "a"},
  {kind = "b"}]
name = "x"
[[perturbation.deep]]
q = 1
[[perturbation.deep]]
q = 2
'''
PLACES = {
    ("title",): 2,
    ("many",): 3,
    ("text",): 8,
    ("raw",): 12,
    ("a",): 15,
    ("a", "b", "c"): 15,
    ("a", "d e"): 16,
    ("a", "d e", "f"): 16,
    ("quoted key",): 17,
    ("inline", "y", "z"): 18,
    ("date",): 19,
    ("last",): 20,
    ("data",): 22,
    ("data", "kind"): 23,
    ("data", "train"): 24,
    ("data", "missing"): 22,
    ("other",): 25,
    ("other", "x.y", "k"): 26,
    ("perturbation",): 27,
    ("perturbation", 0): 27,
    ("perturbation", 0, "kind"): 28,
    ("perturbation", 0, "periods", 0): 29,
    ("perturbation", 0, "gamma"): 32,
    ("perturbation", 0, "gamma", "shape"): 33,
    ("perturbation", 1): 34,
    ("perturbation", 1, "kind"): 34,
    ("perturbation", 1, "parts", 1, "kind"): 35,
    ("perturbation", 1, "name"): 37,
    ("perturbation", 1, "deep", 1): 40,
    ("perturbation", 1, "deep", 1, "q"): 41,
    ("nowhere",): None,
    ("nowhere", "at all"): None,
    (): None,
}


@pytest.mark.parametrize(("place", "line"), PLACES.items(), ids=lambda each: str(each))
def test_places(place, line):
    tomllib.loads(TEXT)
    assert Lines(TEXT).of(*place) == line


def test_every_key_of_a_text_is_found():
    lines = Lines(TEXT)

    def walk(value, place):
        if place and not isinstance(place[-1], int):
            assert lines.of(*place) is not None, place
        if isinstance(value, dict):
            for name, each in value.items():
                walk(each, (*place, name))
        elif isinstance(value, list):
            for number, each in enumerate(value):
                walk(each, (*place, number))

    walk(tomllib.loads(TEXT), ())


def test_a_header_overrides_the_line_of_a_table_named_in_an_earlier_one():
    assert Lines("[a.b]\nx = 1\n[a]\ny = 2\n").of("a") == 3


@pytest.mark.parametrize("text", ["", "\n\n# only a comment", "a = 1", "[a]"])
def test_short_texts(text):
    assert Lines(text).of("b") is None


def test_long_texts_take_no_more_than_a_moment():
    text = (
        "".join(f'k{number} = "{number}"\n' for number in range(20_000))
        + "end = '''"
        + "x\n" * 200_000
        + "'''\n"
    )
    assert Lines(text).of("k19999") == 20_000
    assert Lines(text).of("end") == 20_001
