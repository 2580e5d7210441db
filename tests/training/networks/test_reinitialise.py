import copy
import warnings

import pytest

torch = pytest.importorskip("torch", reason="networks are torch modules, of the optional extra `training`")
nn = torch.nn

from training.networks import MLP, ResNet18, SmallCNN, check_resettable, reset_parameters, unwrap  # noqa: E402


class Scaled(nn.Module):
    """Initialises its inner layer otherwise than that does itself, and two kinds of parameters of its own."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.scale = nn.Parameter(torch.empty(3))
        self.more = nn.ParameterList([torch.empty(2), torch.empty(4)])
        self.register_buffer("count", torch.empty(1))
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.constant_(self.layer.weight, 7.0)
        nn.init.normal_(self.scale)
        for part in self.more:
            nn.init.ones_(part)
        self.count.zero_()


def bare():
    module = nn.Module()
    module.weight = nn.Parameter(torch.ones(2))
    module.register_buffer("mask", torch.ones(2))
    return module


def spoil(module):
    for tensor in (*module.parameters(), *module.buffers()):
        tensor.detach().fill_(77)


def seeded(act, seed=3):
    torch.manual_seed(seed)
    return act()


def state(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def assert_same(one, other):
    assert list(one) == list(other)
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MLP((5, 6)).build((4,), 3),
        lambda: SmallCNN(normalisation="batch").build((3, 8, 8), 10),
        lambda: SmallCNN(normalisation="group").build((3, 8, 8), 10),
        lambda: nn.MultiheadAttention(8, 2),
        lambda: nn.MultiheadAttention(8, 2, kdim=4, vdim=5),
        lambda: nn.LSTM(3, 4, num_layers=2),
        lambda: nn.Sequential(
            nn.Embedding(5, 4, padding_idx=0), nn.PReLU(), nn.BatchNorm1d(4), nn.Bilinear(4, 4, 2)
        ),
        lambda: nn.TransformerEncoderLayer(8, 2, 16),
    ],
    ids=["mlp", "batch norm", "group norm", "attention", "attention 2", "lstm", "several", "transformer"],
)
def test_a_network_reset_is_a_new_one_bit_for_bit(make):
    new = state(seeded(make))
    module = make()
    spoil(module)
    seeded(lambda: reset_parameters(module))
    assert_same(state(module), new)
    seeded(lambda: reset_parameters(module), seed=4)
    assert any(not torch.equal(value, new[name]) for name, value in module.state_dict().items())


def test_identity_and_gradients_are_kept():
    module = MLP((5,)).build((4,), 3)
    before = [*module.parameters()]
    reset_parameters(module)
    assert all(a is b and a.requires_grad for a, b in zip(before, module.parameters(), strict=True))
    module(torch.randn(2, 4)).sum().backward()


def test_a_parent_is_reset_after_the_modules_within_it():
    module = nn.Sequential(Scaled(), nn.Linear(3, 2))
    spoil(module)
    reset_parameters(module)
    inner = module[0]
    assert (inner.layer.weight == 7).all() and (inner.layer.bias.abs() <= 3**-0.5).all()
    assert inner.count.item() == 0 and all((part == 1).all() for part in inner.more)
    assert (inner.scale != 77).all() and module[1].weight.abs().max() < 1


def test_a_method_may_write_to_its_parameters_in_place():
    module = bare()
    module.reset_parameters = lambda: (module.weight.zero_(), module.mask.zero_())
    reset_parameters(module)
    assert (module.weight == 0).all() and module.weight.requires_grad


def test_attention_ends_with_a_bias_of_zero():
    module = nn.MultiheadAttention(8, 2)
    spoil(module)
    reset_parameters(module)
    assert (module.out_proj.bias == 0).all() and (module.out_proj.weight != 77).all()


def test_resnet18_is_reset_to_the_scale_of_a_new_one():
    pytest.importorskip("torchvision", reason="ResNet-18 is that of torchvision, of the extra `training`")
    module = ResNet18().build((3, 32, 32), 10)
    spoil(module)
    seeded(lambda: reset_parameters(module))
    for name, part in module.named_modules():
        if isinstance(part, nn.Conv2d):
            count = part.weight.numel()
            ratio = part.weight.var().item() * part.out_channels * part.kernel_size[0] ** 2 / 2
            assert abs(ratio - 1) < 5 * (2 / count) ** 0.5, name
        elif isinstance(part, nn.BatchNorm2d):
            assert (part.weight == 1).all() and (part.bias == 0).all() and part.num_batches_tracked == 0
            assert (part.running_mean == 0).all() and (part.running_var == 1).all()
    assert module.fc.weight.abs().max() <= 512**-0.5


def test_what_no_method_covers_is_named_and_nothing_changes():
    module = nn.Sequential(nn.Linear(2, 2), bare())
    before = state(module)
    with pytest.raises(
        ValueError, match="no `reset_parameters` initialises: 1.weight, 1.mask; give a factory that"
    ):
        reset_parameters(module)
    assert_same(state(module), before)
    with pytest.raises(
        ValueError, match="initialises: weight, mask; .* or define `reset_parameters` on the module"
    ):
        check_resettable(bare())


def test_a_parent_covers_its_own_parameters_alone():
    module = Scaled()
    module.odd = bare()
    with pytest.raises(ValueError, match="initialises: odd.weight, odd.mask; give"):
        reset_parameters(module)


def test_a_list_of_parameters_that_nobody_resets():
    module = nn.Sequential(nn.Linear(2, 2))
    module.append(nn.ParameterList([torch.ones(2)]))
    with pytest.raises(ValueError, match="initialises: 1.0; give a factory"):
        reset_parameters(module)


def test_parametrised_weights_are_not_covered():
    module = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    with pytest.raises(ValueError, match="initialises: parametrizations.weight.original0, .*original1; give"):
        reset_parameters(module)


@pytest.mark.parametrize(
    ("hook", "names"),
    [
        (lambda layer: nn.utils.weight_norm(layer), "bias, weight_g, weight_v"),
        (lambda layer: nn.utils.spectral_norm(layer), "bias, weight_orig, weight_u, weight_v"),
    ],
    ids=["weight_norm", "spectral_norm"],
)
def test_weights_put_together_before_each_call_are_not_covered(hook, names):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        module = hook(nn.Linear(2, 3))
    with pytest.raises(ValueError, match=f"initialises: {names}; give"):
        reset_parameters(module)


def test_shared_modules_and_parameters():
    layer = nn.Linear(2, 2)
    calls = []
    layer.reset_parameters = lambda: calls.append(1)
    reset_parameters(nn.Sequential(layer, layer))
    assert calls == [1]
    alike = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    alike[1].weight = alike[0].weight
    reset_parameters(alike)
    tied = nn.Sequential(nn.Embedding(4, 2), nn.Linear(2, 4, bias=False))
    tied[1].weight = tied[0].weight
    before = state(tied)
    with pytest.raises(
        ValueError, match="shared by layers that initialise them differently: 0.weight; give a fac"
    ):
        reset_parameters(tied)
    assert_same(state(tied), before)


def test_a_deep_copy_is_reset_alone():
    module = Scaled()
    before = state(module)
    other = copy.deepcopy(module)
    spoil(other)
    seeded(lambda: reset_parameters(other))
    assert_same(state(module), before)
    assert (other.count == 0).all()


def test_a_network_without_parameters():
    reset_parameters(nn.ReLU())
    assert unwrap(module := nn.ReLU()) is module


def wrapped_by_compile(module):
    return torch.compile(module)


@pytest.mark.parametrize(
    "wrap", [wrapped_by_compile, nn.DataParallel, lambda m: wrapped_by_compile(nn.DataParallel(m))]
)
def test_wrapped_networks(wrap):
    module = SmallCNN(normalisation="batch").build((3, 8, 8), 10)
    new = state(seeded(lambda: SmallCNN(normalisation="batch").build((3, 8, 8), 10)))
    wrapped = wrap(module)
    spoil(module)
    assert unwrap(wrapped) is module and wrapped is not module
    seeded(lambda: reset_parameters(wrapped))
    assert_same(state(module), new)


def test_a_compiled_layer_within_a_network_is_reset_once():
    module = nn.Sequential(wrapped_by_compile(nn.Linear(2, 2)), nn.Linear(2, 2))
    plain = seeded(lambda: nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)))
    seeded(lambda: reset_parameters(module))
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), plain.parameters(), strict=True))


def test_wrapped_for_several_processes():
    distributed = torch.distributed
    if not distributed.is_available() or not distributed.is_gloo_available():
        pytest.skip("torch was built without gloo")
    if distributed.is_initialized():
        pytest.skip("a process group is in use")
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    try:
        module = nn.Linear(2, 2)
        wrapped = nn.parallel.DistributedDataParallel(module)
        seeded(lambda: reset_parameters(wrapped))
        assert unwrap(wrapped) is module
        assert torch.equal(module.weight, seeded(lambda: nn.Linear(2, 2)).weight)
    finally:
        distributed.destroy_process_group()
