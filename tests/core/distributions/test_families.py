"""Every family against PyTorch: moments, densities, gradients, samples, expansion, texts."""

import warnings

import numpy as np
import pytest

import tallow

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:tallow.ops")  # as users see it

A, B = "T([0.5, 1.0, 2.5])", "T([[1.5], [0.7]])"
P, LOGITS = "T([0.2, 0.5, 0.9])", "T([-1.0, 0.0, 2.0])"
W = "T([[0.2, 0.3, 0.5], [1.0, 4.0, 1.0]])"
SCORES = "T([[0.0, 1.0, -1.0], [2.0, 0.0, 0.5]])"
COVARIANCE = "T([[2.0, 0.5], [0.5, 1.0]])"
TRIL = "T([[[1.5, 0.0], [0.5, 0.8]], [[1.0, 0.0], [-0.5, 2.0]]])"

FAMILIES = [
    f"Normal({A}, {B})", "Normal(0.5, 2.0)", f"Laplace({A}, {B})", f"Cauchy({A}, {B})",
    f"StudentT({A}, {B}, {A})", "StudentT(T([3.0, 5.0]))", f"Gumbel({A}, {B})",
    f"LogNormal({A}, {B})", f"HalfNormal({A})", f"HalfCauchy({A})", f"Uniform(-{A}, {B})",
    f"Exponential({A})", f"Gamma({A}, {B})", f"Chi2({A})", f"InverseGamma({A}, {B})",
    f"FisherSnedecor({A}, T([[3.0], [5.0]]))", f"Weibull({A}, {B})", f"Pareto({A}, {B})",
    f"GeneralizedPareto({A}, {B}, T([0.0, 0.3, -0.4]))", f"Beta({A}, {B})", "Beta(2.0, 3.0)",
    f"Dirichlet({W})", "Dirichlet(T([0.3, 0.5]))", f"Kumaraswamy({A}, {B})",
    f"LogisticNormal({A}, {B})", "LogisticNormal(0.5, 1.0)", f"VonMises({A}, {B})",
    f"Bernoulli({P})", f"Bernoulli(logits={LOGITS})", "Bernoulli(0.3)", f"Geometric({P})",
    f"Geometric(logits={LOGITS})", f"Binomial(5, {P})", f"Binomial(4, logits={LOGITS})",
    f"Binomial(T([3.0, 4.0, 5.0]), {P})", f"NegativeBinomial(3, {P})",
    f"NegativeBinomial(T([0.5, 2.0, 3.0]), logits={LOGITS})", "Poisson(T([0.0, 2.5, 30.0]))",
    f"ContinuousBernoulli({P})", f"ContinuousBernoulli(logits={LOGITS})",
    f"Categorical({W})", f"Categorical(logits={SCORES})", "Categorical(T([1.0, 0.0, 3.0]))",
    f"OneHotCategorical({W})", f"OneHotCategorical(logits={SCORES})",
    f"OneHotCategoricalStraightThrough({W})", f"Multinomial(5, {W})",
    f"Multinomial(3, logits={SCORES})", f"RelaxedBernoulli(T(0.7), {P})",
    f"RelaxedBernoulli(T(0.7), logits={LOGITS})", f"RelaxedOneHotCategorical(T(0.7), {W})",
    f"RelaxedOneHotCategorical(T(0.7), logits={SCORES})",
    f"MultivariateNormal(T([1.0, 2.0]), {COVARIANCE})",
    f"MultivariateNormal(T([1.0, 2.0]), precision_matrix={COVARIANCE})",
    f"MultivariateNormal(T([1.0, 2.0]), scale_tril={TRIL})",
    f"LowRankMultivariateNormal(T([1.0, 2.0]), T([[0.5], [1.0]]), {A}[:2])",
    f"LowRankMultivariateNormal(T([[1.0, 2.0]] * 3), T([[0.5, 1.0], [1.0, 0.0]]), {A}[:2])",
    f"Wishart(T([3.0, 4.5]), {COVARIANCE})", f"Wishart(T([4.0]), scale_tril={TRIL})",
    f"Wishart(T(3.5), precision_matrix={COVARIANCE})", "LKJCholesky(3, T([0.5, 1.0, 2.0]))",
    "LKJCholesky(2)", f"Independent(D.Normal({A}, {B}), 1)", f"Independent(D.Gamma({A}, {B}), 2)",
    f"Independent(D.Bernoulli({P}), 0)",
    f"MixtureSameFamily(D.Categorical({P}), D.Normal({A}, {A}))",
    f"MixtureSameFamily(D.Categorical({W}), D.Independent(D.Normal({TRIL}[:, :1] + "
    "T([[[0.0]], [[1.0]]]).reshape(1, 2, 1).expand(2, 2, 1)[:, [0, 1, 1]], 1.5), 1))",
    f"TransformedDistribution(D.Normal({A}, {B}), [D.AffineTransform(1.0, -2.0), "
    "D.TanhTransform()])",
    "TransformedDistribution(D.Uniform(T([0.1, 0.2]), 0.7), D.SigmoidTransform().inv)",
    f"TransformedDistribution(D.Normal({A}, {B}), [])",
]  # fmt: skip


def build(expression, library, dtype="float64", leaves=None):
    """The distribution that an expression stands for, in one of the libraries."""

    dtype = "float32" if "Generalized" in expression else dtype  # all that PyTorch's takes

    def tensor(values):
        made = library.tensor(values, dtype=getattr(library, dtype))
        if leaves is not None:
            leaves.append(made.requires_grad_())
        return made

    with warnings.catch_warnings():  # PyTorch's Wishart is about to warn of low df
        warnings.simplefilter("ignore")
        d = library.distributions
        return eval(f"D.{expression}", {"T": tensor, "D": d})


def outcome(function):
    """What a function returns as an array, or that it is not implemented."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = function()
    except NotImplementedError:
        return "not implemented"
    return result.detach().numpy() if hasattr(result, "detach") else result


def same(actual, expected, rtol=1e-6, atol=1e-9):
    if isinstance(expected, np.ndarray):
        assert actual.shape == expected.shape and actual.dtype == expected.dtype
        if expected.dtype == np.float32:
            rtol, atol = max(rtol, 3e-5), max(atol, 2e-6)
        np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol)
    else:
        assert actual == expected


def values_of(theirs):
    """Samples of PyTorch's, with which both are asked."""
    torch.manual_seed(5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return theirs.sample((4,))


def text(x):
    return repr(x).replace("torch.", "").replace("tallow.", "")


@pytest.mark.parametrize("expression", FAMILIES)
def test_attributes(expression):
    ours, theirs = build(expression, tallow), build(expression, torch)
    assert tuple(ours.batch_shape) == tuple(theirs.batch_shape)
    assert tuple(ours.event_shape) == tuple(theirs.event_shape)
    assert ours.has_rsample == theirs.has_rsample
    assert ours.has_enumerate_support == theirs.has_enumerate_support
    assert text(ours) == text(theirs)
    assert text(ours.support) == text(theirs.support)
    rtol = 1e-5 if "VonMises" in expression else 1e-6  # PyTorch's Bessel functions are short
    for name in ("mean", "mode", "variance", "stddev", "probs", "logits", "covariance_matrix"):
        if hasattr(type(theirs), name):
            get = [outcome(lambda d=d, name=name: getattr(d, name)) for d in (ours, theirs)]
            same(*get, rtol=rtol)
    same(*(outcome(d.entropy) for d in (ours, theirs)))
    for expand in (True, False):
        same(*(outcome(lambda d=d, e=expand: d.enumerate_support(e)) for d in (ours, theirs)))


@pytest.mark.parametrize("expression", FAMILIES)
def test_densities(expression):
    ours, theirs = build(expression, tallow), build(expression, torch)
    value = values_of(theirs)
    mine = tallow.tensor(value.numpy())
    same(outcome(lambda: ours.log_prob(mine)), outcome(lambda: theirs.log_prob(value)), 1e-5, 1e-6)
    same(outcome(lambda: ours.cdf(mine)), outcome(lambda: theirs.cdf(value)))
    u = np.random.default_rng(0).uniform(0.05, 0.95, (4, *theirs.batch_shape))
    get = [outcome(lambda: ours.icdf(tallow.tensor(u)))]
    same(*get, outcome(lambda: theirs.icdf(torch.tensor(u))))


@pytest.mark.parametrize("expression", FAMILIES)
def test_gradients_of_densities(expression):
    gradients = []
    value = values_of(build(expression, torch))
    for library in (tallow, torch):
        leaves = []
        d = build(expression, library, leaves=leaves)
        given = library.tensor(value.numpy())
        leaves += [given.requires_grad_()] if value.dtype.is_floating_point else []
        d.log_prob(given).sum().backward()
        gradients.append([x.grad if x.grad is None else x.grad.numpy() for x in leaves])
    for ours, theirs in zip(*gradients, strict=True):
        if ours is None or theirs is None:
            assert ours is theirs
        else:
            if "Wishart" in expression and theirs.shape == (2, 2, 2):
                theirs = np.tril(theirs)  # the other triangle is not read
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("expression", [f for f in FAMILIES if not f.startswith("Wishart")])
def test_samples_are_the_same(expression, dtype):
    """Twice, and the stream goes on in the same place."""
    samples = []
    for library in (tallow, torch):
        d = build(expression, library, dtype)
        library.manual_seed(11)
        drawn = [d.sample((7,)), d.sample(), library.rand(2)]
        assert not any(x.requires_grad for x in drawn)
        samples.append([x.numpy() for x in drawn])
    for ours, theirs in zip(*samples, strict=True):
        same(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("expression", [f for f in FAMILIES if not f.startswith("Wishart")])
def test_gradients_of_samples(expression):
    if not build(expression, torch).has_rsample:
        for library in (tallow, torch):
            with pytest.raises(NotImplementedError):
                build(expression, library).rsample()
        return
    gradients = []
    for library in (tallow, torch):
        leaves = []
        d = build(expression, library, leaves=leaves)
        if not leaves:
            return
        library.manual_seed(3)
        sample = d.rsample((5,))
        weights = np.linspace(0.5, 1.5, sample.numel()).reshape(sample.shape)
        (sample * library.tensor(weights)).sum().backward()
        gradients.append([x.grad if x.grad is None else x.grad.numpy() for x in leaves])
    for ours, theirs in zip(*gradients, strict=True):
        if ours is None or theirs is None:
            assert ours is theirs
        else:  # PyTorch approximates those of gamma numbers
            np.testing.assert_allclose(ours, theirs, rtol=5e-3, atol=1e-4)


@pytest.mark.parametrize("expression", FAMILIES)
def test_expand(expression):
    ours, theirs = build(expression, tallow), build(expression, torch)
    shape = (3, *([2] if not theirs.batch_shape else theirs.batch_shape))
    ours, theirs = ours.expand(shape), theirs.expand(shape)
    assert type(ours).__name__ == type(theirs).__name__
    assert tuple(ours.batch_shape) == shape and ours.event_shape == tuple(theirs.event_shape)
    assert text(ours) == text(theirs)
    value = values_of(theirs)
    same(
        outcome(lambda: ours.log_prob(tallow.tensor(value.numpy()))),
        outcome(lambda: theirs.log_prob(value)), 1e-5, 1e-6,
    )  # fmt: skip
    for name in ("mean", "variance"):
        get = [outcome(lambda d=d, name=name: getattr(d, name)) for d in (ours, theirs)]
        same(*get, rtol=1e-5)
    if not expression.startswith("Wishart"):
        tallow.manual_seed(5)
        same(ours.sample((4,)).numpy(), value.numpy(), 1e-9, 1e-9)
