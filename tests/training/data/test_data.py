import itertools
import pickle

import pytest

torch = pytest.importorskip("torch", reason="data sets are tensors, of the optional extra `training`")

from training.data import Data  # noqa: E402

LABELS = torch.tensor([0, 2, 1, 0])


def images(samples, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (samples, 3, 5, 4), dtype=torch.uint8, generator=generator)


def image_data(**changed):
    mean, std = torch.tensor([0.1, 0.5, 0.9]), torch.tensor([0.2, 0.25, 1.0])
    given = dict(
        train_inputs=images(4),
        train_targets=LABELS,
        test_inputs=images(2, 1),
        test_targets=LABELS[:2],
        mean=mean,
        std=std,
    )
    return Data(**{**given, **changed})


def float_data(**changed):
    given = dict(
        train_inputs=torch.arange(12.0).view(4, 3),
        train_targets=LABELS,
        test_inputs=torch.ones(2, 3),
        test_targets=LABELS[:2],
    )
    return Data(**{**given, **changed})


def regression(targets):
    return float_data(train_targets=targets, test_targets=targets[:2])


def test_what_a_data_set_says_of_itself():
    data = image_data()
    assert (data.samples, data.input_shape, data.classification, data.outputs) == (4, (3, 5, 4), True, 3)
    assert type(data.input_shape) is tuple
    assert float_data().input_shape == (3,)
    assert float_data(classes=7).outputs == 7
    highest_in_test = float_data(test_targets=torch.tensor([4, 0]))
    assert highest_in_test.outputs == 5


@pytest.mark.parametrize(("shape", "outputs"), [((4,), 1), ((4, 1), 1), ((4, 6), 6)])
def test_outputs_of_a_regression(shape, outputs):
    data = regression(torch.zeros(shape))
    assert data.outputs == outputs and not data.classification


def test_images_are_normalised_value_by_value():
    data = image_data()
    prepared = data.prepare(data.train_inputs)
    assert prepared.dtype == torch.float32 and prepared.is_contiguous()
    for index in itertools.product(*map(range, prepared.shape)):
        mean, std = data.mean[index[1]].item(), data.std[index[1]].item()
        expected = (data.train_inputs[index].item() / 255 - mean) / std
        assert prepared[index].item() == pytest.approx(expected, abs=1e-6)


def test_without_mean_and_std_pixels_become_0_to_1():
    data = image_data(mean=None, std=None)
    pixels = torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1)
    torch.testing.assert_close(data.prepare(pixels).flatten(), torch.tensor([0.0, 0.2, 1.0]))


def test_leading_axes_are_kept():
    data = image_data()
    alone = data.prepare(data.train_inputs)
    runs = data.prepare(torch.stack([data.train_inputs, data.train_inputs.flip(0)]))
    assert torch.equal(runs, torch.stack([alone, alone.flip(0)]))
    assert torch.equal(data.prepare(data.train_inputs[0]), alone[0])
    assert runs.shape == data.prepare(runs, channels_last=True).shape


@pytest.mark.parametrize("floats", [False, True])
def test_channels_last_changes_the_layout_alone(floats):
    data = image_data()
    inputs = data.train_inputs.float() if floats else data.train_inputs
    before = inputs.clone()
    plain, last = data.prepare(inputs), data.prepare(inputs, channels_last=True)
    assert last.is_contiguous(memory_format=torch.channels_last) and not last.is_contiguous()
    assert torch.equal(plain, last)
    assert torch.equal(inputs, before)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_prepare_casts(dtype):
    data = image_data()
    single = data.prepare(data.train_inputs)
    assert torch.equal(data.prepare(data.train_inputs, dtype), single.to(dtype))
    floats = float_data()
    assert torch.equal(floats.prepare(floats.train_inputs, dtype), floats.train_inputs.to(dtype))


def test_floats_pass_unchanged():
    data = float_data()
    assert torch.equal(data.prepare(data.train_inputs), data.train_inputs)
    assert torch.equal(data.prepare(data.train_inputs, channels_last=True), data.train_inputs)


def test_moved_to_another_device():
    data = image_data(classes=5).to("cpu")
    assert data.outputs == 5 and data.digest() == image_data(classes=5).digest()


@pytest.mark.gpu
def test_normalised_on_the_gpu():
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    data = image_data()
    moved = data.to("cuda")
    prepared = moved.prepare(moved.train_inputs)
    assert prepared.device.type == "cuda" and moved.digest() == data.digest()
    torch.testing.assert_close(prepared.cpu(), data.prepare(data.train_inputs))


def test_pickled_and_restored():
    data = image_data()
    restored = pickle.loads(pickle.dumps(data))
    assert restored.digest() == data.digest()
    assert torch.equal(restored.prepare(data.train_inputs), data.prepare(data.train_inputs))


def test_the_digest_depends_on_every_part():
    def changed(name, tensor):
        other = tensor.clone()
        other.view(-1)[-1] = 1 if name.endswith("targets") else 0.75
        return other

    data = image_data()
    digests = {data.digest(), image_data(classes=4).digest(), image_data(mean=None, std=None).digest()}
    names = ("train_inputs", "train_targets", "test_inputs", "test_targets", "mean", "std")
    for name in names:
        digests.add(image_data(**{name: changed(name, getattr(data, name))}).digest())
    swapped = image_data(train_inputs=data.train_inputs.transpose(2, 3), test_inputs=data.test_inputs.mT)
    digests.add(swapped.digest())
    assert len(digests) == 3 + len(names) + 1
    assert all(len(digest) == 64 for digest in digests)
    assert image_data().digest() == data.digest()
    assert image_data(train_inputs=data.train_inputs.mT.contiguous().mT).digest() == data.digest()


def test_the_digest_is_that_of_the_values_for_any_type():
    halves = torch.ones(4, 3, dtype=torch.bfloat16)
    assert len(float_data(train_inputs=halves, test_inputs=halves[:2]).digest()) == 64


def test_frozen():
    with pytest.raises(AttributeError):
        image_data().classes = 3


@pytest.mark.parametrize(
    ("make", "changed", "message"),
    [
        (
            float_data,
            {"train_inputs": [[1.0]]},
            "`train_inputs` must be a torch tensor, got list; convert with",
        ),
        (
            float_data,
            {"test_inputs": torch.ones(2, 4)},
            r"`test_inputs` must be as .* \(samples, 3\); got .*4\)",
        ),
        (
            float_data,
            {"test_inputs": torch.ones(2, 3).double()},
            "`test_inputs` must be .*float32 .*float64",
        ),
        (
            float_data,
            {"train_targets": LABELS[:3]},
            r"`train_targets` must hold one target for each of the 4",
        ),
        (float_data, {"train_targets": LABELS.int()}, r"`train_targets` must be int64 labels .* torch.int32"),
        (float_data, {"train_targets": LABELS[:, None]}, r"`train_targets` must be int64 .* \(4, 1\)"),
        (
            float_data,
            {"train_targets": LABELS.float()},
            "`test_targets` must be as .*float32 .* got torch.int64",
        ),
        (float_data, {"train_targets": torch.zeros(4, 0)}, r"`train_targets` must be .* \(4, 0\)"),
        (
            float_data,
            {"test_inputs": torch.ones(0, 3), "test_targets": LABELS[:0]},
            "`test_targets` must hold one target for each of the 0 entries of `test_inputs`, at least one",
        ),
        (float_data, {"train_inputs": torch.ones(4)}, r"`train_inputs` must be floats \(samples, ...\)"),
        (float_data, {"train_inputs": torch.ones(4, 0)}, r"`train_inputs` must be floats .* \(4, 0\)"),
        (float_data, {"train_inputs": LABELS[:, None]}, "`train_inputs` must be floats .* got torch.int64"),
        (float_data, {"train_inputs": LABELS[:, None].byte()}, "or uint8 images .* got torch.uint8 of shape"),
        (float_data, {"train_targets": LABELS - 1}, "`train_targets` must hold labels of at least 0, got -1"),
        (
            float_data,
            {"test_targets": LABELS[:2] - 1},
            "`test_targets` must hold labels of at least 0, got -1",
        ),
        (float_data, {"classes": 2}, "`train_targets` must hold labels below `classes`, 2, got 2; number"),
        (
            float_data,
            {"classes": 3, "test_targets": LABELS[:2] + 1},
            "`test_targets` must hold labels below .* 3, got 3",
        ),
        (float_data, {"classes": 2.5}, "`classes` must be a whole number of at least 1, got 2.5"),
        (
            float_data,
            {"train_targets": torch.ones(4), "test_targets": torch.ones(2), "classes": 2},
            "`classes` is for integer labels, and the targets are torch.float32; leave it out",
        ),
        (
            float_data,
            {"mean": torch.ones(3), "std": torch.ones(3)},
            "`mean` is for uint8 images, and .*float32",
        ),
        (image_data, {"mean": None}, "`mean` and `std` go together: .* got only `std`"),
        (image_data, {"std": None}, "`mean` and `std` go together: .* got only `mean`"),
        (
            image_data,
            {"mean": torch.ones(2)},
            r"`mean` must be a float tensor .* 3 channels.*float32 of shape \(2,\)",
        ),
        (image_data, {"std": torch.ones(3, dtype=int)}, "`std` must be a float tensor .* got torch.int64"),
        (image_data, {"std": 0.5}, "`std` must be a float tensor .* got 0.5"),
        (image_data, {"std": torch.tensor([1.0, 0.0, 1.0])}, "`std` must be finite and positive, got"),
        (image_data, {"mean": torch.tensor([1.0, 0.0, torch.inf])}, "`mean` must be finite, got .*inf"),
        (
            image_data,
            {"test_targets": torch.ones(2, device="meta").long()},
            "`test_targets` must be on the device",
        ),
    ],
)
def test_errors_name_argument_and_value(make, changed, message):
    with pytest.raises(ValueError, match=message):
        make(**changed)


@pytest.mark.parametrize(
    ("data", "inputs", "message"),
    [
        (
            image_data,
            images(2)[:, :1],
            r"`inputs` must be images \(..., 3, height, width\), got shape \(2, 1, 5, 4\)",
        ),
        (image_data, images(1)[0, 0], r"`inputs` must be images .* \(5, 4\)"),
        (
            image_data,
            LABELS,
            "`inputs` must be floats or have the type of the data set, torch.uint8, got torch.int64",
        ),
        (float_data, images(2), "`inputs` must be floats or .* torch.float32, got torch.uint8"),
    ],
)
def test_prepare_takes_no_other_inputs(data, inputs, message):
    with pytest.raises(ValueError, match=message):
        data().prepare(inputs)
