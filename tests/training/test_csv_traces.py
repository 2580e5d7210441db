from pathlib import Path

import numpy as np
import pytest

from training import (
    ColumnRules,
    TraceImportError,
    import_traces,
    metrics,
    parse_perturbed,
    read_folder,
    read_study,
)
from training.csv_reader import MAX_PROBLEMS, number, seed_of


def folder(path: Path, **files: str | bytes) -> Path:
    path.mkdir()
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (path / f"{name}.csv").write_bytes(data)
    return path


def test_runs_are_sorted_by_seed_and_padded(tmp_path):
    group = read_folder(folder(tmp_path / "a", seed_10="acc\n1\n2\n3\n", seed_9="acc\r\n4\r\n"))
    np.testing.assert_array_equal(group.seeds, [9, 10])
    np.testing.assert_array_equal(group.metrics["acc"], [[4, np.nan, np.nan], [1, 2, 3]])
    assert group.name == "unperturbed"


def test_several_columns_in_any_order(tmp_path):
    group = read_folder(
        folder(
            tmp_path / "a",
            seed_1="\ufeffepoch, acc ,loss\n1,50,nan\n2,60,-inf\n\n\n",
            seed_2="loss,acc\n3,70\n",
        ),
        perturbation="noise",
        period=4,
        parameters={"scale": 0.1},
    )
    np.testing.assert_array_equal(group.metrics["acc"], [[50, 60], [70, np.nan]])
    np.testing.assert_array_equal(group.metrics["loss"], [[np.nan, -np.inf], [3, np.nan]])
    assert group.directions == {"acc": "at_least", "loss": "at_most"}
    assert (group.name, group.parameters) == ("noise:4", {"scale": 0.1})


def test_rules_choose_rename_and_direct(tmp_path):
    directory = folder(tmp_path / "a", s1="comment,x,ACC\nfine,1,2000\n")
    rules = ColumnRules(["x", "ACC"], {"x": "energy"}, {"x": "at_most"}, {"ACC": (0, 5000)})
    group = read_folder(directory, rules=rules)
    assert group.directions == {"energy": "at_most", "ACC": "at_least"}
    assert group.metrics["ACC"] == 2000


@pytest.mark.parametrize(
    ("column", "direction", "limits"),
    [
        ("test_ACC", "at_least", (0, 100)),
        ("train_loss", "at_most", (-np.inf, np.inf)),
        ("accumulated_loss", "at_most", (-np.inf, np.inf)),
        ("Error", "at_most", (-np.inf, np.inf)),
        ("reward", "at_least", (-np.inf, np.inf)),
    ],
)
def test_defaults_follow_the_name(column, direction, limits):
    assert ColumnRules().direction(column) == direction
    assert ColumnRules().limits(column) == limits


@pytest.mark.parametrize(
    ("name", "seed"), [("test_acc_reset_20_seed_7", 7), ("seed_3_of_10", 3), ("r2_run12", 12), ("0", 0)]
)
def test_seed_of_a_name(name, seed):
    assert seed_of(Path(f"{name}.csv")) == seed


BAD_FILES = [
    ("ragged", "a,b\n1,2\n1\n", r"bad_seed_1\.csv:3: 1 fields, the header has 2"),
    ("text", "a\n1\nx\n", r"bad_seed_1\.csv:3: 'x' is not a number"),
    ("underscore", "a\n1_0\n", r"bad_seed_1\.csv:2: '1_0' is not a number"),
    ("other_digits", "a\n١٢\n", "is not a number"),
    ("comma_decimals", "a;b\n1;2\n", r"'1;2' is not a number"),
    ("empty_field", "a,b\n1,\n", r"csv:2: '' is not a number"),
    ("blank_line", "a\n1\n\n2\n", r"csv:3: blank line among the data"),
    ("empty", "", "the file is empty"),
    ("header_only", "a\n", "no data below the header line 'a'"),
    ("no_header", "1.5\n2\n", "'1.5' is a number; expected a header"),
    ("nameless", ",a\n0,1\n", "column 1 has no name"),
    ("twice", "a,a\n1,2\n", "two columns are called 'a'"),
    ("epoch_only", "epoch\n1\n", "no column is a metric"),
    ("epoch_from_zero", "epoch,a\n0,1\n1,1\n", r"csv:2: epoch is 0, expected 1; epochs count 1, 2, 3"),
    ("out_of_range", "acc\n50\n100.5\n", r"csv:3: acc is 100.5, outside its range 0 to 100"),
    ("not_text", b"\xff\xfe", "not readable as UTF-8 text"),
    ("quotes", 'a\n"1\n', r"line 2: not CSV"),
]


@pytest.mark.parametrize(
    ("content", "message"), [bad[1:] for bad in BAD_FILES], ids=[bad[0] for bad in BAD_FILES]
)
def test_a_bad_file_is_named(tmp_path, content, message):
    with pytest.raises(TraceImportError, match=message):
        read_folder(folder(tmp_path / "a", bad_seed_1=content))


def test_seeds_must_be_there_and_unique(tmp_path):
    with pytest.raises(
        TraceImportError, match=r"(?s)b_1\.csv: seed 1 again, it is that of a_1\.csv.*x\.csv: no seed"
    ):
        read_folder(folder(tmp_path / "a", a_1="acc\n1\n", b_1="acc\n1\n", x="acc\n1\n"))


def test_columns_must_agree(tmp_path):
    with pytest.raises(TraceImportError, match=r"2\.csv: line 1: the columns are err, those of .*1\.csv acc"):
        read_folder(folder(tmp_path / "a", seed_1="acc\n1\n", seed_2="err\n1\n"))


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(TraceImportError, match="there is no column 'loss', only: acc"):
        read_folder(folder(tmp_path / "a", seed_1="acc\n1\n"), rules=ColumnRules(keep=["loss"]))


@pytest.mark.parametrize("keep", [None, ["acc"], ["epoch", "acc"]])
def test_epochs_are_checked_whatever_is_kept(tmp_path, keep):
    rules = ColumnRules(keep=keep)
    with pytest.raises(TraceImportError, match="1.csv:2: epoch is 5, expected 1; epochs count 1, 2, 3"):
        read_folder(folder(tmp_path / "a", seed_1="epoch,acc,lr\n5,50,1\n10,60,1\n"), rules=rules)
    group = read_folder(folder(tmp_path / "b", seed_1="Epoch,acc\n1,50\n2,60\n"), rules=ColumnRules(["acc"]))
    assert group.metrics["acc"].tolist() == [[50, 60]] and len(group.metrics) == 1


def test_all_problems_are_collected(tmp_path):
    files = {f"seed_{i}": "acc\n1\nx\n" for i in range(25)}
    files["seed_3"] = "acc\n" + "x\n" * 100
    with pytest.raises(TraceImportError, match="27 problems in the CSV files") as caught:
        read_folder(folder(tmp_path / "a", **files))
    assert len(caught.value.problems) == 27
    assert str(caught.value).count("is not a number") == MAX_PROBLEMS
    assert str(caught.value).endswith("... and 7 more")


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"rename": {"x": "y"}}, "`rename` names the column 'x'; the files have: acc, loss"),
        ({"directions": {"x": "at_most"}}, "`directions` names the column 'x'"),
        ({"rename": {"acc": "loss"}}, "`rename` gives two columns one name"),
        ({"directions": {"acc": "up"}}, "`direction` must be 'at_least' or 'at_most', got 'up'"),
        ({"ranges": {"acc": (1, 0)}}, "`ranges` 'acc' must be"),
        ({"keep": "acc"}, "`keep` must be a sequence"),
        ({"rename": {"acc": "a/b"}}, "`metrics` 'a/b' is not a usable name"),
    ],
)
def test_rules_are_checked(tmp_path, rules, message):
    directory = folder(tmp_path / "a", seed_1="acc,loss\n1,2\n")
    with pytest.raises(ValueError, match=message):
        read_folder(directory, rules=ColumnRules(**rules))


def test_a_folder_without_files_is_refused(tmp_path):
    with pytest.raises(ValueError, match="`directory` .* is not a folder"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="holds no CSV files"):
        read_folder(folder(tmp_path / "a", **{".hidden_1": "acc\n1\n"}))


@pytest.mark.parametrize("text", ["1_0", "1,5", "", "0x1", "one", "１"])
def test_numbers_are_strict(text):
    with pytest.raises(ValueError):
        number(text)


def test_numbers_take_the_usual_forms():
    assert [number(text) for text in ("1", " 2.5 ", "-1e3", "inf")] == [1, 2.5, -1000, np.inf]


def test_import_of_several_folders(tmp_path):
    calls = []
    summary = import_traces(
        tmp_path / "out.h5",
        folder(tmp_path / "plain", seed_1="acc,loss\n1,2\n"),
        [("noise", 5, folder(tmp_path / "n5", seed_1="acc,loss\n3,4\n", seed_2="acc,loss\n5,6\n"))],
        parameters={"noise": {"scale": 0.5}},
        metric="loss",
        progress=lambda *now: calls.append(now),
    )
    assert calls == [(1, 3), (2, 3), (3, 3)]
    assert str(summary).splitlines()[1:] == ["  unperturbed: 1 runs, 1 epochs", "  noise:5: 2 runs, 1 epochs"]
    assert metrics(summary.path) == {"acc": "at_least", "loss": "at_most"}
    study = read_study(summary.path)
    np.testing.assert_array_equal(study.ensemble("noise", 5).values, [[4], [6]])
    assert study.unperturbed.direction == "at_most"


def test_problems_of_all_folders_and_nothing_written(tmp_path):
    plain = folder(tmp_path / "plain", seed_1="acc\n1\n2,3\n")
    noisy = folder(tmp_path / "noisy", seed_1="Acc\n1\n")
    (tmp_path / "out.h5").write_text("before")
    with pytest.raises(TraceImportError, match=r"(?s)plain.*csv:3: 2 fields.*noisy.*the columns are Acc"):
        import_traces(tmp_path / "out.h5", plain, [("noise", 5, noisy)])
    assert (tmp_path / "out.h5").read_text() == "before"


def test_arguments_of_the_import_are_checked(tmp_path):
    plain = folder(tmp_path / "plain", seed_1="acc\n1\n")
    noisy = folder(tmp_path / "noisy", seed_1="acc\n1\n")
    again = folder(tmp_path / "again", seed_1="acc\n1\n")
    out = tmp_path / "out.h5"
    with pytest.raises(ValueError, match="the folder .*plain is given twice"):
        import_traces(out, plain, [("noise", 5, plain)])
    with pytest.raises(ValueError, match="`groups` holds noise:5 twice"):
        import_traces(out, plain, [("noise", 5, noisy), ("noise", 5, again)])
    with pytest.raises(ValueError, match="`parameters` are given for 'shrink'"):
        import_traces(out, plain, [("noise", 5, noisy)], parameters={"shrink": {}})
    with pytest.raises(ValueError, match="`metric` 'loss' is not in `groups`; they have: acc"):
        import_traces(out, plain, metric="loss")
    assert not out.exists()


def test_parse_perturbed():
    assert parse_perturbed("noise:5:C:/runs") == ("noise", 5, Path("C:/runs"))


@pytest.mark.parametrize("text", ["noise", "noise:5", "noise:5:", ":5:runs", "noise::runs"])
def test_parse_perturbed_wants_three_parts(text):
    with pytest.raises(ValueError, match="must be NAME:PERIOD:DIRECTORY, like"):
        parse_perturbed(text)


@pytest.mark.parametrize("period", ["0", "-1", "1.5", "five", "²"])
def test_parse_perturbed_wants_whole_periods(period):
    with pytest.raises(ValueError, match="the period must be a whole number of epochs"):
        parse_perturbed(f"noise:{period}:runs")
