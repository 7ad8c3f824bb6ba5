"""Transforms, constraints and their registries against PyTorch; what is said to mistakes."""

import pickle

import numpy as np
import pytest

import tallow
from tallow.distributions import constraints, transforms

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:tallow.ops")  # as users see it

VECTORS, FRACTIONS = "T([[0.5, -1.0, 2.0], [0.0, 0.3, -2.0]])", "T([[0.2, 0.9], [0.5, 0.4]])"
MATRICES = "T([[[0.5, 3.0], [-1.0, 0.2]]])"

TRANSFORMS = [
    ("ExpTransform()", VECTORS), ("SigmoidTransform()", VECTORS), ("TanhTransform()", VECTORS),
    ("SoftplusTransform()", VECTORS), ("AbsTransform()", VECTORS), ("SoftmaxTransform()", VECTORS),
    ("StickBreakingTransform()", VECTORS), ("CorrCholeskyTransform()", VECTORS),
    ("LowerCholeskyTransform()", MATRICES), ("PositiveDefiniteTransform()", MATRICES),
    ("PowerTransform(T([0.5, -2.0]))", FRACTIONS), ("PowerTransform(2.0)", FRACTIONS),
    ("AffineTransform(1.0, -2.0)", VECTORS), ("AffineTransform(T([1.0, 2.0, 3.0]), 2)", VECTORS),
    ("AffineTransform(0.5, T([1.0, -2.0, 3.0]), event_dim=1)", VECTORS),
    ("ReshapeTransform((3,), (3, 1))", VECTORS), ("ExpTransform().inv", FRACTIONS),
    ("IndependentTransform(D.ExpTransform(), 1)", VECTORS),
    ("ComposeTransform([D.AffineTransform(0.5, 2.0), D.StickBreakingTransform()])", VECTORS),
    ("ComposeTransform([D.ExpTransform(), D.PowerTransform(0.5)]).inv", FRACTIONS),
    ("ComposeTransform([])", VECTORS), ("identity_transform", VECTORS),
    ("CatTransform([D.ExpTransform(), D.TanhTransform()], -1, [1, 2])", VECTORS),
    ("CatTransform([D.ExpTransform(), D.TanhTransform()], 0)", VECTORS),
    ("StackTransform([D.ExpTransform(), D.TanhTransform()], 0)", VECTORS),
    ("CumulativeDistributionTransform(D.Normal(0.5, 2.0))", VECTORS),
]  # fmt: skip


def evaluate(expression, library):
    def tensor(values):
        return library.tensor(values, dtype=library.float64)

    d = library.distributions
    return eval(expression, {"T": tensor, "D": d, "C": d.constraints})


def text(x):
    return repr(x).replace("torch.", "").replace("tallow.", "")


@pytest.mark.parametrize(("source", "given"), TRANSFORMS)
def test_transforms(source, given):
    results = []
    for library in (tallow, torch):
        t = evaluate(f"D.{source}", library)
        x = evaluate(given, library).requires_grad_()
        y = t(x)
        out = [y, t.inv(y)]
        if t.bijective:
            out.append(t.log_abs_det_jacobian(x, y))
        sum(o.sum() for o in out).backward()
        shapes = tuple(t.forward_shape(x.shape)), tuple(t.inverse_shape(y.shape))
        facts = t.bijective, t.domain.event_dim, t.codomain.event_dim, shapes, text(t)
        results.append((facts, [o.detach().numpy() for o in out] + [x.grad.numpy()]))
    (facts, ours), (expected, theirs) = results
    assert facts == expected
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.shape == other.shape
        np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-11)


REGIONS = [
    ("boolean", "T([0.0, 1.0, 0.5])"), ("one_hot", FRACTIONS), ("one_hot", "T([[0.0, 1.0]])"),
    ("nonnegative_integer", "T([-1.0, 0.0, 1.5])"), ("positive_integer", "T([0.0, 1.0, 1.5])"),
    ("integer_interval(-2, 3)", "T([-2.0, 3.0, 0.5, 4.0])"), ("real", "T([1.0, float('nan')])"),
    ("real_vector", "T([[1.0, 2.0], [1.0, float('nan')]])"), ("positive", "T([0.0, 1.0, -1.0])"),
    ("nonnegative", "T([0.0, 1.0, -1.0])"), ("greater_than(1.0)", "T([1.0, 2.0])"),
    ("greater_than_eq(T([1.0, 3.0]))", "T([1.0, 2.0])"), ("less_than(1.0)", "T([1.0, 0.5])"),
    ("unit_interval", "T([0.0, 1.0, 1.1])"), ("interval(-1.0, 2.0)", "T([-1.0, 2.0, 2.1])"),
    ("half_open_interval(-1.0, 2.0)", "T([-1.0, 2.0])"), ("simplex", "T([[0.3, 0.7], [0.5, 0.6]])"),
    ("multinomial(3)", "T([[1.0, 2.0], [2.0, 2.0], [-1.0, 1.0]])"),
    ("lower_triangular", "T([[[1.0, 0.0], [2.0, -3.0]], [[1.0, 1.0], [0.0, 1.0]]])"),
    ("lower_cholesky", "T([[[1.0, 0.0], [2.0, -3.0]], [[1.0, 0.0], [2.0, 1.0]]])"),
    ("corr_cholesky", "T([[[1.0, 0.0], [0.6, 0.8]], [[1.0, 0.0], [0.6, 0.9]]])"),
    ("square", "T([[[1.0, 0.0]]])"),
    ("symmetric", "T([[[1.0, 2.0], [2.0, 3.0]], [[1.0, 2.0], [0.0, 1.0]]])"),
    ("positive_semidefinite", "T([[[1.0, 1.0], [1.0, 1.0]], [[1.0, 2.0], [2.0, 1.0]]])"),
    ("positive_definite", "T([[[2.0, 1.0], [1.0, 1.0]], [[1.0, 2.0], [2.0, 1.0]]])"),
    ("independent(C.positive, 1)", "T([[1.0, 2.0], [-1.0, 2.0]])"),
    ("MixtureSameFamilyConstraint(C.interval(T([0.0, 1.0]), T([3.0, 4.0])))", "T([0.5, 2.0])"),
    ("cat([C.positive, C.real], 0, [1, 2])", "T([-1.0, -1.0, 2.0])"),
    ("stack([C.positive, C.unit_interval], -1)", "T([[1.0, 0.5], [-1.0, 2.0]])"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "given"), REGIONS)
def test_constraints(source, given):
    found = []
    for library in (tallow, torch):
        c = evaluate(f"C.{source}", library)
        checked = c.check(evaluate(given, library))
        name = repr(c) if "cat(" not in source and "stack(" not in source else ""
        found.append((checked.tolist(), c.is_discrete, c.event_dim, text(name)))
    assert found[0] == found[1]


REGISTERED = [
    "real", "positive", "nonnegative", "greater_than(2.0)", "greater_than_eq(-1.0)",
    "less_than(T([1.0, 2.0, 3.0]))", "interval(-1.0, 3.0)", "half_open_interval(0.0, 1.0)",
    "unit_interval", "simplex", "corr_cholesky", "independent(C.positive, 1)",
    "stack([C.positive, C.unit_interval], 0)", "cat([C.positive, C.unit_interval], 1, [1, 2])",
    "lower_cholesky", "positive_definite", "positive_semidefinite", "boolean", "one_hot",
]  # fmt: skip


@pytest.mark.parametrize("registry", ["biject_to", "transform_to"])
@pytest.mark.parametrize("source", REGISTERED)
def test_registries(registry, source):
    given = "T([[0.5, -1.0], [0.3, 2.0]])" if "cholesky" in source or "pos" in source else VECTORS
    given = VECTORS if source == "corr_cholesky" else given
    given = VECTORS if source.startswith(("stack", "cat")) else given
    found = []
    for library in (tallow, torch):
        constraint = evaluate(f"C.{source}", library)
        try:
            transform = getattr(library.distributions, registry)(constraint)
        except NotImplementedError:
            found.append(None)
            continue
        y = transform(evaluate(given, library))
        found.append(y.numpy())
        assert constraint.check(y).all()
    ours, theirs = found
    assert (ours is None) == (theirs is None)
    if ours is not None:
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_caches():
    x = tallow.tensor([20.0])
    t = transforms.TanhTransform(cache_size=1)
    assert t.inv(t(x)) is x
    assert transforms.TanhTransform().inv(transforms.TanhTransform()(x)).isinf()
    assert t.with_cache(1) is t and t.with_cache(0)._cache_size == 0
    chain = transforms.ComposeTransform([t, transforms.AffineTransform(1.0, 2.0)], cache_size=1)
    assert chain.inv(chain(x)) is x
    assert t.inv.inv is t and pickle.loads(pickle.dumps(t))(x).item() == 1.0


def test_equality():
    affine = transforms.AffineTransform
    assert affine(1.0, tallow.ones(2)) == affine(1.0, tallow.ones(2))
    assert affine(1.0, 2.0) != affine(1.0, 3.0) and affine(0, 1) != transforms.ExpTransform()
    assert transforms.ExpTransform().inv == transforms.ExpTransform().inv
    assert transforms.ComposeTransform([affine(1, 2)]) == transforms.ComposeTransform(
        [affine(1, 2)]
    )


def refuse(error, message, call):
    with pytest.raises(error, match=message):
        call()


def test_mistakes():
    d, vector = tallow.distributions, tallow.zeros(3)
    refuse(ValueError, "Normal.*parameter scale.*GreaterThan", lambda: d.Normal(0.0, -1.0))
    refuse(ValueError, "Uniform.*parameter low", lambda: d.Uniform(2.0, 1.0))
    refuse(ValueError, "broadcast_all: expected numbers and", lambda: d.Normal("a", 1.0))
    refuse(RuntimeError, "broadcast", lambda: d.Normal(vector, tallow.ones(2)))
    refuse(ValueError, "Bernoulli: expected either probs or logits", lambda: d.Bernoulli())
    refuse(ValueError, "got probs and logits", lambda: d.Categorical(vector, vector))
    refuse(ValueError, "one dim or more", lambda: d.Categorical(tallow.tensor(1.0)))
    refuse(ValueError, "got float32 ", lambda: d.MultivariateNormal(vector, vector))
    refuse(
        ValueError, "transforms|Transform", lambda: d.TransformedDistribution(d.Normal(0.0, 1.0), 3)
    )
    refuse(ValueError, "up to 0", lambda: d.Independent(d.Normal(0.0, 1.0), 1))
    refuse(ValueError, "cache_size", lambda: d.ExpTransform(cache_size=2))
    refuse(ValueError, "as many elements", lambda: d.ReshapeTransform((2,), (3,)))
    refuse(ValueError, "df above n - 1", lambda: d.Wishart(1.0, tallow.eye(2)))
    refuse(ValueError, "dim of 2", lambda: d.LKJCholesky(1))
    refuse(NotImplementedError, "one int", lambda: d.Multinomial(tallow.tensor(2), vector + 1))
    refuse(NotImplementedError, "rsample", lambda: d.Poisson(1.0).rsample())
    refuse(NotImplementedError, "icdf", lambda: d.Gamma(1.0, 1.0).icdf(vector))
    normal = d.Normal(vector, 1.0)
    refuse(ValueError, "within the support|tensor as value", lambda: normal.log_prob(1.0))
    refuse(ValueError, "broadcasts with batch_shape", lambda: normal.log_prob(tallow.zeros(2)))
    refuse(ValueError, "within the support", lambda: d.Gamma(1.0, 1.0).log_prob(-1.0))
    refuse(ValueError, r"\*event_shape", lambda: d.Dirichlet(vector + 1).log_prob(tallow.ones(2)))
    refuse(TypeError, "register: expected", lambda: d.biject_to.register(3, lambda c: c))
    refuse(ValueError, "depends", lambda: constraints.dependent.check(vector))
    refuse(ValueError, "expected a bool", lambda: d.Distribution.set_default_validate_args(3))
    unchecked = d.Normal(0.0, -1.0, validate_args=False)
    assert unchecked.log_prob(tallow.tensor(float("nan"))).isnan()


@pytest.mark.parametrize(
    ("source", "mean", "variance"),
    [
        ("Gamma(0.3, 2.0)", 0.15, 0.075), ("Gamma(4.0, 1.0)", 4.0, 4.0),
        ("Beta(2.0, 3.0)", 0.4, 0.04), ("Binomial(50, T(0.3))", 15.0, 10.5),
        ("Binomial(5, T(0.8))", 4.0, 0.8), ("Wishart(T(5.0), T([[0.4]]))", 2.0, 1.6),
        ("StudentT(10.0)", 0.0, 1.25), ("NegativeBinomial(3, T(0.5))", 3.0, 6.0),
    ],
)  # fmt: skip
def test_statistics(source, mean, variance):
    tallow.manual_seed(0)
    sample = evaluate(f"D.{source}", tallow).sample((20_000,)).double().numpy()
    assert abs(sample.mean() - mean) < 5 * np.sqrt(variance / 20_000)
    assert sample.var() == pytest.approx(variance, rel=0.1)
