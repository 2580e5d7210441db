"""Errors in the tables of the file of a study: optimizer, schedule, hardware, executor, data, network."""

import pytest

pytest.importorskip("torch", reason="studies train with torch, of the optional extra `training`")

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
    (
        '[executor]\nkind = "processes"\nworkers = 0',
        11,
        "[executor] workers must be a whole number of at least 1",
    ),
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
