"""CSV and TOML files of others: limits on their size, strict numbers, and paths that stay where they belong."""

import os

import numpy as np
import pytest

pytest.importorskip("torch")

from training import csv_reader, csv_text, read_folder  # noqa: E402
from training.config import load_optimization, load_study  # noqa: E402
from training.config.errors import ConfigError  # noqa: E402
from training.csv_reader import TraceImportError  # noqa: E402
from training.csv_text import number  # noqa: E402
from training.study.plan import plan_units, unit_name  # noqa: E402

HEAD = 'epochs = 9\nseeds = 1\n[data]\nkind = "digits"\n[network]\nkind = "mlp"\n'
RESET = '[[perturbation]]\nkind = "stochastic_reset"\nperiod = 3\n'


@pytest.fixture
def refused(tmp_path):
    def check(content, message):
        path = tmp_path / "run_seed_1.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(TraceImportError, match=rf"run_seed_1\.csv:? ?.*{message}") as problem:
            read_folder(tmp_path)
        assert all(line.isprintable() for line in str(problem.value).splitlines())

    return check


# CSV


@pytest.mark.parametrize(
    "text",
    ["1_000", "0x10", "1e5_0", "\u0661\u0662", "\uff11", "1,5", "1e", "--1", "1 2", "nan(1)", "NULL", "", " ", "1e999",
     "-1e400", "\u2212 1", "1d5", "True", "1" * 300, "=1+1", "1\x00", "\u00bd", "infinite", "1f"],
)  # fmt: skip
def test_only_plain_numbers_are_numbers(text):
    with pytest.raises(ValueError, match="is not a number|is too large for a number"):
        number(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        (" -1.5e-3 ", -0.0015),
        (".5", 0.5),
        ("5.", 5),
        ("+2E2", 200),
        ("inf", np.inf),
        ("-Infinity", -np.inf),
    ],
)
def test_plain_numbers_are(text, value):
    assert number(text) == value
    assert np.isnan(number("NaN"))


def test_limits_of_a_csv_file(refused, monkeypatch):
    refused("a\n" + "1" * 300 + "\n", r"2: '1{20}'\.\.\., 300 characters, is not a number")
    refused(
        "a" * 300 + "\n1\n", r"line 1: the column name 'a{20}'\.\.\. has 300 characters, at most 200 are read"
    )
    refused(
        ",".join(f"c{n}" for n in range(1001)) + "\n",
        "line 1: 1,001 columns, of which at most 1,000 are read",
    )
    refused('a\n"' + "x" * 200_000 + '"\n', "not CSV: field larger than field limit")
    monkeypatch.setattr(csv_reader, "MOST_ROWS", 5)
    refused("a\n" + "1\n" * 6, "more than 5 lines of data, the most that is read; shorten it")
    monkeypatch.setattr(csv_text, "MOST_BYTES", 100)
    refused("a\n" + "1\n" * 60, "larger than 100 bytes, the most that is read")


def test_limit_of_an_ensemble(tmp_path, monkeypatch):
    # One long run makes all others as long.
    for seed in range(20):
        (tmp_path / f"seed_{seed}.csv").write_text("a\n" + "1\n" * (1000 if seed == 3 else 1))
    monkeypatch.setattr(csv_reader, "MOST_VALUES", 19_999)
    with pytest.raises(
        TraceImportError, match="20 runs of up to 1,000 epochs and 1 columns are more than 19,999 val"
    ):
        read_folder(tmp_path)
    monkeypatch.setattr(csv_reader, "MOST_VALUES", 20_000)
    assert read_folder(tmp_path).shape == (20, 1000)


@pytest.mark.parametrize("name", ["a/b", "..", "seed", "\x1b[2J"])
def test_columns_that_cannot_be_metrics(refused, name):
    refused(f"{name}\n1\n", "line 1: `metrics` .* is not a usable name: .*; rename the column")


def test_messages_do_not_command_the_terminal(refused):
    refused("a\n\x1b[2J\n", r"2: '\\x1b\[2J' is not a number")
    refused(b"a\n\xff\n", "not readable as UTF-8 text")


def test_many_faults_are_not_all_kept(refused):
    refused(
        "a\n" + "x\n" * 10**5, "2: 'x' is not a number\n.*3: 'x' is not a number\n.*4: 'x' is not a number$"
    )


# TOML


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "path",
    ["../x.pt", "../../etc/passwd", "/etc/passwd", "a/../../x.pt", "~/x.pt", "link.pt", "linked/x.pt", ".."],
)
def test_checkpoints_stay_in_the_folder(tmp_path, path):
    folder = tmp_path / "study"
    config = write(folder / "study.toml", HEAD + RESET + f'checkpoint = "{path}"\n')
    (tmp_path / "x.pt").touch()
    (folder / "link.pt").symlink_to(tmp_path / "x.pt")
    (folder / "linked").symlink_to(tmp_path)
    with pytest.raises(
        ConfigError, match=r"study\.toml, line 10: .*checkpoint must lie in the folder of the file, .*; "
    ):
        load_study(config)


@pytest.mark.parametrize("path", ["x.pt", "a/x.pt", "a/../x.pt", "./x.pt", "link.pt"])
def test_checkpoints_in_the_folder(tmp_path, path):
    config = write(tmp_path / "study.toml", HEAD + RESET + f'checkpoint = "{path}"\n')
    (tmp_path / "link.pt").symlink_to(tmp_path / "y.pt")
    (treatment,) = load_study(config).treatments
    assert treatment.perturbation.checkpoint == str(tmp_path / path)


@pytest.mark.parametrize("folder", ["../logs", "/tmp/logs", "~"])
def test_logs_stay_in_the_folder(tmp_path, folder):
    config = write(
        tmp_path / "study.toml", HEAD + f'[executor]\nkind = "submitit-local"\nlog_folder = "{folder}"\n'
    )
    with pytest.raises(
        ConfigError, match=r"study\.toml, line 9: .*log_folder must lie in the folder of the file"
    ):
        load_study(config)


def test_data_may_lie_anywhere(tmp_path):
    text = HEAD.replace('"digits"', '"image-folder"\nroot = "/data/images"')
    assert load_study(write(tmp_path / "study.toml", text)).task.data.root == "/data/images"


@pytest.mark.parametrize("name", ["../x", "a/b", "..", "a:b", "x" * 300, "a\\nb", "\\u001b[2J", "seed"])
def test_names_that_could_lead_out_of_the_folder(tmp_path, name):
    config = write(tmp_path / "study.toml", HEAD + RESET + f'name = "{name}"\n')
    with pytest.raises(ConfigError, match=r"study\.toml, line 10: .*name .* is not a usable name") as problem:
        load_study(config)
    assert str(problem.value).isprintable()


@pytest.mark.parametrize(
    "name",
    ["..x", "~", "$HOME", "a b", "CON", "x" * 200, "\u00e4\u00f6", "-rf", "*", "%2e%2e%2f", "\\\\..\\\\x"],
)
def test_files_of_units_lie_in_the_folder_of_the_study(tmp_path, name):
    study = load_study(write(tmp_path / "study.toml", HEAD + RESET + f'name = "{name}"\n'))
    for unit in plan_units(study, tmp_path / "out"):
        for path in (unit.shard, unit.checkpoint, unit.branch_file(0, 3)):
            assert path.resolve().parent.parent == tmp_path / "out"
            assert len(os.fsencode(path.name)) < 200


def test_names_that_are_cut_off_do_not_share_a_file():
    assert unit_name("x" * 150 + "a:20", 0) != unit_name("x" * 150 + "b:20", 0)
    assert unit_name("shrink_perturb:20", 0) == "shrink_perturb-20-0"


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "+nan"])
@pytest.mark.parametrize("load", [load_study, load_optimization])
def test_numbers_are_finite(tmp_path, value, load):
    config = write(tmp_path / "study.toml", HEAD + f"[optimizer]\nkind = 'sgd'\nlearning_rate = {value}\n")
    with pytest.raises(
        ConfigError, match=r"study\.toml, line 9: .*learning_rate must be a finite number, got"
    ):
        load(config)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n" + "#" * 1_000_001, "is larger than 1 MB"),
        ("x = " + "[" * 5000 + "]" * 5000, "is nested too deeply"),
        ("x = " + "9" * 5000, "is not TOML"),
        (HEAD + "__class__ = 1\n", "has no key"),
        (HEAD.replace('"mlp"', '"os.system"'), "kind must be one of"),
        (HEAD.replace('"digits"', '"training.data:Digits"'), "kind must be one of"),
        (HEAD + "[training]\nloss = 'builtins.eval'\n", "loss must be one of"),
        (HEAD + "[executor]\nkind = 'slurm'\noptions = {slurm_setup = ['rm -rf ~']}\n", "has no key"),
    ],
)
def test_configurations_that_do_harm(tmp_path, text, message):
    with pytest.raises(ConfigError, match=rf"study\.toml.*{message}"):
        load_study(write(tmp_path / "study.toml", text))


def test_parts_within_parts(tmp_path):
    for depth in (3, 30, 90, 300):
        inner = "{kind = 'warm_restart'}"
        for _ in range(depth):
            inner = f"{{parts = [{inner}]}}"
        text = HEAD + f"[[perturbation]]\nperiod = 3\nparts = [{inner}]\n"
        try:
            load_study(write(tmp_path / "study.toml", text))
        except ConfigError as problem:
            assert "study.toml" in str(problem)
