"""Random numbers drawn on a device, on the stand-in with CUDA's kernels."""

import pickle

import numpy as np
import pytest

import tallow
from tallow import cuda, distributions
from tallow import generator as streams
from tallow.errors import DeviceError, DistributionError
from tallow.ops import random

ON = {"device": "standin"}
N = 20000


@pytest.fixture(autouse=True)
def fresh(emulated):
    """The stand-in's generators, from the seed 0 on, and none after."""
    tallow.manual_seed(0)
    yield
    streams.device_generators.clear()


# As PyTorch prints them on CUDA after manual_seed


@pytest.mark.parametrize(("draw", "seed", "expected"), [
    (tallow.rand, 0, [0.3990, 0.5167, 0.0249, 0.9401, 0.9459]),
    (tallow.randn, 0, [-0.9247, -0.4253, -2.6438, 0.1452, -0.1209]),
    (tallow.rand, 42, [0.6130, 0.0101, 0.3984, 0.0403, 0.1563]),
    (tallow.randn, 42, [0.1940, 2.1614, -0.1721, 0.8491, -1.9244]),
])  # fmt: skip
def test_numbers_are_pytorch_s(draw, seed, expected):
    tallow.manual_seed(seed)
    assert draw(5, **ON).tolist() == pytest.approx(expected, abs=6e-5)


@pytest.mark.parametrize("count", [5, 500, 512 * 4 + 9])
@pytest.mark.parametrize("dtype", [tallow.float16, tallow.bfloat16, tallow.float32, tallow.float64])
def test_the_kernel_draws_as_the_body_does(count, dtype, monkeypatch):
    def drawn():
        tallow.manual_seed(3)
        return [draw(count, dtype=dtype, **ON).tolist() for draw in (tallow.rand, tallow.randn)]

    got = drawn()
    monkeypatch.delitem(random.random_words.op.special, "standin")
    random.random_words.op.kernels.clear()
    assert got == drawn()
    assert all(0 <= x < 1 for x in got[0])


DRAWS = {
    "rand": (lambda: tallow.rand(N, **ON), 0.5, 1 / 12),
    "double": (lambda: tallow.rand(N, dtype=tallow.float64, **ON), 0.5, 1 / 12),
    "uniform_": (lambda: tallow.zeros(N, **ON).uniform_(2, 5), 3.5, 9 / 12),
    "randn": (lambda: tallow.randn(N, **ON), 0, 1),
    "normal_": (lambda: tallow.zeros(N, dtype=tallow.float64, **ON).normal_(1, 2), 1, 4),
    "complex": (lambda: tallow.randn(N, dtype=tallow.complex64, **ON).abs() ** 2, 1, 1),
    "normal": (lambda: tallow.normal(tallow.full((N,), 3.0, **ON), 2.0), 3, 4),
    "randint": (lambda: tallow.randint(3, 6, (N,), **ON), 4, 2 / 3),
    "wide": (lambda: tallow.randint(2**40, (N,), **ON).double() / 2**40, 0.5, 1 / 12),
    "random_": (lambda: tallow.zeros(N, **ON).random_() / 2**24, 0.5, 1 / 12),
    "full": (lambda: tallow.zeros(N, dtype=tallow.int64, **ON).random_(-(2**63), None).double()
             / 2**63, 0, 1 / 3),
    "bernoulli_": (lambda: tallow.zeros(N, **ON).bernoulli_(0.3), 0.3, 0.21),
    "bernoulli": (lambda: tallow.bernoulli(tallow.full((N,), 0.3, **ON)), 0.3, 0.21),
    "exponential_": (lambda: tallow.zeros(N, **ON).exponential_(2.0), 0.5, 0.25),
    "geometric_": (lambda: tallow.zeros(N, **ON).geometric_(0.5), 2, 2),
    "cauchy_": (lambda: tallow.zeros(N, **ON).cauchy_(1, 2).sub_(1).div_(2).atan(), 0,
                np.pi**2 / 12),
    "log_normal_": (lambda: tallow.zeros(N, **ON).log_normal_(1, 0.5).log(), 1, 0.25),
    "rand_like": (lambda: tallow.rand_like(tallow.zeros(N, **ON)), 0.5, 1 / 12),
    "few events": (lambda: tallow.poisson(tallow.full((N,), 3.0, **ON)), 3, 3),
    "many events": (lambda: tallow.poisson(tallow.full((N,), 500.0, **ON)), 500, 500),
    "few successes": (lambda: tallow.binomial(tallow.full((N,), 9.0, **ON),
                                              tallow.full((N,), 0.4, **ON)), 3.6, 2.16),
    "many successes": (lambda: tallow.binomial(tallow.full((N,), 90.0, **ON),
                                               tallow.full((N,), 0.6, **ON)), 54, 21.6),
    "small gamma": (lambda: distributions.Gamma(tallow.full((N,), 0.4, **ON), 1.0).sample(),
                    0.4, 0.4),
    "gamma": (lambda: distributions.Gamma(tallow.full((N,), 2.5, **ON), 2.0).sample(), 1.25, 0.625),
    "dirichlet": (lambda: distributions.Dirichlet(tallow.full((N, 2), 1.0, **ON)).sample()[:, 0],
                  0.5, 1 / 12),
    "multinomial": (lambda: tallow.multinomial(tallow.tensor([1.0, 0, 3], **ON), N, True),
                    1.5, 0.75),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWS)
def test_what_is_drawn(name):
    draw, mean, variance = DRAWS[name]
    first, second = draw(), draw()
    assert first.device.type == "standin"
    for x in (first, second):
        x = x.cpu().double()
        assert x.mean().item() == pytest.approx(mean, abs=5 * (variance / N) ** 0.5)
        assert x.var().item() == pytest.approx(variance, rel=0.1)
    assert not tallow.equal(first.cpu(), second.cpu())
    tallow.manual_seed(0)
    assert tallow.equal(draw().cpu(), first.cpu())


@pytest.mark.parametrize("dtype", [tallow.float64, tallow.float32, tallow.bfloat16])
def test_kernels_reject_as_the_bodies_do(dtype, monkeypatch):
    rates = tallow.tensor([0, 0.5, 3, 20, 63, 64, 100, 1000] * 70, dtype=dtype, **ON)
    counts = tallow.tensor([0, 1, 9, 30, 200] * 112, dtype=dtype, **ON)
    chances = tallow.tensor([0, 0.25, 0.5, 0.75, 1, 0.125, 0.0625] * 80, dtype=dtype, **ON)

    def drawn():
        tallow.manual_seed(7)
        made = [tallow.poisson(rates), tallow.binomial(counts, chances)]
        made.append(distributions.Gamma(rates.float() / 8, 1.0, validate_args=False).sample())
        return [x.tolist() for x in made]

    got = drawn()
    for made in (random.poisson, random.binomial, random.gamma):
        monkeypatch.delitem(made.op.special, "standin")
        made.op.kernels.clear()
    expected = drawn()
    assert got[:2] == expected[:2]
    assert got[2] == pytest.approx(expected[2], rel=1e-6)


def test_what_cannot_be_drawn():
    with pytest.raises(DistributionError, match="poisson: expected rates of 0 or more"):
        tallow.poisson(tallow.tensor([-1.0], **ON))
    assert tallow.poisson(tallow.zeros(3, 0, **ON)).shape == (3, 0)
    host = tallow.Generator().manual_seed(0)
    ours = tallow.poisson(tallow.full((3,), 4.0, **ON), generator=host)
    host.manual_seed(0)
    assert tallow.equal(ours.cpu(), tallow.poisson(tallow.full((3,), 4.0), generator=host))


def test_permutations_and_draws_without_replacement():
    assert sorted(tallow.randperm(1000, **ON).tolist()) == list(range(1000))
    weights = tallow.tensor([[0.0, 2, 1, 3], [1, 0, 1, 1]], **ON)
    drawn = tallow.multinomial(weights, 3)
    assert sorted(drawn[0].tolist()) == [1, 2, 3] and sorted(drawn[1].tolist()) == [0, 2, 3]
    many = tallow.multinomial(weights, 200, replacement=True)
    assert set(many[0].tolist()) == {1, 2, 3} and set(many[1].tolist()) == {0, 2, 3}
    with pytest.raises(DistributionError, match="multinomial: expected finite weights"):
        tallow.multinomial(-weights, 1)


def test_generators():
    g = tallow.Generator("standin").manual_seed(5)
    first = tallow.rand(3, generator=g, **ON).tolist()
    state = g.get_state()
    assert state.numpy().view(np.int64).tolist() == [5, 4], "PyTorch's layout"
    second = tallow.rand(3, generator=g, **ON).tolist()
    g.set_state(state)
    assert tallow.rand(3, generator=g, **ON).tolist() == second != first
    for twin in (g.clone_state(), pickle.loads(pickle.dumps(g))):
        assert tallow.equal(twin.get_state(), g.get_state()) and twin.device == g.device
    with pytest.raises(DeviceError, match="expected a generator of 'cpu' or of the CPU"):
        tallow.rand(3, generator=g)
    with pytest.raises(DeviceError, match="expected a generator of the CPU"):
        g.bits  # noqa: B018 - it raises
    with pytest.raises(DistributionError, match="expected an offset of 0, 4, 8"):
        g.set_state(tallow.full((16,), 1, dtype=tallow.uint8))
    assert tallow.manual_seed(9).initial_seed() == 9
    assert streams.generator_of(tallow.device("standin")).initial_seed() == 9


def test_a_generator_of_the_host_draws_there():
    ours = tallow.rand(3, generator=tallow.Generator().manual_seed(0), **ON)
    assert tallow.equal(ours.cpu(), tallow.rand(3, generator=tallow.Generator().manual_seed(0)))


def test_states_are_kept_together():
    with tallow.random.fork_rng():
        inside = tallow.rand(3, **ON).tolist()
    assert tallow.rand(3, **ON).tolist() == inside
    state = cuda.get_rng_state("standin")
    noise = tallow.rand(3, **ON).tolist()
    cuda.set_rng_state(state, "standin")
    assert tallow.rand(3, **ON).tolist() == noise


def test_dropout_in_a_checkpoint():
    x = tallow.ones(100, requires_grad=True, **ON)
    out = tallow.utils.checkpoint.checkpoint(
        lambda x: tallow.nn.functional.dropout(x * 1, 0.5), x, use_reentrant=False
    )
    out.sum().backward()
    assert tallow.equal(x.grad.cpu(), out.detach().cpu())


def test_a_device_without_kernels_has_no_generator(monkeypatch):
    from tallow import backend

    plain = backend.for_device("standin")._replace(random_blocks=None)
    monkeypatch.setitem(backend._by_name, "standin", plain)
    with pytest.raises(DeviceError, match="Generator: expected a device that draws numbers"):
        tallow.Generator("standin")
