import os
import subprocess
import sys

import pytest

pytest.importorskip("torch", reason="studies train with torch, of the optional extra `training`")

from training.config import ConfigError, load_study  # noqa: E402

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


SGD_KEYS = "It has: kind, learning_rate, momentum, weight_decay, nesterov"
BELOW = [
    # unknown keys and kinds
    (
        '[optimizer]\nkind = "sgd"\nlr = 1',
        11,
        f'[optimizer] has no key "lr"; did you mean learning_rate? {SGD_KEYS}',
    ),
    ('[optimizer]\nkind = "sgd"\nx9 = 1', 11, f'[optimizer] has no key "x9"; {SGD_KEYS}'),
    (
        '[optimizer]\nkind = "sgd"\nthreshold = 1',
        11,
        '[optimizer] has no key "threshold"; threshold belongs at the top of the file, above the first table. It',
    ),
    (
        '[optimizer]\n\nkind = "sdg"',
        11,
        '[optimizer] kind must be one of sgd, adamw, got "sdg"; did you mean sgd?',
    ),
    ("[optimizer]\nkind = 1", 10, "[optimizer] kind must be one of sgd, adamw, got 1"),
    ("[optimizer]\nmomentum = 0.5", 9, "[optimizer] lacks the key kind; it has: momentum"),
    ("[optimizer]", 9, "[optimizer] lacks the key kind; it has: no keys"),
    ('[schedule]\nkind = "cosine"', 9, "[schedule] lacks the key epochs; it has: kind"),
    ('[schedule]\nkind = "constant"\nfloor = 1', 11, '[schedule] has no key "floor"; It has: kind'),
    (
        "[training]\nbatch = 3",
        10,
        '[training] has no key "batch"; did you mean batch_size? It has: batch_size, dr',
    ),
    (
        "[hardware]\ndevices = 'cpu'",
        10,
        '[hardware] has no key "devices"; did you mean device? It has: device, pre',
    ),
    (
        "[executor]\nworker = 2",
        10,
        '[executor] has no key "worker"; did you mean workers? It has: kind, workers,',
    ),
    # wrong types
    ('[optimizer]\nkind = "sgd"\nnesterov = 1', 11, "[optimizer] nesterov must be true or false, got 1"),
    ('[optimizer]\nkind = "sgd"\nmomentum = "x"', 11, '[optimizer] momentum must be a number, got "x"'),
    ("[hardware]\ndevice = 1", 10, "[hardware] device must be a text in quotes, got 1"),
    ("[executor]\noptions = 1", 10, "[executor] options must be a table, got 1"),
    # impossible values
    (
        '[optimizer]\nkind = "sgd"\nlearning_rate = 0',
        11,
        "[optimizer] learning_rate must be positive and finite, go",
    ),
    (
        '[optimizer]\nkind = "sgd"\nnesterov = true\nmomentum = 0',
        11,
        "[optimizer] nesterov needs a momentum above 0",
    ),
    (
        '[schedule]\nkind = "cosine"\nepochs = 5\nfloor = 2',
        12,
        "[schedule] floor must be a factor between 0 and 1",
    ),
    (
        '[schedule]\nkind = "cosine"\nepochs = 0',
        11,
        "[schedule] epochs must be a whole number of epochs, at least",
    ),
    (
        "[training]\nbatch_size = 0",
        10,
        "[training] batch_size must be a whole number of samples, at least 1, got 0",
    ),
    ('[training]\nloss = "crossentropy"', 10, "[training] loss must be one of auto, cross_entropy, mse, got"),
    ('[hardware]\nprecision = "float23"', 10, 'tf32, bfloat16, got "float23"; did you mean float32?'),
    ('[hardware]\ndevice = "gpu"', 10, '[hardware] device must be "auto", "cpu", "cuda" or "cuda:N", got '),
    (
        "[hardware]\nconcurrent = 0",
        10,
        "[hardware] concurrent must be a whole number of networks, at least 1, got 0",
    ),
    ('[executor]\nkind = "process"', 10, 'submitit-local, got "process"; did you mean processes?'),
    ('[executor]\nkind = "processes"\nworkers = 0', 11, "[executor] workers must be at least 1"),
    ('[executor]\nkind = "dask"', 9, "[executor] address must be given for the kind 'dask' and for no other"),
    (
        "[executor]\noptions = {nodes = 1}",
        10,
        "[executor] options are parameters of submitit and must be empty",
    ),
    # options that could run commands
    (
        "[executor]\nkind='slurm'\noptions = {slurm_setup = ['x']}",
        11,
        '[executor] options has no key "slurm_setup"',
    ),
    (
        "[executor]\nkind='slurm'\n[executor.options]\nnodes = true",
        12,
        "[executor] options nodes must be a whole nu",
    ),
    (
        "[executor]\nkind = 'slurm'\noptions = {slurm_qos = \"a\\nrm\"}",
        11,
        "[executor] options slurm_qos must be printable text on one line, got 'a\\nrm'",
    ),
]


@pytest.mark.parametrize(("text", "line", "message"), BELOW, ids=[text for text, *_ in BELOW])
def test_tables(problems_with, text, line, message):
    [problem] = problems_with("", text)
    assert problem.startswith(f"study.toml, line {line}: ")
    assert message in problem


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


DATA = [
    ('kind = "digit"', 5, 'image-folder, regression, got "digit"; did you mean digits?'),
    ('kind = "image_folder"', 5, 'got "image_folder"; did you mean image-folder?'),
    ('kind = "cifar10"', 4, "[data] lacks the key root; it has: kind"),
    ('kind = "cifar10"\nroot = 3', 6, "[data] root must be a text in quotes, got 3"),
    (
        'kind = "cifar10"\nroot = "~no-such-user-here/x"',
        6,
        '[data] root must be a path, got "~no-such-user-here/x"',
    ),
    (
        'kind = "digits"\ntrain_images = 1797',
        6,
        "[data] train_images must be at least 1 and below 1797, got 1797",
    ),
    ('kind = "regression"\nfunction = "friedman9"', 6, 'friedman3, got "friedman9"; did you mean friedman'),
    ('kind = "regression"\nnoise = nan', 6, "[data] noise must be a finite number, got nan"),
]


@pytest.mark.parametrize(("keys", "line", "message"), DATA, ids=[keys for keys, *_ in DATA])
def test_data(problems, keys, line, message):
    [problem] = problems(f'epochs = 3\nseeds = 3\n\n[data]\n{keys}\n[network]\nkind = "mlp"\n')
    assert problem.startswith(f"study.toml, line {line}: [data] ")
    assert message in problem


NETWORKS = [
    ('kind = "mpl"', 7, 'mlp, cnn, resnet18, got "mpl"; did you mean mlp?'),
    ('kind = "mlp"\nhidden = [64, true]', 8, "hidden must be a list of whole numbers, got [64, true]"),
    ('kind = "mlp"\nhidden = [64, 0]', 8, "hidden must be a tuple of whole numbers of at least 1"),
    ('kind = "cnn"\nchannels = []', 8, "channels must hold at least one number"),
    ('kind = "resnet18"\nhidden = []', 8, 'has no key "hidden"; It has: kind'),
]


@pytest.mark.parametrize(("keys", "line", "message"), NETWORKS, ids=[keys for keys, *_ in NETWORKS])
def test_networks(problems, keys, line, message):
    [problem] = problems(f'epochs = 3\nseeds = 3\n\n[data]\nkind = "digits"\n[network]\n{keys}\n')
    assert problem.startswith(f"study.toml, line {line}: [network] ")
    assert message in problem


def test_accuracy_of_a_regression(problems):
    text = 'epochs = 3\nseeds = 3\nmetric = "test_accuracy"\n[data]\nkind = "regression"\n[network]\nkind = "mlp"\n'
    assert problems(text) == [
        "study.toml, line 3: metric test_accuracy is of classes, which regression has not; use test_loss"
    ]


def test_what_is_missing(problems):
    assert problems("") == [
        "study.toml: the file lacks the key epochs; it has: no keys",
        "study.toml: the file lacks the key seeds; it has: no keys",
        "study.toml: the file lacks the table [data]",
        "study.toml: the file lacks the table [network]",
    ]


def test_two_different_perturbations_of_one_name(problems_with):
    table = '[[perturbation]]\nkind = "shrink_perturb"\n'
    [problem] = problems_with("", f"{table}period = 20\n{table}shrink = 0.5\nperiod = 30\n")
    assert problem == (
        "study.toml, line 15: [[perturbation]] treatments calls two different perturbations 'shrink_perturb'; "
        "give one another name"
    )


def test_all_problems_at_once_in_the_order_of_the_file(problems):
    text = """\
epochs = "many"
seeds = 200
threshold = inf
stop_at_threshold = true

[data]
kind = "digit"

[network]
kind = "mlp"
hidden = [64, true]

[optimizer]
lr = 0.05
kind = "sgd"
momentum = 2
weight_decay = -1

[[perturbation]]
kind = "warm_restart"
period = 0
once = []

[[perturbation]]
kind = "shrink_perturb"
shrink = -1
noise = -1
rate = 0
"""
    found = problems(text)
    assert found[0] == 'study.toml, line 1: epochs must be a whole number, got "many"'
    assert [int(each.split("line ")[1].split(":")[0]) for each in found] == [
        *(1, 3, 7, 11, 14, 16, 17, 21, 22, 26, 27, 28),
    ]


def test_number_of_treatments(problems_with):
    periods = list(range(1, 1002))
    [problem] = problems_with("", f'[[perturbation]]\nkind = "warm_restart"\nperiods = {periods}')
    assert "line 9: [[perturbation]] is one too many: there may be at most 1000 treatments" in problem


SYNTAX = [
    ("epochs = 3\nseeds = \n", "study.toml, line 2, column 9: is not TOML: Invalid value"),
    ("epochs = 3\r\nseeds = \r\n", "study.toml, line 2, column 9: is not TOML: Invalid value"),
    ("epochs = 3\nepochs = 4\n", "study.toml, line 2, column 11: is not TOML: Cannot overwrite a value"),
    ('epochs = 3\n\na = "', "study.toml, line 3: is not TOML: Unterminated string (at end of document)"),
    ("a = [1,\n2,", "study.toml, line 2"),
    ("a = " + "9" * 5000, "study.toml: is not TOML: Exceeds the limit"),
    ("a = " + "[" * 20_000 + "]" * 20_000, "study.toml: is nested too deeply"),
    ("a\x1b[31m = 1", "study.toml, line 1, column 2: is not TOML"),
    (b"epochs = 3\n# caf\xe9\n", "study.toml, line 2: is not UTF-8 at byte 0xe9; save the file as UTF-8"),
    ("epochs = 3\n".encode("utf-16"), "study.toml, line 1: is not UTF-8 at byte 0xff"),
    (b"#" * 1_000_001, "study.toml: is larger than 1 MB, which no study needs"),
]


@pytest.mark.parametrize(("text", "message"), SYNTAX, ids=range(len(SYNTAX)))
def test_syntax(problems, text, message):
    [problem] = problems(text)
    assert message in problem


def test_a_file_of_a_megabyte_is_read(problems):
    assert len(problems(b"#" * 1_000_000)) == 4


def test_no_file(folder):
    with pytest.raises(ConfigError, match=r"^nowhere\.toml: there is no such file$"):
        load_study("nowhere.toml")
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory$"):
        load_study(folder)
    with pytest.raises(ConfigError, match=r"^a\\x00b: cannot be read: embedded null byte$"):
        load_study("a\0b")


def test_an_unreadable_file(folder):
    (folder / "secret.toml").touch(mode=0)
    if os.access("secret.toml", os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(ConfigError, match="cannot be read: Permission denied"):
        load_study("secret.toml")


def test_messages_hold_no_control_characters(problems_with):
    found = problems_with('"a\\nb\\u001b[31m" = 1\n', '[optimizer]\n"x\\u009b" = 1\nkind = "sgd"')
    assert len(found) == 2
    assert all(each.isprintable() for each in found)


def test_no_data_set_is_loaded(tmp_path):
    code = (
        "import sys; from training.config import load_study; load_study(sys.argv[1]);"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    text = (
        'epochs = 9\nseeds = 1\n[data]\nkind = "image-folder"\nroot = "x"\n[network]\nkind = "resnet18"\n'
        '[[perturbation]]\nkind = "warm_restart"\nonce = 3\n'
    )
    path = tmp_path / "study.toml"
    path.write_text(text)
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {
        "sklearn",
        "torchvision",
        "PIL",
        "pydantic",
        "submitit",
        "distributed",
    }


def test_very_many_problems_are_cut_short(problems):
    found = problems("".join(f"k{number} = 1\n" for number in range(300)))
    assert len(found) == 101
    assert found[-1] == "study.toml: 204 more like these"
    assert "k38, k39, ..." in found[0] and max(map(len, found)) < 500


def test_very_deep_keys(problems_with):
    [problem] = problems_with("a." * 500 + "b = 1\n")
    assert problem.startswith("study.toml, line 3: the file has no table [a]; It has: [data],")
