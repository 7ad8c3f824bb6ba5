"""`FlopCounterMode` against PyTorch's."""

import warnings

import pytest

import tallow
from tallow.utils.flop_counter import FlopCounterMode

# PyTorch counts by its own operations; the sums of a module are the same.
MODELS = {
    "conv": """
        nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten()), nn.Linear(144, 5))
    """,
    "strides": "nn.Sequential(nn.Conv2d(3, 6, 3, stride=2), nn.ConvTranspose2d(6, 2, 3))",
    "bilinear": "nn.Sequential(nn.Flatten(), nn.Linear(192, 8), nn.Unflatten(1, (2, 4)))",
}


def counted(library, counter, model):
    net = eval(model.strip(), {"nn": library.nn})
    x = library.ones(2, 3, 8, 8)
    with counter(display=False) as forward:
        out = net(x)
    with counter(display=False) as both:
        out = net(x)
        out.sum().backward()
    return [
        {name: sum(counts.values()) for name, counts in c.get_flop_counts().items()}
        | {"total": c.get_total_flops()}
        for c in (forward, both)
    ]


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_counts(model):
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.utils.flop_counter import FlopCounterMode as theirs

        expected = counted(torch, theirs, model)
    assert counted(tallow, FlopCounterMode, model) == expected


def test_products():
    a, b = tallow.ones(3, 4, requires_grad=True), tallow.ones(4, 5)
    with FlopCounterMode(display=False) as counter:
        (a @ b).sum().backward()
    assert counter.get_flop_counts() == {"Global": {"matmul": 120, "matmul backward": 120}}


def test_attention_and_recurrence():
    q = tallow.ones(2, 3, 5, 4, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        tallow.nn.functional.scaled_dot_product_attention(q, q, q).sum().backward()
    products = 2 * 3 * 5 * 5 * 4 * 2  # of which there are two forward, and five backward
    assert counter.get_flop_counts()["Global"] == {
        "attend": 2 * products,
        "attend backward": 5 * products,
    }
    lstm = tallow.nn.LSTM(4, 5)
    with FlopCounterMode(display=False) as counter:
        lstm(tallow.ones(3, 2, 4))[0].sum().backward()
    forward = 2 * 3 * 2 * 20 * (4 + 5)
    assert counter.get_flop_counts()["LSTM"] == {"lstm": forward, "lstm backward": 2 * forward}


def test_a_recorded_backward_pass_is_counted_once():
    x, y = tallow.ones(3, 4, requires_grad=True), tallow.ones(4, 5, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        g = tallow.autograd.grad((x @ y).square().sum(), x, create_graph=True)[0]
    assert counter.get_total_flops() == 120 * 3
    assert g.requires_grad


def test_table(capsys):
    net = tallow.nn.Sequential(tallow.nn.Linear(2, 3), tallow.nn.ReLU(), tallow.nn.Linear(3, 1))
    with FlopCounterMode():
        net(tallow.ones(4, 2))
    assert capsys.readouterr().out == (
        "Module          FLOP  % Total\n"
        "-----------------------------\n"
        "Global            72  100.00%\n"
        " - linear         72  100.00%\n"
        " Sequential       72  100.00%\n"
        "  - linear        72  100.00%\n"
        "  Sequential.0    48   66.67%\n"
        "   - linear       48   66.67%\n"
        "  Sequential.2    24   33.33%\n"
        "   - linear       24   33.33%\n"
    )


def test_operations_of_ones_own():
    custom = {"exp": lambda shape, out_shape: 10 * len(shape)}
    with FlopCounterMode(display=False, custom_mapping=custom) as counter:
        tallow.ones(2, 3).exp()
    assert counter.get_flop_counts() == {"Global": {"exp": 20}}
