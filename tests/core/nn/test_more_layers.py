"""What the parity tables do not reach: lazy modules, output sizes, conversions, own methods."""

import copy
import pickle

import numpy as np
import pytest

import tallow
from tallow import nn

# Lazy modules


def test_lazy_modules_become_ordinary():
    layer = nn.LazyLinear(2)
    assert layer.has_uninitialized_params() and repr(layer.weight) == "<UninitializedParameter>"
    assert list(layer.state_dict()) == ["weight", "bias"]
    assert layer(tallow.ones(1, 3)).shape == (1, 2)
    assert type(layer) is nn.Linear and type(layer.weight) is nn.Parameter
    assert not vars(layer).keys() & {"_initialize_hook", "_load_hook"}


def test_lazy_modules_take_a_state():
    layer, full = nn.LazyConv2d(4, 3), nn.Conv2d(2, 4, 3)
    layer.load_state_dict(full.state_dict())
    x = tallow.randn(1, 2, 5, 5)
    assert tallow.equal(layer(x), full(x)) and type(layer) is nn.Conv2d and layer.in_channels == 2


def test_lazy_norms_take_a_state():
    layer, full = nn.LazyBatchNorm1d(), nn.BatchNorm1d(3)
    full(tallow.randn(4, 3))
    layer.load_state_dict(full.state_dict())
    x = tallow.randn(4, 3)
    assert tallow.equal(layer.eval()(x), full.eval()(x)) and layer.num_features == 3


def test_a_lazy_state_does_not_fit_an_ordinary_module():
    with pytest.raises(RuntimeError, match="expected a shape, got none yet"):
        nn.Linear(3, 2).load_state_dict(nn.LazyLinear(2).state_dict())


def test_lazy_modules_load_each_other_and_cast():
    layer = nn.LazyLinear(2)
    layer.load_state_dict(nn.LazyLinear(2).state_dict())
    assert layer.double()(tallow.ones(1, 3, dtype=tallow.float64)).dtype == tallow.float64


def test_lazy_buffers_cast():
    layer = nn.LazyBatchNorm1d().double()
    layer(tallow.randn(4, 3, dtype=tallow.float64))
    assert layer.running_mean.dtype == tallow.float64 and layer.running_var.shape == (3,)


def test_lazy_modules_are_copied():
    twin = copy.deepcopy(nn.LazyLinear(2))
    assert twin(tallow.ones(1, 3)).shape == (1, 2)


def test_lazy_misuse():
    with pytest.raises(RuntimeError, match="LazyConv2d: expected input with 3 or 4 dimensions"):
        nn.LazyConv2d(2, 3)(tallow.ones(4, 4))
    with pytest.raises(ValueError, match="channels divisible by groups=2, got 3"):
        nn.LazyConv1d(2, 3, groups=2)(tallow.ones(1, 3, 4))


# Transposed convolutions


@pytest.mark.parametrize("size", [(7, 8), (2, 3, 8, 7)])
def test_output_size(size):
    torch = pytest.importorskip("torch")
    shapes = []
    for module in (tallow, torch):
        layer = module.nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1)
        shapes.append(tuple(layer(module.ones(2, 4, 4, 4), output_size=size).shape))
    assert shapes[0] == shapes[1] and shapes[0][2:] == size[-2:]


def test_output_size_out_of_reach():
    layer = nn.ConvTranspose2d(4, 3, 3, stride=2)
    with pytest.raises(
        ValueError, match=r"an output_size from \[9, 9\] to \[10, 10\], got \[8, 9\]"
    ):
        layer(tallow.ones(1, 4, 4, 4), output_size=(8, 9))
    with pytest.raises(ValueError, match="expected padding_mode 'zeros', got 'reflect'"):
        nn.ConvTranspose2d(4, 3, 3, padding_mode="reflect")


# Normalization


def test_convert_sync_batchnorm_keeps_the_state():
    net = nn.Sequential(nn.Sequential(nn.BatchNorm2d(3)), nn.BatchNorm1d(2, affine=False)).eval()
    before = net.state_dict()
    made = nn.SyncBatchNorm.convert_sync_batchnorm(net)
    assert type(made[0][0]) is type(made[1]) is nn.SyncBatchNorm and not made[1].training
    assert list(made.state_dict()) == list(before)
    assert made[0][0].weight.data_ptr() == before["0.0.weight"].data_ptr()
    assert made[0](tallow.ones(2, 3, 2, 2)).shape == (2, 3, 2, 2)


def test_instance_norm_checks_channels():
    with pytest.raises(ValueError, match="InstanceNorm1d: expected 3 channels, got 4"):
        nn.InstanceNorm1d(3, affine=True)(tallow.ones(2, 4, 5))


# Embedding bags


def test_embedding_bag_from_pretrained():
    bags = nn.EmbeddingBag.from_pretrained(tallow.eye(3), mode="sum")
    assert not bags.weight.requires_grad
    assert bags(tallow.tensor([[0, 1], [2, 2]])).tolist() == [[1, 1, 0], [0, 0, 2]]
    weights = tallow.tensor([[0.5, 2.0]])
    assert bags(tallow.tensor([[0, 1]]), per_sample_weights=weights).tolist() == [[0.5, 2, 0]]


def test_embedding_bag_starts_with_a_zero_row():
    assert nn.EmbeddingBag(4, 2, padding_idx=1).weight[1].tolist() == [0, 0]


# A softmax over many classes


def test_adaptive_softmax():
    torch = pytest.importorskip("torch")
    results = []
    for module in (tallow, torch):
        module.manual_seed(1)
        softmax = module.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3, 9], div_value=2.0)
        x = module.tensor(np.random.default_rng(0).standard_normal((30, 8)).astype(np.float32) * 5)
        results.append((softmax.log_prob(x).detach().numpy(), softmax.predict(x).numpy()))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-4, atol=1e-5)
    assert results[0][1].tolist() == results[1][1].tolist() and results[0][1].max() >= 3
    np.testing.assert_allclose(np.exp(results[0][0]).sum(1), 1, rtol=1e-5)


def test_adaptive_softmax_misuse():
    with pytest.raises(ValueError, match="expected cutoffs that rise, from 1 to 19, got"):
        nn.AdaptiveLogSoftmaxWithLoss(8, 20, [9, 3])
    softmax = nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3])
    with pytest.raises(RuntimeError, match="expected targets from 0 to 19, got 20"):
        softmax(tallow.ones(1, 8), tallow.tensor([20]))
    with pytest.raises(RuntimeError, match=r"expected input \(N, in_features\) and target \(N,\)"):
        softmax(tallow.ones(2, 8), tallow.tensor([1]))


# Others


def test_data_parallel():
    model = nn.DataParallel(nn.Linear(3, 2), device_ids=[0])
    assert model(tallow.ones(1, 3)).shape == (1, 2)
    with pytest.raises(NotImplementedError, match="expected at most one device"):
        nn.DataParallel(nn.Linear(3, 2), device_ids=[0, 1])


def test_distance_function_of_triplets():
    loss = nn.TripletMarginWithDistanceLoss(distance_function=lambda x, y: (x - y).abs().amax(1))
    x = tallow.zeros(1, 3)
    assert loss(x, x + 2, x + 1).item() == 2


@pytest.mark.parametrize("name", ["LSTM", "GRU", "MultiheadAttention", "TransformerEncoderLayer"])
def test_large_modules_are_pickled_and_copied(name):
    model = getattr(nn, name)(8, 4).eval()
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert list(twin.state_dict()) == list(model.state_dict())
        x = tallow.ones(2, 3, 8)
        inputs = (x, x, x) if name == "MultiheadAttention" else (x,)
        ours, theirs = model(*inputs), twin(*inputs)
        assert tallow.equal(*[y[0] if isinstance(y, tuple) else y for y in (ours, theirs)])


def test_helpers_by_pytorch_names():
    assert nn.modules.utils._pair(3) == (3, 3) and nn.modules.utils._triple((1, 2, 3)) == (1, 2, 3)
    assert issubclass(nn.BatchNorm2d, nn.modules.batchnorm._BatchNorm)
    assert issubclass(nn.Conv2d, nn.modules.conv._ConvNd)


def test_to_empty_and_compile():
    layer = nn.Linear(3, 2)
    weight = layer.weight
    assert layer.to_empty(device="cpu") is layer and layer.weight is weight
    assert weight.shape == (2, 3)
    assert layer.compile(mode="max-autotune") is None
