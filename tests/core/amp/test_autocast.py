"""autocast casts what PyTorch's casts, and where."""

import threading

import numpy as np
import pytest

import tallow
from tallow import amp, casting, nn

torch = pytest.importorskip("torch")

M = "torch.from_numpy(numpy.linspace(0.1, 1, 16, dtype='float32').reshape(4, 4)).to(dtype)"
X = "torch.from_numpy(numpy.linspace(0.1, 1, 96, dtype='float32').reshape(2, 3, 4, 4)).to(dtype)"
LABELS = "torch.tensor([0, 1, 2, 3])"
F = "torch.nn.functional"

CALLS = [
    "torch.mm(m, m)", "m @ m", "m.matmul(m[0])", "m[0] @ m[0]", "torch.bmm(x[0], x[0])",
    "torch.mv(m, m[0])", "torch.dot(m[0], m[0])", "torch.outer(m[0], m[0])",
    "torch.inner(m, m)", "torch.addmm(m, m, m)", "torch.addmv(m[0], m, m[0])",
    "torch.baddbmm(x[0], x[0], x[0])", "torch.cdist(m, m)", "torch.tensordot(m, m, 1)",
    "torch.einsum('ij,jk->ik', m, m)", "torch.trace(m)", "m.sum()", "m.prod()", "m.mean()",
    "m.norm()", "m.cumsum(0)", "m.exp()", "m.log()", "m ** 2", "m.logsumexp(0)", "m + m.float()",
    "torch.cat([m, m.float()])", "torch.stack([m, m.float()])",
    f"{F}.linear(m, m.float(), m[0].float())", f"{F}.conv2d(x, x[:, :, :2, :2].float())",
    f"{F}.conv_transpose2d(x, x[:, :, :2, :2].reshape(3, 2, 2, 2).float())",
    f"{F}.bilinear(m, m, x[0, :, :, :])", f"{F}.prelu(x, m[0, :3].float())",
    f"{F}.scaled_dot_product_attention(x, x, x)", f"{F}.softmax(m, -1)",
    f"{F}.log_softmax(m, -1)", f"{F}.cross_entropy(m, {LABELS})", f"{F}.nll_loss(m, {LABELS})",
    f"{F}.mse_loss(m, m.float() + 1)", f"{F}.l1_loss(m, m)", f"{F}.smooth_l1_loss(m, m)",
    f"{F}.huber_loss(m, m)", f"{F}.binary_cross_entropy(m / 2, m / 3)",
    f"{F}.binary_cross_entropy_with_logits(m, m / 3)", f"{F}.kl_div(m, m, reduction='sum')",
    f"{F}.layer_norm(x, (4,), m[0].float())", f"{F}.group_norm(x, 3, m[0, :3].float())",
    f"{F}.batch_norm(x, torch.zeros(3), torch.ones(3), m[0, :3].float(), training=True)",
    f"{F}.layer_norm(x, (4,), m[0])", f"{F}.normalize(m)", f"{F}.cosine_similarity(m, m)",
    f"{F}.avg_pool2d(x, 2)", f"{F}.avg_pool3d(x, 2)", f"{F}.embedding({LABELS}, m)",
    "torch.fft.fft(m).real", "torch.fft.rfft(m).real", "torch.linalg.inv(m + torch.eye(4))",
    "torch.linalg.solve(m + torch.eye(4), m)", "torch.linalg.svd(m)[1]", "torch.linalg.qr(m)[1]",
    "torch.linalg.multi_dot([m, m])", "torch.linalg.vecdot(m, m)", "torch.linalg.norm(m)",
    f"{F}.triplet_margin_loss(m, m, m)", f"{F}.multi_margin_loss(m, {LABELS})",
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("call", CALLS)
def test_dtypes_and_values(call, dtype):
    results = []
    for library in (tallow, torch):
        names = {"torch": library, "numpy": np, "dtype": getattr(library, dtype)}
        names |= {"m": eval(M, names), "x": eval(X, names)}
        with library.autocast("cpu"):
            result = eval(call, names)
        results.append(result)
    ours, theirs = results
    assert str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1]
    # PyTorch's bilinear gives float32, but computes in bfloat16 inside.
    short = theirs.dtype == torch.bfloat16 or dtype == "bfloat16" or "bilinear" in call
    tolerance = 3e-2 if short else 1e-5
    expected = theirs.float().numpy()
    np.testing.assert_allclose(ours.float().numpy(), expected, rtol=tolerance, atol=tolerance)


def test_gradients_are_those_of_the_parameters_dtype():
    results = []
    for library in (tallow, torch):
        library.manual_seed(0)
        layer = library.nn.Linear(4, 3)
        x = library.from_numpy(np.linspace(-1, 1, 8, dtype="float32").reshape(2, 4))
        with library.autocast("cpu"):
            loss = (layer(x) + layer(x * 2)).float().pow(2).sum()
        loss.backward()
        results.append([layer.weight.grad.numpy(), layer.bias.grad.numpy()])
    for ours, theirs in zip(*results, strict=True):
        assert ours.dtype == theirs.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, rtol=3e-2, atol=3e-2)


def test_a_network_trains_in_short_floats():
    tallow.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.LayerNorm(16), nn.Linear(16, 3))
    optimizer = tallow.optim.Adam(model.parameters(), lr=0.01)
    x, labels = tallow.randn(32, 4), tallow.randint(0, 3, (32,))
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        with tallow.autocast("cpu"):
            loss = nn.functional.cross_entropy(model(x), labels)
        assert loss.dtype == tallow.float32
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.1


def test_nesting_and_switches():
    m = tallow.ones(2, 2)
    assert not tallow.is_autocast_enabled("cpu")
    with tallow.autocast("cpu"):
        assert tallow.is_autocast_enabled("cpu") and not tallow.is_autocast_enabled("cuda")
        with tallow.autocast("cpu", enabled=False):
            assert (m @ m).dtype == tallow.float32
        with tallow.autocast("cpu", dtype=tallow.float16):
            assert (m @ m).dtype == tallow.float16
            assert tallow.get_autocast_dtype("cpu") == tallow.float16
        assert (m @ m).dtype == tallow.bfloat16
        assert (m.double() @ m.double()).dtype == tallow.float64
    assert (m @ m).dtype == tallow.float32
    assert tallow.get_autocast_dtype("cpu") == tallow.bfloat16
    assert tallow.get_autocast_gpu_dtype() == tallow.float16
    tallow.set_autocast_enabled("cpu", True)
    try:
        assert tallow.is_autocast_cpu_enabled() and (m @ m).dtype == tallow.bfloat16
    finally:
        tallow.set_autocast_enabled("cpu", False)


def test_results_that_are_written_are_not_cast():
    m, out = tallow.ones(2, 2), tallow.empty(2, 2)
    with tallow.autocast("cpu"):
        assert tallow.mm(m, m, out=out) is out
    assert out.dtype == tallow.float32 and out.tolist() == [[2, 2], [2, 2]]


def test_as_decorator_and_in_another_thread():
    seen = []

    @tallow.autocast("cpu")
    def product(m):
        thread = threading.Thread(target=lambda: seen.append((m @ m).dtype))
        thread.start()
        thread.join()
        return (m @ m).dtype

    assert product(tallow.ones(2, 2)) == tallow.bfloat16
    assert product.__name__ == "product" and seen == [tallow.float32]


def test_casts_of_parameters_are_kept():
    weight = nn.Parameter(tallow.ones(2, 2))
    x = tallow.ones(2, 2)
    with tallow.autocast("cpu"):
        (x @ weight), (x @ weight)
        (kept,) = casting._state.cache.values()
        with tallow.no_grad():
            weight.mul_(2)
        assert (x @ weight)[0, 0].item() == 4  # a change in place is seen
        tallow.clear_autocast_cache()
        assert not casting._state.cache
        with tallow.autocast("cpu", cache_enabled=False):
            assert not tallow.is_autocast_cache_enabled()
            x @ weight
        assert not casting._state.cache
    assert kept.dtype == tallow.bfloat16 and casting._state.cache is None


def test_wrong_arguments():
    with pytest.raises(ValueError, match="autocast: expected 'cpu' or 'cuda' as device_type"):
        tallow.autocast(3)
    with pytest.raises(RuntimeError, match="expected 'cpu' or 'cuda' as device_type, got 'tpu'"):
        tallow.autocast("tpu")
    with pytest.raises(TypeError, match="autocast: expected a function to decorate, got int"):
        tallow.autocast("cpu")(3)
    with pytest.warns(UserWarning, match="expected bfloat16 or float16, got tallow.float64"):
        disabled = tallow.autocast("cpu", dtype=tallow.float64)
    with disabled:
        assert not tallow.is_autocast_enabled("cpu")
    if not tallow.cuda.is_available():
        with pytest.warns(UserWarning, match="CUDA is not available"):
            tallow.autocast("cuda")
    assert amp.is_autocast_available("cuda") and not amp.is_autocast_available("tpu")


@pytest.mark.parametrize("cast_inputs, enabled", [(None, True), (None, False), ("float32", True)])
def test_functions_of_users(cast_inputs, enabled):
    results = []
    for library in (tallow, torch):
        seen = []
        dtype = cast_inputs and getattr(library, cast_inputs)

        class Product(library.autograd.Function):
            @staticmethod
            @library.amp.custom_fwd(device_type="cpu", cast_inputs=dtype)
            def forward(ctx, a, b, library=library, seen=seen):
                ctx.save_for_backward(a, b)
                seen.append((str(a.dtype)[-8:], library.is_autocast_enabled("cpu")))
                return a @ b

            @staticmethod
            @library.amp.custom_bwd(device_type="cpu")
            def backward(ctx, g, library=library, seen=seen):
                a, b = ctx.saved_tensors
                seen.append(library.is_autocast_enabled("cpu"))
                return (g.float() @ b.float().t()).float(), (a.float().t() @ g.float()).float()

        a = library.full((2, 2), 0.5, requires_grad=True)
        b = library.full((2, 2), 2.0, requires_grad=True)
        with library.autocast("cpu", enabled=enabled):
            out = Product.apply(a.bfloat16() if cast_inputs else a, b)
        out.float().sum().backward()
        results.append((seen, str(out.dtype)[-8:], a.grad.tolist(), b.grad.tolist()))
    assert results[0] == results[1]


def test_device_types_are_named():
    for decorator in (amp.custom_fwd, amp.custom_bwd):
        with pytest.raises(ValueError, match=f"{decorator.__name__}: expected 'cpu' or 'cuda'"):
            decorator(device_type=3)
