"""clip_grad_norm_ and its relatives; parameters as one vector."""

import pytest

import tallow
from tallow import nn
from tallow.nn import utils
from tallow.nn.utils.stateless import call_with


def parameters():
    """Two parameters with gradients [3, 0] and [[4]], and one without."""
    a, b = nn.Parameter(tallow.ones(2)), nn.Parameter(tallow.ones(1, 1))
    (a * tallow.tensor([3.0, 0.0])).sum().backward()
    (b * 4).sum().backward()
    return [a, b, nn.Parameter(tallow.ones(1))]


def test_clip_by_norm():
    given = parameters()
    assert utils.clip_grad_norm_(iter(given), 1.0).item() == 5
    assert utils.get_total_norm([p.grad for p in given[:2]]).item() == pytest.approx(1, abs=1e-5)
    assert given[0].grad.tolist() == pytest.approx([0.6, 0], abs=1e-5)
    assert given[2].grad is None


def test_norms_below_the_bound_stay():
    given = parameters()
    assert utils.clip_grad_norm_(given, 10.0).item() == 5
    assert given[0].grad.tolist() == [3, 0]


@pytest.mark.parametrize("norm_type, expected", [(1.0, 7), (3.0, 91 ** (1 / 3)), (float("inf"), 4)])
def test_other_norms(norm_type, expected):
    given = parameters()
    assert utils.clip_grad_norm_(given, 1.0, norm_type).item() == pytest.approx(expected)
    after = utils.get_total_norm([p.grad for p in given[:2]], norm_type)
    assert after.item() == pytest.approx(1, abs=1e-5)


def test_one_tensor_and_none():
    single = parameters()[1]
    assert utils.clip_grad_norm_(single, 1.0).item() == 4
    assert utils.clip_grad_norm_([], 1.0).item() == 0


def test_infinite_norms():
    weight = nn.Parameter(tallow.ones(1))
    (weight * float("inf")).sum().backward()
    with pytest.raises(RuntimeError, match="total norm of order 2.0: expected a finite number"):
        utils.clip_grad_norm_(weight, 1.0, error_if_nonfinite=True)


def test_clip_by_value():
    given = parameters()
    utils.clip_grad_value_(given, 3.5)
    assert given[0].grad.tolist() == [3, 0] and given[1].grad.tolist() == [[3.5]]


def test_vector_and_back():
    layer = nn.Linear(3, 2)
    vector = utils.parameters_to_vector(layer.parameters())
    assert vector.shape == (8,) and vector.requires_grad
    utils.vector_to_parameters(tallow.arange(8.0), layer.parameters())
    assert layer.weight.tolist() == [[0, 1, 2], [3, 4, 5]] and layer.bias.tolist() == [6, 7]
    assert layer.weight.is_leaf
    with pytest.raises(RuntimeError, match="expected 8 elements, got 7"):
        utils.vector_to_parameters(tallow.arange(7.0), layer.parameters())


def test_old_name_and_empty_generators():
    given = parameters()
    with pytest.warns(FutureWarning, match="use clip_grad_norm_"):
        assert utils.clip_grad_norm(given, 1.0).item() == 5
    with pytest.warns(UserWarning, match="got an empty generator"):
        utils.clip_grad_norm_((p for p in []), 1.0)


# Fusion with batch normalization


def trained_norm(norm, *shape):
    """A batch normalization, in evaluation mode, whose statistics and weights are not trivial."""
    with tallow.no_grad():
        for tensor in norm.parameters():
            tensor.copy_(tallow.rand_like(tensor) + 0.5)
    for _ in range(3):
        norm(tallow.randn(*shape) * 2 + 1)
    return norm.eval()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("transpose", [False, True])
def test_fused_convolutions(bias, affine, transpose):
    conv = (nn.ConvTranspose2d if transpose else nn.Conv2d)(2, 3, 3, bias=bias).eval()
    norm = trained_norm(nn.BatchNorm2d(3, affine=affine), 8, 3, 4, 4)
    fused = utils.fuse_conv_bn_eval(conv, norm, transpose)
    x = tallow.randn(2, 2, 6, 6)
    assert tallow.allclose(fused(x), norm(conv(x)), atol=1e-5)
    assert isinstance(fused.bias, nn.Parameter) and fused is not conv


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("features", [3, 1])
def test_fused_linear_layers(bias, features):
    linear = nn.Linear(2, 3, bias=bias).eval()
    norm = trained_norm(nn.BatchNorm1d(features), 8, features)
    fused = utils.fuse_linear_bn_eval(linear, norm)
    x = tallow.randn(5, 2)
    y = linear(x)
    expected = norm(y) if features == 3 else norm(y.reshape(-1, 1)).reshape(5, 3)
    assert tallow.allclose(fused(x), expected, atol=1e-5)


def test_what_cannot_be_fused():
    linear = nn.Linear(2, 3)
    with pytest.raises(AssertionError, match="expected both modules in evaluation mode"):
        utils.fuse_linear_bn_eval(linear, nn.BatchNorm1d(3).eval())
    with pytest.raises(AssertionError, match="expected a normalization of 3 features"):
        utils.fuse_linear_bn_eval(linear.eval(), nn.BatchNorm1d(2).eval())
    with pytest.raises(AssertionError, match="expected a normalization with running statistics"):
        norm = nn.BatchNorm1d(3, track_running_stats=False).eval()
        utils.fuse_linear_bn_eval(linear, norm)


# Normalized weights by hooks


@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm_by_hook(dim):
    torch = pytest.importorskip("torch")
    results = []
    for library in (tallow, torch):
        library.manual_seed(0)
        layer = library.nn.Linear(3, 4)
        with pytest.warns(FutureWarning, match="weight_norm"):
            assert library.nn.utils.weight_norm(layer, dim=dim) is layer
        output = layer(library.ones(2, 3))
        output.sum().backward()
        results.append([list(layer.state_dict()), output.tolist(), layer.weight_g.grad.tolist()])
        library.nn.utils.remove_weight_norm(layer)
        results[-1] += [layer.weight.tolist(), sorted(layer.state_dict())]
    assert results[0][0] == results[1][0] and results[0][4] == results[1][4]
    for ours, theirs in zip(results[0][1:4], results[1][1:4], strict=True):
        assert tallow.allclose(tallow.tensor(ours), tallow.tensor(theirs), atol=1e-6)


def test_spectral_norm_by_hook():
    torch = pytest.importorskip("torch")
    results = []
    for library in (tallow, torch):
        library.manual_seed(0)
        layer = library.nn.Conv2d(2, 3, 3)
        assert library.nn.utils.spectral_norm(layer, n_power_iterations=2) is layer
        outputs = [layer(library.ones(1, 2, 4, 4)).sum() for _ in range(3)]
        outputs[-1].backward()
        layer.eval()
        state = layer.state_dict()
        found = [*outputs, layer.weight_orig.grad, *state.values()]
        library.nn.utils.remove_spectral_norm(layer)
        results.append(([*state], [x.tolist() for x in found], sorted(layer.state_dict())))
    ours, theirs = results
    assert ours[0] == theirs[0] and ours[2] == theirs[2]
    for a, b in zip(ours[1], theirs[1], strict=True):
        assert tallow.allclose(tallow.tensor(a), tallow.tensor(b), atol=1e-5)


def test_hooks_on_weights_once():
    layer = utils.spectral_norm(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="expected a parameter 'weight' of Linear, got none"):
        utils.spectral_norm(layer)
    with pytest.raises(ValueError, match="WeightNorm: expected one on 'weight' of Linear"):
        utils.remove_weight_norm(layer)
    with pytest.warns(FutureWarning):
        utils.weight_norm(layer, "bias")
    with (
        pytest.warns(FutureWarning),
        pytest.raises(RuntimeError, match="WeightNorm: expected 'bias' without such a hook"),
    ):
        utils.weight_norm(layer, "bias")
    with pytest.raises(ValueError, match="expected n_power_iterations from 1 up, got 0"):
        utils.spectral_norm(nn.Linear(2, 2), n_power_iterations=0)


# Other parameters than a module's own


def test_functional_call():
    norm = nn.BatchNorm1d(2)
    model = nn.Sequential(nn.Linear(2, 2, bias=False), norm)
    mean = tallow.zeros(2)
    tensors = {"0.weight": tallow.eye(2, requires_grad=True), "1.running_mean": mean}
    x = tallow.tensor([[1.0, 2.0], [3.0, 6.0]])
    out = call_with(model, tensors, x)
    out.square().sum().backward()
    assert tensors["0.weight"].grad is not None and model[0].weight.grad is None
    assert mean.tolist() == pytest.approx([0.2, 0.4]) and norm.running_mean.tolist() == [0, 0]
    with pytest.warns(FutureWarning, match="use func.functional_call"):
        utils.stateless.functional_call(model, tensors, (x,))


def test_functional_call_of_tied_weights():
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    model[1].weight = model[0].weight
    two, x = tallow.full((1, 1), 2.0), tallow.ones(1)
    own = model[0].weight.item()
    assert call_with(model, {"0.weight": two}, x).item() == 4
    assert call_with(model, {"0.weight": two}, x, tie_weights=False).item() == 2 * own
    with pytest.raises(ValueError, match="expected one tensor for the tied 0.weight, 1.weight"):
        call_with(model, {"0.weight": two, "1.weight": two + 1}, x)
    assert model[0].weight.item() == own and model[1].weight is model[0].weight


def test_functional_call_checks_names():
    layer = nn.Linear(1, 1)
    with pytest.raises(RuntimeError, match=r"got unexpected \['x'\] and missing \['bias'\]"):
        call_with(layer, {"weight": layer.weight, "x": layer.bias}, tallow.ones(1), strict=True)
    with pytest.raises(AttributeError, match="Linear has no parameter or buffer 'x'"):
        call_with(layer, {"weight": tallow.ones(1, 1), "x": layer.bias}, tallow.ones(1))
    assert isinstance(layer.weight, nn.Parameter)


# Making and laying out


def test_skip_init_draws_nothing():
    tallow.manual_seed(3)
    expected = tallow.rand(2).tolist()
    tallow.manual_seed(3)
    assert utils.skip_init(nn.Linear, 2, 3, bias=False).weight.shape == (3, 2)
    assert tallow.rand(2).tolist() == expected
    with pytest.raises(RuntimeError, match="expected a subclass of Module, got int"):
        utils.skip_init(int)
    with pytest.raises(RuntimeError, match="expected ReLU to take a device"):
        utils.skip_init(nn.ReLU)


def test_memory_formats_of_weights():
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Conv3d(1, 1, 2), nn.Linear(2, 2))
    value = model[0].weight.tolist()
    assert utils.convert_conv2d_weight_memory_format(model, tallow.channels_last) is model
    assert model[0].weight.is_contiguous(memory_format=tallow.channels_last)
    assert model[0].weight.tolist() == value
    utils.convert_conv3d_weight_memory_format(model, tallow.channels_last_3d)
    assert model[1].weight.is_contiguous(memory_format=tallow.channels_last_3d)
