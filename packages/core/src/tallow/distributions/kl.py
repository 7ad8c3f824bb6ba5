"""Kullback and Leibler's divergence of one distribution from another."""

import math
import warnings

from tallow.creation import full_like
from tallow.distributions.bernoulli import (
    Bernoulli,
    Binomial,
    ContinuousBernoulli,
    Geometric,
    Poisson,
)
from tallow.distributions.beta import Beta, Dirichlet
from tallow.distributions.categorical import Categorical, OneHotCategorical
from tallow.distributions.distribution import Distribution, ExponentialFamily
from tallow.distributions.gamma import Exponential, Gamma, Pareto
from tallow.distributions.independent import Independent
from tallow.distributions.multivariate_normal import (
    LowRankMultivariateNormal,
    MultivariateNormal,
)
from tallow.distributions.normal import Cauchy, Gumbel, HalfNormal, Laplace, Normal
from tallow.distributions.transformed_distribution import TransformedDistribution
from tallow.distributions.uniform import Uniform
from tallow.distributions.utils import EULER, sum_rightmost
from tallow.errors import ArgumentError, NotSupportedError, TypeMismatchError
from tallow.math import erf, exp, log1p, where, xlogy
from tallow.nn.functional import softplus

REGISTRY = {}
FOUND = {}


def register_kl(type_p, type_q):
    """Decorator: `function(p, q)` computes `kl_divergence` of these classes and their subclasses.

    Among several that fit, the one of the nearest base classes is called.
    """
    for kind in (type_p, type_q):
        if not isinstance(kind, type):  # any class: bases that mix in are registered, too
            raise TypeMismatchError(f"register_kl: expected classes, got {kind!r}")

    def enter(function):
        REGISTRY[type_p, type_q] = function
        FOUND.clear()
        return function

    return enter


def kl_divergence(p, q):
    """The mean of log(p(x) / q(x)) over x from p, in nats: (*batch_shape).

    >>> from tallow.distributions import Normal, kl_divergence
    >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
    tensor(0.5000)
    """
    pair = type(p), type(q)
    if pair not in FOUND:
        FOUND[pair] = _find(*pair)
    if FOUND[pair] is None:
        raise _unknown(p, q)
    return FOUND[pair](p, q)


def _unknown(p, q):
    return NotSupportedError(
        f"kl_divergence: expected a registered pair of distributions, got {type(p).__name__} and "
        f"{type(q).__name__}; register_kl enters one"
    )


def _find(type_p, type_q):
    """The function of the nearest classes: those of p count first, or those of q, if it agrees."""
    fits = {
        (type_p.mro().index(p), type_q.mro().index(q)): function
        for (p, q), function in REGISTRY.items()
        if issubclass(type_p, p) and issubclass(type_q, q)
    }
    if not fits:
        return None
    first, other = min(fits), min(fits, key=lambda distance: distance[::-1])
    if fits[first] is not fits[other]:
        warnings.warn(
            f"kl_divergence: several functions fit {type_p.__name__} and {type_q.__name__}; "
            "register_kl for these very classes",
            RuntimeWarning,
            stacklevel=3,
        )
    return fits[first]


# Within a family


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p, q):
    def part(chance, other, sign):
        term = chance * (softplus(sign * q.logits) - softplus(sign * p.logits))
        return where(chance == 0, 0.0, where(other == 0, math.inf, term))

    return part(p.probs, q.probs, -1) + part(1 - p.probs, 1 - q.probs, 1)


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p, q):
    return q.rate - p.probs * q.rate.log() - p.entropy()


@register_kl(Beta, Beta)
def _beta(p, q):
    return _dirichlet(p._dirichlet, q._dirichlet)


@register_kl(Binomial, Binomial)
def _binomial(p, q):
    if (p.total_count < q.total_count).any():
        raise NotSupportedError(
            "kl_divergence: expected a Binomial q of no more trials than p's, got more"
        )
    odds = p.probs * (p.logits - q.logits) + log1p(-p.probs) - log1p(-q.probs)
    return where(p.total_count > q.total_count, math.inf, p.total_count * odds)


@register_kl(Categorical, Categorical)
def _categorical(p, q):
    term = p.probs * (p.logits - q.logits)
    return where(p.probs == 0, 0.0, where(q.probs == 0, math.inf, term)).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p, q):
    return _categorical(p._categorical, q._categorical)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p, q):
    change = p._cont_bern_log_norm() + log1p(-p.probs) - q._cont_bern_log_norm() - log1p(-q.probs)
    return p.mean * (p.logits - q.logits) + change


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p, q):
    a, b = p.concentration, q.concentration
    slope = a.digamma() - a.sum(-1, True).digamma()
    return q._log_normalizer(b) - p._log_normalizer(a) + ((a - b) * slope).sum(-1)


@register_kl(Exponential, Exponential)
def _exponential(p, q):
    ratio = q.rate / p.rate
    return ratio - ratio.log() - 1


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_family(p, q):
    """Bregman's divergence of the log normalizer."""
    if type(p) is not type(q):
        raise _unknown(p, q)
    natural, normalizer, slopes = p._dual()
    others = q._natural_params
    result = q._log_normalizer(*others) - normalizer
    for own, other, slope in zip(natural, others, slopes, strict=True):
        term = (other - own) * slope
        result = result - sum_rightmost(term, term.dim() - result.dim())
    return result


@register_kl(Gamma, Gamma)
def _gamma(p, q):
    a, b, ratio = p.concentration, q.concentration, q.rate / p.rate
    return b.lgamma() - a.lgamma() + (a - b) * a.digamma() - b * ratio.log() + a * (ratio - 1)


@register_kl(Gumbel, Gumbel)
def _gumbel(p, q):
    ratio, shift = p.scale / q.scale, (q.loc - p.loc) / q.scale
    tail = exp(shift + (1 + ratio).lgamma())
    return -ratio.log() - shift + ratio * EULER + tail - (1 + EULER)


@register_kl(Geometric, Geometric)
def _geometric(p, q):
    return -p.entropy() - log1p(-q.probs) / p.probs - q.logits


@register_kl(Laplace, Laplace)
def _laplace(p, q):
    ratio, shift = p.scale / q.scale, (p.loc - q.loc).abs()
    return shift / q.scale + ratio * exp(-shift / p.scale) - ratio.log() - 1


@register_kl(Normal, Normal)
def _normal(p, q):
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p, q):
    return _normal(p.base_dist, q.base_dist)


@register_kl(Pareto, Pareto)
def _pareto(p, q):
    ratio = q.alpha / p.alpha
    result = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return where(p.scale < q.scale, math.inf, result)


@register_kl(Poisson, Poisson)
def _poisson(p, q):
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Uniform, Uniform)
def _uniform(p, q):
    result = ((q.high - q.low) / (p.high - p.low)).log()
    return where((q.low > p.low) | (q.high < p.high), math.inf, result)


@register_kl(Cauchy, Cauchy)
def _cauchy(p, q):
    """Chyzak and Nielsen, A closed-form formula for Cauchy distributions, 2019."""
    square = (p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)
    return square.log() - (4 * p.scale * q.scale).log()


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p, q):
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise _unknown(p, q)
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Independent, Independent)
def _independent(p, q):
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise _unknown(p, q)
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


def _gaussian(p, q):
    """Of normal vectors; the trace of q's inverse times p's covariance is taken by p's roots."""
    if p.event_shape != q.event_shape:
        raise ArgumentError(
            f"kl_divergence: expected one event_shape, got {tuple(p.event_shape)} and "
            f"{tuple(q.event_shape)}"
        )
    roots = p._roots().movedim(-1, 0)
    trace = sum(q._mahalanobis(root) for root in roots)
    distance = q._mahalanobis(q.loc - p.loc)
    return 0.5 * (q._log_det() - p._log_det() + trace + distance - p.event_shape[0])


for _p in (MultivariateNormal, LowRankMultivariateNormal):
    for _q in (MultivariateNormal, LowRankMultivariateNormal):
        register_kl(_p, _q)(_gaussian)


# Between families: -E[log q(x)] follows from means over p of x, x**2, log x and the like, given by
# MEANS; less the entropy of p it is the divergence. INFINITE are pairs in which p always reaches
# out of q's support.

CROSS_ENTROPY = {
    Beta: lambda m, q: (
        q._log_normalizer(q.concentration1, q.concentration0)
        - (q.concentration1 - 1) * m("log")
        - (q.concentration0 - 1) * m("log_rest")
    ),
    ContinuousBernoulli: lambda m, q: (
        -m("x") * q.logits - log1p(-q.probs) - q._cont_bern_log_norm()
    ),
    Exponential: lambda m, q: q.rate * m("x") - q.rate.log(),
    Gamma: lambda m, q: (
        q.concentration.lgamma()
        - q.concentration * q.rate.log()
        - (q.concentration - 1) * m("log")
        + q.rate * m("x")
    ),
    Gumbel: lambda m, q: (
        q.scale.log() + (m("x") - q.loc) / q.scale + exp(q.loc / q.scale) * m("exp", 1 / q.scale)
    ),
    Laplace: lambda m, q: (2 * q.scale).log() + m("away", q.loc) / q.scale,
    Normal: lambda m, q: (
        (q.scale * math.sqrt(2 * math.pi)).log()
        + 0.5 * (m("variance") + (m("x") - q.loc).pow(2)) / q.scale.pow(2)
    ),
    Pareto: lambda m, q: (
        (q.alpha + 1) * m("log") - q.alpha.log() - q.alpha * q.scale.log()
    ),
    Uniform: lambda m, q: (q.high - q.low).log(),
}  # fmt: skip


def _uniform_log(low, high):
    """The mean of log x over x from low to high."""
    return (xlogy(high, high) - xlogy(low, low)) / (high - low) - 1


def _distance(p, center):
    """The mean of |x - center| for normal x."""
    z = (p.loc - center) / p.scale
    peak = math.sqrt(2 / math.pi) * p.scale * exp(-0.5 * z.pow(2))
    return peak + (p.loc - center) * erf(math.sqrt(0.5) * z)


MEANS = {
    "x": {Distribution: lambda p: p.mean},
    "variance": {Distribution: lambda p: p.variance},
    "log": {
        Beta: lambda p: (
            p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
        ),
        Exponential: lambda p: -p.rate.log() - EULER,
        Gamma: lambda p: p.concentration.digamma() - p.rate.log(),
        Pareto: lambda p: p.scale.log() + p.alpha.reciprocal(),
        Uniform: lambda p: _uniform_log(p.low, p.high),
    },
    "log_rest": {Uniform: lambda p: _uniform_log(1 - p.high, 1 - p.low)},
    "exp": {  # the mean of exp(-t * x)
        Exponential: lambda p, t: p.rate / (p.rate + t),
        Gamma: lambda p, t: (1 + t / p.rate).pow(-p.concentration),
        Normal: lambda p, t: exp(0.5 * (p.scale * t).pow(2) - p.loc * t),
        Uniform: lambda p, t: (exp(-p.low * t) - exp(-p.high * t)) / (t * (p.high - p.low)),
    },
    "away": {Normal: _distance},
}


def _between(p, q):
    """The divergence by `CROSS_ENTROPY`, infinite where p reaches out of q's support."""

    def mean(name, *more):
        rules = MEANS[name]
        return next(rules[kind] for kind in type(p).mro() if kind in rules)(p, *more)

    result = next(CROSS_ENTROPY[kind] for kind in type(q).mro() if kind in CROSS_ENTROPY)(mean, q)
    result = result - p.entropy()
    (low, high), (least, most) = _ends(p), _ends(q)
    outside = (low < least) | (high > most)
    return result if outside is False else where(outside, math.inf, result)


def _ends(d):
    """The ends of a distribution's support."""
    support = d.support
    return getattr(support, "lower_bound", -math.inf), getattr(support, "upper_bound", math.inf)


def _infinite(p, q):
    first = next(iter(p.__dict__[name] for name in p.arg_constraints if name in p.__dict__), p.mean)
    return full_like(first, math.inf)


FINITE = {
    Beta: [ContinuousBernoulli, Exponential, Gamma, Normal, Uniform],
    ContinuousBernoulli: [Exponential, Normal, Uniform],
    Exponential: [Gamma, Gumbel, Normal],
    Gamma: [Exponential, Gumbel, Normal],
    Gumbel: [Normal],
    Laplace: [Normal],
    Normal: [Gumbel, Laplace],
    Pareto: [Exponential, Gamma, Normal],
    Uniform: [Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Normal, Pareto],
}

INFINITE = {
    Beta: [Pareto],
    ContinuousBernoulli: [Pareto],
    Exponential: [Beta, ContinuousBernoulli, Pareto, Uniform],
    Gamma: [Beta, ContinuousBernoulli, Pareto, Uniform],
    Gumbel: [Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform],
    Laplace: [Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform],
    Normal: [Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform],
    Pareto: [Beta, ContinuousBernoulli, Uniform],
    Poisson: [Bernoulli, Binomial],
}

for _function, _pairs in ((_between, FINITE), (_infinite, INFINITE)):
    for _p, _others in _pairs.items():
        for _q in _others:
            register_kl(_p, _q)(_function)
