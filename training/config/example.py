"""A configuration to start from."""

from __future__ import annotations

EXAMPLE = """\
# A training study for `stochreset train`, and with the table [optimize] for `stochreset optimize`: small networks
# on the handwritten digits of scikit-learn, without perturbations and under shrink and perturb. All values of
# unperturbed training are the defaults, except where the comment says "needed"; lines that are commented out have
# no default.

epochs = 160                      # of each run; needed
seeds = 200                       # needed: 0 to 199; or [3, 5, 8]; or {first = 100, count = 50}
block_size = 100                  # runs trained together, lost together, kept together
# metric = "test_accuracy"        # which one is analysed; or train_accuracy, test_loss, train_loss, epoch_seconds
# threshold = 93.0                # the metric that completes training, if it is known beforehand
stop_at_threshold = false         # end each run there; cheaper, but higher thresholds are then lost
checkpoint_seconds = 60.0         # work is saved this often, and when it is interrupted
keep_checkpoints = true           # so that treatments added later can branch off the unperturbed runs

[data]
kind = "digits"                   # needed; or cifar10, cifar100, image-folder (each with root), regression
train_images = 200                # of 1,797; the others are the test set
split_seed = 0                    # of the split that all runs share

[network]
kind = "mlp"                      # needed; or cnn, resnet18
hidden = [64, 64]                 # units of each hidden layer
activation = "relu"               # or tanh, sigmoid, gelu, silu, elu, leaky_relu

[optimizer]
kind = "sgd"                      # or adamw
learning_rate = 0.05
momentum = 0.9
weight_decay = 0.0
nesterov = false

[schedule]                        # of the learning rate
kind = "constant"                 # or cosine (epochs, floor), step (epochs, factor_per_step)

[training]
batch_size = 25                   # samples
drop_last = false                 # leave out the last batch of an epoch where it is smaller
loss = "auto"                     # cross_entropy for classes, mse for numbers; or one of these

[hardware]
device = "auto"                   # cuda where there is one; or cpu, cuda, cuda:1
precision = "float32"             # or tf32, bfloat16
channels_last = false             # layout of images, for convolutions on CUDA
compile = false                   # torch.compile: a slow first epoch
cuda_graphs = true                # capture a training step once and replay it
concurrent = 4                    # networks in flight at once on one CUDA device
engine = "auto"                   # or stacked (all networks of a block at once), single

# Any number of perturbations. Each needs a kind (shrink_perturb, stochastic_reset, partial_reset, layer_reset,
# weight_noise, warm_restart, optimizer_reset), a preset (paper_shrink_perturb, paper_partial, ash_adams) or parts.

[[perturbation]]
kind = "shrink_perturb"           # w <- shrink * w + noise * w0
name = "shrink_perturb"           # in the runs file; two different perturbations need two names
shrink = 0.6
noise = 0.1
source = "initialisation"         # w0 is a fresh initialisation; or gaussian
scope = "all"                     # parameters; or weights
buffers = "keep"                  # of batch norm; or scale, reset, recalibrate
optimizer = "reset"               # or keep
# When, at least one of these; in epochs. No key has a default.
periods = [20, 40]                # sharp, one treatment for each; or period = 20
branch_at = [60, 80]              # more treatments: the first perturbation there, then each period
rates = [0.05]                    # Poisson, per epoch; or rate = 0.05
once = [30]                       # a single perturbation
# gamma = {shape = 4, scale = 5}  # gamma intervals, their mean 20
# uniform = {shortest = 10, longest = 30}
# seeds = {first = 1000, count = 200}   # default: the seeds above, whose unperturbed history is then shared

[[perturbation]]
name = "both"
parts = [{kind = "shrink_perturb", shrink = 0.5}, {kind = "warm_restart"}]   # one after the other, at once
period = 20

# `stochreset optimize` tries each perturbation above at the periods given here. A parameter of a perturbation may then
# be a list of numbers, each of which is tried.
[optimize]
thresholds = [93.0]               # to reach, each with an answer of its own; needed
budget = 8000                     # epochs, in all; needed
# periods = [5, 10, 20, 40]       # to try; default: 1, 2, 3, 5, 7, 10, ... up to half the epochs
confirm_share = 0.5               # of the budget, for fresh runs that confirm the answer
pilot_share = 0.4                 # of the rest, for unperturbed runs
batch = 1                         # runs of one measurement
precision = 0.1                   # of the speed-up
gain = 0.01                       # a measurement must promise to shorten the mean by this fraction
seed = 0

[executor]                        # or, at the top of the file, executor = "processes:2"
kind = "in-process"               # or processes, gpus, dask, slurm, submitit-local
# workers = 2                     # processes, GPUs or jobs at once; default: as many as there are
# address = "tcp://host:8786"     # of a Dask scheduler, or its file
# options = {timeout_min = 240, slurm_partition = "gpu", gpus_per_node = 1}   # of jobs
# log_folder = "submitit-jobs"    # of jobs; default: in the folder of the study
"""


def example() -> str:
    """Return a commented configuration of a study of the digits, ready to be saved and loaded."""
    return EXAMPLE
