"""Random CSV and TOML files: the documented errors or sound data, nothing else."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

from training import RunGroup, TraceImportError, read_folder  # noqa: E402
from training.config import example, load_optimization, load_study  # noqa: E402
from training.config.errors import ConfigError  # noqa: E402
from training.csv_text import number  # noqa: E402
from training.study.settings import TrainingStudy  # noqa: E402

from . import untrusted  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@given(
    st.one_of(st.text(max_size=12), st.from_regex(r"[+-]?[0-9_.]{1,6}([eE][+-]?[0-9]{1,4})?", fullmatch=True))
)
@untrusted.fuzz(500)
def test_numbers(text):
    try:
        value = number(text)
    except ValueError:
        return
    assert text.isascii() and "_" not in text
    assert value == float(text) or math.isnan(value)
    assert math.isfinite(value) or any(word in text.lower() for word in ("nan", "inf"))


cells = st.one_of(
    st.floats().map(repr),
    st.integers(0, 50).map(str),
    st.sampled_from(
        ["", "nan", "inf", "-", '"', '""', "1_0", "x", " ", "1e999", "\u0661", "=1", "\x00", "\ufeff"]
    ),
    st.text(max_size=5),
)
tables = st.lists(st.lists(cells, min_size=1, max_size=3), min_size=1, max_size=6)
endings = st.sampled_from(["\n", "\r\n", "\r", "\n\n"])


def joined(parts):
    head, rows, ending = parts
    lines = [",".join(row) for row in rows]
    return ending.join([head, *lines] if head else lines).encode("utf-8", "replace")


files = st.one_of(
    st.binary(max_size=60),
    st.tuples(st.sampled_from(["", "a", "epoch,a", "a,loss", "\ufeffa"]), tables, endings).map(joined),
)


@given(contents=st.lists(files, min_size=1, max_size=3))
@untrusted.fuzz(250)
def test_csv_files(folder, contents):
    place = folder / "csv"
    place.mkdir(exist_ok=True)
    for old in place.iterdir():
        old.unlink()
    for seed, content in enumerate(contents):
        (place / f"seed_{seed}.csv").write_bytes(content)
    try:
        found = read_folder(place)
    except TraceImportError as problem:
        assert "seed_" in str(problem) and all(line.isprintable() for line in str(problem).splitlines())
        return
    assert isinstance(found, RunGroup) and found.seeds.tolist() == list(range(len(contents)))
    for values in found.metrics.values():
        assert values.dtype == np.float64 and values.shape == found.shape


def load(text, folder):
    path = folder / "study.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "replace"))
    for read in (load_study, load_optimization):
        try:
            found = read(path)
        except ConfigError as problem:
            assert all(line.startswith(str(path)) and line.isprintable() for line in problem.problems)
        else:
            assert isinstance(getattr(found, "study", found), TrainingStudy)


@given(st.one_of(st.binary(max_size=80), st.text(max_size=80)))
@untrusted.fuzz(150)
def test_anything_as_toml(folder, text):
    load(text, folder)


LINES = [line for line in example().splitlines() if line and not line.startswith("#")]
keys = sorted({line.partition("=")[0].strip() for line in LINES if "=" in line and not line.startswith("[")})
toml_values = st.sampled_from(
    ["1", "-1", "0", "1.5", "nan", "inf", "1e400", "9" * 25, '"x"', '""', "true", "[]", "[1, 2]", "[[1]]", "{}",
     "{a = 1}", '"../../x"', '"/etc/passwd"', '"\\u0000"', '"\\u001b[2J"', "1979-05-27", "0x10", "1_000",
     '["a", 1]', "[1e-320]", '"sgd"', '"mlp"', '"digits"', "{first = -1, count = 3}",
     "{first = 9223372036854775807, count = 2}", "2" * 18]
)  # fmt: skip


ways = st.sampled_from(["drop", "double", "value", "insert"])


@given(st.lists(st.tuples(st.floats(0, 1), ways, st.sampled_from(keys), toml_values), min_size=1, max_size=6))
@untrusted.fuzz(200)
def test_changed_examples(folder, changes):
    lines = list(LINES)
    for place, how, key, value in changes:
        at = int(place * (len(lines) - 1))
        if how == "drop":
            del lines[at]
        elif how == "double":
            lines.insert(at, lines[at])
        elif how == "insert":
            lines.insert(at, f"{key} = {value}")
        elif "=" in lines[at]:
            lines[at] = f"{lines[at].partition('=')[0]} = {value}"
    load("\n".join(lines), folder)


@given(
    place=st.floats(0, 1),
    text=st.text(min_size=1, max_size=6),
    cut=st.integers(0, 40),
)
@untrusted.fuzz(100)
def test_damaged_examples(folder, place, text, cut):
    whole = "\n".join(LINES)
    at = int(place * len(whole))
    load(whole[:at] + text + whole[at + cut :], folder)
