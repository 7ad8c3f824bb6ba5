"""Divergences of all registered pairs against PyTorch, and how pairs are looked up."""

import itertools

import numpy as np
import pytest

import tallow
from tallow.distributions import (
    Distribution,
    ExponentialFamily,
    Gamma,
    Normal,
    kl_divergence,
    register_kl,
)
from tallow.distributions import kl as registry

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:tallow.ops")  # as users see it

EXAMPLES = {
    "Bernoulli": ["Bernoulli(T([0.2, 0.7]))", "Bernoulli(T([0.0, 1.0]))"],
    "Beta": ["Beta(T([0.5, 2.0]), T([1.5, 3.0]))", "Beta(T([1.5, 1.0]), T([2.0, 0.7]))"],
    "Binomial": ["Binomial(T([4.0, 5.0]), T([0.3, 0.6]))", "Binomial(T([4.0]), T([0.5]))"],
    "Categorical": [
        "Categorical(T([[0.2, 0.8], [1.0, 0.0]]))", "Categorical(logits=T([1.0, 2.0]))",
    ],
    "Cauchy": ["Cauchy(T([0.5, 2.0]), T([1.5, 3.0]))", "Cauchy(T(0.0), T(1.0))"],
    "ContinuousBernoulli": [
        "ContinuousBernoulli(T([0.2, 0.5]))", "ContinuousBernoulli(logits=T([0.7, -1.0]))",
    ],
    "Dirichlet": ["Dirichlet(T([[0.5, 2.0], [1.0, 3.0]]))", "Dirichlet(T([1.5, 0.7]))"],
    "Exponential": ["Exponential(T([0.5, 2.0]))", "Exponential(T([1.5, 0.3]))"],
    "Gamma": ["Gamma(T([0.5, 2.0]), T([1.5, 3.0]))", "Gamma(T([1.5, 0.3]), T([0.4, 2.0]))"],
    "Geometric": ["Geometric(T([0.2, 0.7]))", "Geometric(T([0.5, 0.9]))"],
    "Gumbel": ["Gumbel(T([0.5, -2.0]), T([1.5, 3.0]))", "Gumbel(T([0.0, 1.0]), T([1.0, 2.0]))"],
    "HalfNormal": ["HalfNormal(T([0.5, 2.0]))", "HalfNormal(T([1.5, 0.3]))"],
    "Independent": [
        "Independent(D.Normal(T([0.5, 2.0]), 1.0), 1)",
        "Independent(D.Normal(T([0.0, 1.0]), 2.0), 1)",
    ],
    "Laplace": ["Laplace(T([0.5, -2.0]), T([1.5, 3.0]))", "Laplace(T([0.0, 1.0]), T([1.0, 2.0]))"],
    "LowRankMultivariateNormal": [
        "LowRankMultivariateNormal(T([1.0, 2.0]), T([[0.5], [1.0]]), T([0.7, 1.2]))",
        "LowRankMultivariateNormal(T([[0.0, 2.0]] * 3), T([[1.5], [1.0]]), T([1.7, 1.2]))",
    ],
    "MultivariateNormal": [
        "MultivariateNormal(T([1.0, 2.0]), T([[2.0, 0.5], [0.5, 1.0]]))",
        "MultivariateNormal(T([0.0, 0.5]), scale_tril=T([[[1.0, 0.0], [0.5, 2.0]]] * 3))",
    ],
    "Normal": ["Normal(T([0.5, -2.0]), T([1.5, 3.0]))", "Normal(T([0.0, 1.0]), T([1.0, 2.0]))"],
    "OneHotCategorical": [
        "OneHotCategorical(T([0.2, 0.8]))", "OneHotCategorical(logits=T([1.0, 2.0]))",
    ],
    "Pareto": ["Pareto(T([0.5, 2.0]), T([0.7, 3.0]))", "Pareto(T([1.0, 1.0]), T([1.5, 2.5]))"],
    "Poisson": ["Poisson(T([0.5, 2.0]))", "Poisson(T([1.5, 0.3]))"],
    "TransformedDistribution": [
        "TransformedDistribution(D.Normal(T([0.5]), 2.0), D.ExpTransform())",
        "TransformedDistribution(D.Normal(T([1.5]), 1.0), D.ExpTransform())",
    ],
    "Uniform": [
        "Uniform(T([0.2, -1.0]), T([0.8, 2.0]))", "Uniform(T([0.1, -2.0]), T([0.9, 3.0]))",
    ],
    "ExponentialFamily": [
        "Wishart(T(3.0), T([[2.0, 0.5], [0.5, 1.0]]))",
        "Wishart(T(4.0), T([[1.0, 0.0], [0.0, 1.0]]))",
    ],
}  # fmt: skip

PAIRS = sorted((p.__name__, q.__name__) for p, q in registry.REGISTRY)


def divergence(library, p, q):
    """The divergence and its gradients by all parameters."""
    leaves = []

    def tensor(values):
        leaves.append(library.tensor(values, dtype=library.float64).requires_grad_())
        return leaves[-1]

    names = {"T": tensor, "D": library.distributions}
    result = library.distributions.kl_divergence(*(eval(f"D.{x}", names) for x in (p, q)))
    if result.requires_grad:
        library.where(library.isfinite(result), result, 0.0).sum().backward()
    return result.detach().numpy(), [
        np.zeros(x.shape) if x.grad is None else x.grad.numpy() for x in leaves
    ]


def test_the_same_pairs_are_registered():
    theirs = sorted((p.__name__, q.__name__) for p, q in torch.distributions.kl._KL_REGISTRY)
    assert theirs == PAIRS


@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_divergences(p, q):
    for i, j in itertools.product((0, 1), repeat=2):
        first, second = EXAMPLES[p][i], EXAMPLES[q][j]
        try:
            expected, gradients = divergence(torch, first, second)
        except NotImplementedError:
            with pytest.raises(NotImplementedError):
                divergence(tallow, first, second)
            continue
        actual, ours = divergence(tallow, first, second)
        assert actual.shape == expected.shape and actual.dtype == expected.dtype
        np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)
        for mine, theirs in zip(ours, gradients, strict=True):
            if np.isfinite(theirs).all() and np.isfinite(expected).all():
                np.testing.assert_allclose(mine, theirs, rtol=1e-7, atol=1e-9)


def test_uniform_ends_that_meet():
    """Where PyTorch gives inf: a support within the other's, whose ends are the same."""
    uniform = tallow.distributions.Uniform(0.0, 1.0)
    bernoulli = tallow.distributions.ContinuousBernoulli(0.3)
    assert kl_divergence(bernoulli, uniform).item() == pytest.approx(-bernoulli.entropy().item())
    assert np.isfinite(kl_divergence(uniform, bernoulli).item())


def test_nearest_classes_are_found(monkeypatch):
    monkeypatch.setattr(registry, "REGISTRY", dict(registry.REGISTRY))

    class Base(Distribution):
        arg_constraints = {}

    class Derived(Base):
        pass

    register_kl(Base, Base)(lambda p, q: "base")
    assert kl_divergence(Derived(), Derived()) == "base"
    register_kl(Derived, Base)(lambda p, q: "left")
    assert kl_divergence(Derived(), Derived()) == "left"
    register_kl(Base, Derived)(lambda p, q: "right")
    with pytest.warns(RuntimeWarning, match="several functions fit Derived and Derived"):
        assert kl_divergence(Derived(), Derived()) == "left"
    register_kl(Derived, Derived)(lambda p, q: "both")
    assert kl_divergence(Derived(), Derived()) == "both"
    registry.FOUND.clear()


def test_what_is_not_registered():
    normal, other = Normal(0.0, 1.0), tallow.distributions.VonMises(0.0, 1.0)
    with pytest.raises(NotImplementedError, match="registered pair.*Normal and VonMises"):
        kl_divergence(normal, other)
    with pytest.raises(NotImplementedError):
        kl_divergence(Gamma(1.0, 1.0), tallow.distributions.Poisson(1.0))
    with pytest.raises(TypeError, match="register_kl: expected classes"):
        register_kl(3, Normal)
    wide, narrow = (
        tallow.distributions.MultivariateNormal(tallow.zeros(n), tallow.eye(n)) for n in (3, 2)
    )
    with pytest.raises(ValueError, match="one event_shape"):
        kl_divergence(wide, narrow)


def test_an_exponential_family_of_its_own():
    """Entropy and divergence from the log normalizer alone."""

    class Rayleigh(ExponentialFamily):
        arg_constraints = {}
        _mean_carrier_measure = 0

        def __init__(self, scale):
            self.scale = tallow.tensor(scale, dtype=tallow.float64)
            super().__init__(self.scale.shape, validate_args=False)

        @property
        def _natural_params(self):
            return (-1 / (2 * self.scale**2),)

        def _log_normalizer(self, x):
            return -(-2 * x).log()

    p, q = Rayleigh([1.0, 2.0]), Rayleigh([2.0, 2.0])
    ratio = np.array([0.25, 1.0])
    np.testing.assert_allclose(kl_divergence(p, q).detach().numpy(), ratio - 1 - np.log(ratio))
