import pickle

import pytest

torch = pytest.importorskip("torch", reason="networks are torch modules, of the optional extra `training`")
nn = torch.nn

from training.networks import MLP, NETWORKS, Factory, ResNet18, SmallCNN  # noqa: E402


def torchvision():
    return pytest.importorskip(
        "torchvision", reason="ResNet-18 is that of torchvision, of the extra `training`"
    )


def digits_network(hidden):
    """As training.digits.DigitsTask built it."""
    layers, width = [], 64
    for units in hidden:
        layers += [nn.Linear(width, units), nn.ReLU()]
        width = units
    return nn.Sequential(*layers, nn.Linear(width, 10))


def seeded(make, seed=5):
    torch.manual_seed(seed)
    return make()


def assert_same(one, other):
    one, other = one.state_dict(), other.state_dict()
    assert list(one) == list(other)
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("hidden", [(), (8,), (64, 64)])
def test_the_perceptron_of_the_digits_bit_for_bit(hidden):
    built = seeded(lambda: MLP(hidden).build((64,), 10))
    expected = seeded(lambda: digits_network(hidden))
    assert type(built) is nn.Sequential and [type(a) for a in built] == [type(a) for a in expected]
    assert_same(built, expected)


def test_images_are_flattened():
    network = seeded(lambda: MLP((7,)).build((3, 4, 5), 2))
    flat = seeded(lambda: MLP((7,)).build((60,), 2))
    images = torch.randn(6, 3, 4, 5)
    assert type(network[0]) is nn.Flatten
    assert torch.equal(network(images), flat(images.view(6, 60)))


@pytest.mark.parametrize(
    ("activation", "layer"),
    [
        ("relu", nn.ReLU),
        ("tanh", nn.Tanh),
        ("sigmoid", nn.Sigmoid),
        ("gelu", nn.GELU),
        ("silu", nn.SiLU),
        ("elu", nn.ELU),
        ("leaky_relu", nn.LeakyReLU),
    ],
)
def test_activations(activation, layer):
    assert [type(part) for part in MLP((3, 4), activation).build((2,), 1)] == [nn.Linear, layer] * 2 + [
        nn.Linear
    ]


@pytest.mark.parametrize(
    ("normalisation", "expected"), [("group", nn.GroupNorm), ("batch", nn.BatchNorm2d), ("none", None)]
)
def test_the_small_network_layer_by_layer(normalisation, expected):
    network = SmallCNN((16, 12), normalisation).build((1, 9, 14), 5)
    block = [nn.Conv2d, *([expected] if expected else []), nn.ReLU, nn.MaxPool2d]
    assert [type(part) for part in network] == block * 2 + [nn.Flatten, nn.Linear]
    assert network[-1].in_features == 12 * 2 * 3
    assert (network[0].bias is None) == (expected is not None)
    assert network(torch.randn(3, 1, 9, 14)).shape == (3, 5)
    if normalisation == "group":
        assert [part.num_groups for part in network if isinstance(part, nn.GroupNorm)] == [8, 4]


def test_group_normalisation_does_not_couple_the_samples():
    images = torch.randn(4, 3, 8, 8)
    for normalisation, alike in (("group", True), ("none", True), ("batch", False)):
        network = SmallCNN(normalisation=normalisation).build((3, 8, 8), 10)
        alone = network(images[:2])
        assert torch.allclose(network(images)[:2], alone, atol=1e-5) is alike


@pytest.mark.parametrize("channels", [1, 3])
def test_resnet18_is_that_of_torchvision_but_for_its_stem(channels):
    models = torchvision().models

    def by_hand():
        network = models.resnet18(num_classes=7)
        network.conv1 = nn.Conv2d(channels, 64, 3, 1, 1, bias=False)
        network.maxpool = nn.Identity()
        nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
        return network

    built = seeded(lambda: ResNet18().build((channels, 32, 32), 7))
    expected = seeded(by_hand)
    assert_same(built, expected)
    images = torch.randn(2, channels, 32, 32)
    assert torch.equal(built.eval()(images), expected.eval()(images))
    assert built.layer1(built.maxpool(built.conv1(images))).shape == (2, 64, 32, 32)


def test_the_stem_of_resnet18_is_initialised_as_the_other_convolutions():
    torchvision()
    weight = seeded(lambda: ResNet18().build((3, 32, 32), 10)).conv1.weight
    # Variance 2 / fan_out, of 1,728 normal numbers; torch's own would be 1 / (3 fan_in), 3.6 times as large.
    ratio = weight.var().item() / (2 / (64 * 9))
    assert abs(ratio - 1) < 5 * (2 / 1728) ** 0.5
    own = seeded(lambda: nn.Conv2d(3, 64, 3)).weight.var().item() / (2 / (64 * 9))
    assert abs(own - 1) > 5 * (2 / 1728) ** 0.5


def test_registry():
    assert NETWORKS == {"mlp": MLP, "cnn": SmallCNN, "resnet18": ResNet18}


@pytest.mark.parametrize(
    "settings", [MLP(), SmallCNN(), ResNet18()], ids=lambda settings: type(settings).__name__
)
def test_settings_and_networks_can_be_pickled(settings):
    torchvision()
    factory = Factory(settings, (3, 16, 16), 4)
    restored = pickle.loads(pickle.dumps(factory))
    assert restored == factory and hash(restored) == hash(factory)
    made = seeded(factory)
    assert_same(made, seeded(restored))
    assert_same(pickle.loads(pickle.dumps(made)), made)
    assert made(torch.randn(2, 3, 16, 16)).shape == (2, 4)


def test_a_factory_makes_a_new_network_each_time():
    factory = Factory(MLP((4,)), torch.Size([64]), 10)
    assert type(factory.input_shape) is tuple
    one, other = factory(), factory()
    assert one is not other and not torch.equal(one[0].weight, other[0].weight)


def make_linear():
    return nn.Linear(2, 2)


def test_a_function_of_the_user():
    factory = pickle.loads(pickle.dumps(Factory(make_linear, (2,), 2)))
    assert isinstance(factory(), nn.Linear)

    class Own(nn.Module):
        pass

    assert isinstance(Factory(Own, (2,), 2)(), Own)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MLP([64]), r"`hidden` must be a tuple of whole numbers of at least 1, .* got \[64\]"),
        (lambda: MLP((64, 0)), r"`hidden` must be a tuple .* got \(64, 0\)"),
        (lambda: MLP((64, True)), r"`hidden` must be a tuple .* got \(64, True\)"),
        (lambda: MLP(activation="swish"), "`activation` must be one of relu, tanh, .*, got 'swish'"),
        (lambda: SmallCNN(()), "`channels` must hold at least one number"),
        (lambda: SmallCNN((1.5,)), "`channels` must be a tuple of whole numbers"),
        (
            lambda: SmallCNN(normalisation="layer"),
            "`normalisation` must be one of group, batch, none, got 'layer'",
        ),
        (
            lambda: SmallCNN().build((64,), 10),
            r"`input_shape` must be \(channels, height, width\) for SmallCNN, got \(64,\); use MLP",
        ),
        (
            lambda: ResNet18().build((8, 8), 10),
            r"`input_shape` must be .* for ResNet18, got \(8, 8\); use MLP",
        ),
        (
            lambda: SmallCNN((4, 4, 4)).build((3, 8, 7), 10),
            r"`input_shape` must be at least 8 x 8 pixels for the 3 poolings of `channels` \(4, 4, 4\), got 8 x 7",
        ),
        (
            lambda: MLP().build((), 10),
            r"`input_shape` must be the shape of one sample, .* got \(\); Data.input_shape",
        ),
        (lambda: MLP().build((3, 0), 10), r"`input_shape` must be .* got \(3, 0\)"),
        (lambda: MLP().build(64, 10), "`input_shape` must be .* got 64"),
        (
            lambda: MLP().build((64,), 0),
            "`outputs` must be a whole number of at least 1, got 0; Data.outputs gives it",
        ),
        (
            lambda: Factory(make_linear(), (2,), 2),
            "`network` must make networks, and got one network, Linear; give",
        ),
        (
            lambda: Factory(MLP, (2,), 2),
            r"`network` must be settings, got their class; give MLP\(\), with brackets",
        ),
        (
            lambda: Factory("mlp", (2,), 2),
            r"`network` must be settings with a method build.*such as MLP\(\), .* 'mlp'",
        ),
        (lambda: Factory(MLP(), (2,), -1), "`outputs` must be a whole number of at least 1, got -1"),
        (lambda: Factory(lambda: 3, (2,), 2)(), "`network` must make a torch.nn.Module, and .* made int"),
    ],
)
def test_errors_name_argument_and_value(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_smallest_images():
    assert SmallCNN((4, 4, 4)).build((3, 8, 8), 10)(torch.randn(2, 3, 8, 8)).shape == (2, 10)
    torchvision()
    assert ResNet18().build((3, 1, 1), 10)(torch.randn(2, 3, 1, 1)).shape == (2, 10)
