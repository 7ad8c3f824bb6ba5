"""`tallow.special`: special functions, those of the main namespace included."""

from math import nan

import tallow.ops.bessel as bessel
import tallow.ops.gamma as gamma
import tallow.ops.special as ops
from tallow.activations import log_softmax, softmax
from tallow.creation import ones_like
from tallow.elementwise import REAL, check_kinds, named, of_reals, real
from tallow.left_out import missing
from tallow.logic import isfinite
from tallow.math import (
    abs,
    acos,
    cos,
    digamma,
    erf,
    erfc,
    erfinv,
    exp2,
    expm1,
    i0,
    igamma,
    igammac,
    lgamma,
    log1p,
    logit,
    mvlgamma,
    polygamma,
    remainder,
    round,
    sigmoid,
    sin,
    sinc,
    trunc,
    where,
    xlogy,
)
from tallow.promotion import floating_tensors, give
from tallow.reductions import logsumexp

__all__ = [
    "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "chebyshev_polynomial_t",
    "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w", "digamma", "entr",
    "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammainc", "gammaincc", "gammaln",
    "hermite_polynomial_h", "hermite_polynomial_he", "i0", "i0e", "i1", "i1e",
    "laguerre_polynomial_l", "legendre_polynomial_p", "log1p", "log_ndtr", "log_softmax", "logit",
    "logsumexp", "modified_bessel_i0", "modified_bessel_i1", "modified_bessel_k0",
    "modified_bessel_k1", "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "round",
    "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w", "sinc", "softmax", "spherical_bessel_j0", "xlog1py", "xlogy",
    "zeta",
]  # fmt: skip


expit, gammaln, psi, multigammaln = sigmoid, lgamma, digamma, mvlgamma
gammainc, gammaincc = igamma, igammac

# Probabilities

entr = real(ops.entropy, "-input * log(input), 0 at 0 and -inf below.", name="entr")
erfcx = real(ops.erfcx, "exp(input**2) * erfc(input), without overflow to the right.")
ndtr = real(ops.ndtr, "The normal distribution function.")
log_ndtr = real(ops.log_ndtr, "log(ndtr(input)), accurate in both tails.")
ndtri = real(ops.ndtri, "The inverse of ndtr; NaN outside [0, 1].")
xlog1py = of_reals(ops.xlog1py, "input * log(1 + other), and 0 where input is 0.")
zeta = of_reals(
    gamma.zeta, "Hurwitz's zeta function, the sum of (other + k)**-input over k from 0."
)

# Bessel functions, of orders 0 and 1

bessel_j0 = real(bessel.j0, "J0, of the first kind.", name="bessel_j0")
bessel_j1 = real(bessel.j1, "J1, of the first kind.", name="bessel_j1")
bessel_y0 = real(bessel.y0, "Y0, of the second kind; NaN below 0.", name="bessel_y0")
bessel_y1 = real(bessel.y1, "Y1, of the second kind; NaN below 0.", name="bessel_y1")
i0e = real(bessel.i0e, "exp(-|input|) * I0(input), modified of the first kind.")
i1 = real(bessel.i1, "I1, modified of the first kind.")
i1e = real(bessel.i1e, "exp(-|input|) * I1(input), modified of the first kind.")
modified_bessel_i0 = real(bessel.i0, "I0, modified of the first kind.", name="modified_bessel_i0")
modified_bessel_i1 = real(bessel.i1, "I1, modified of the first kind.", name="modified_bessel_i1")
modified_bessel_k0 = real(bessel.k0, "K0, modified of the second kind.", name="modified_bessel_k0")
modified_bessel_k1 = real(bessel.k1, "K1, modified of the second kind.", name="modified_bessel_k1")
scaled_modified_bessel_k0 = real(
    bessel.k0e, "exp(input) * K0(input), of the second kind.", name="scaled_modified_bessel_k0"
)
scaled_modified_bessel_k1 = real(
    bessel.k1e, "exp(input) * K1(input), of the second kind.", name="scaled_modified_bessel_k1"
)
spherical_bessel_j0 = real(bessel.spherical_j0, "sin(input) / input.", name="spherical_bessel_j0")

# Orthogonal polynomials, by the recurrence in their degree: Abramowitz and Stegun, Handbook of
# Mathematical Functions, 22.7


FAR = 1000  # a degree up to which the recurrence is quick


def _polynomial(name, doc, first, following, far=None):
    """A family with p_0 = 1, p_1 = first(x), p_(k+1) = following(k, x, p_k, p_(k-1)).

    `far(x, n)` is p_n for large n, or NaN where only the recurrence has it, until it overflows.
    """

    def function(input, n, *, out=None):
        check_kinds(name, REAL, input, n)
        x, degree = floating_tensors(name, input, n)
        degree = where(isfinite(degree), trunc(degree), -1)
        before, last = ones_like(x), first(x)
        result = where(degree < 0, 0.0, where(degree == 0, before, where(degree == 1, last, 0.0)))
        if far is not None:
            found = far(x, degree)
            known = (degree > FAR) & (found == found)
            result, degree = where(known, found, result), where(known, 0, degree)
        largest = int(degree.max().item()) if degree.numel() else 0
        for k in range(1, largest):
            before, last = last, following(k, x, last, before)
            result = where(degree == k + 1, last, result)
            if k % FAR == 0 and not ((degree > k) & isfinite(last)).any():
                result = where(degree > k + 1, nan, result)  # all that is left has overflowed
                break
        return give(result, out, name)

    return named(function, name, f"{doc} of degree n at input; 0 for n below 0.")


def _chebyshev(kind, first, shifted):
    name = f"chebyshev_polynomial_{kind}"
    if not shifted:
        doc = f"Chebyshev's polynomial {kind.upper()}"
        return _polynomial(name, doc, first, lambda k, x, p, q: 2 * x * p - q, ANGLES[kind])
    doc = f"Chebyshev's polynomial {kind.upper()}(2 * input - 1)"
    return _polynomial(
        f"shifted_{name}", doc,
        lambda x: first(2 * x - 1), lambda k, x, p, q: 2 * (2 * x - 1) * p - q,
        lambda x, n: ANGLES[kind](2 * x - 1, n),
    )  # fmt: skip


def _at_ends(inside, right, left):
    """p_n(x) by the angle acos(x), at 1 and -1 by what it is there; NaN outside."""

    def far(x, n):
        sign = where(remainder(n, 2) == 0, 1, -1)
        within = where(abs(x) < 1, inside(acos(where(abs(x) < 1, x, 0)), n), nan)
        return where(x == 1, right(n), where(x == -1, sign * left(n), within))

    return far


# Abramowitz and Stegun, 22.3.15 to 22.3.18
ANGLES = {
    "t": _at_ends(lambda a, n: cos(n * a), ones_like, ones_like),
    "u": _at_ends(lambda a, n: sin((n + 1) * a) / sin(a), lambda n: n + 1, lambda n: n + 1),
    "v": _at_ends(lambda a, n: cos((n + 0.5) * a) / cos(a / 2), ones_like, lambda n: 2 * n + 1),
    "w": _at_ends(lambda a, n: sin((n + 0.5) * a) / sin(a / 2), lambda n: 2 * n + 1, ones_like),
}


FIRST = {
    "t": lambda x: x, "u": lambda x: 2 * x, "v": lambda x: 2 * x - 1, "w": lambda x: 2 * x + 1,
}  # fmt: skip
(
    chebyshev_polynomial_t,
    chebyshev_polynomial_u,
    chebyshev_polynomial_v,
    chebyshev_polynomial_w,
    shifted_chebyshev_polynomial_t,
    shifted_chebyshev_polynomial_u,
    shifted_chebyshev_polynomial_v,
    shifted_chebyshev_polynomial_w,
) = (_chebyshev(kind, first, shifted) for shifted in (False, True) for kind, first in FIRST.items())
# fmt: skip

hermite_polynomial_h = _polynomial(
    "hermite_polynomial_h", "The physicists' Hermite polynomial",
    lambda x: 2 * x, lambda k, x, p, q: 2 * x * p - 2 * k * q,
)  # fmt: skip
hermite_polynomial_he = _polynomial(
    "hermite_polynomial_he", "The probabilists' Hermite polynomial",
    lambda x: x, lambda k, x, p, q: x * p - k * q,
)  # fmt: skip
laguerre_polynomial_l = _polynomial(
    "laguerre_polynomial_l", "Laguerre's polynomial",
    lambda x: 1 - x, lambda k, x, p, q: ((2 * k + 1 - x) * p - k * q) / (k + 1),
)  # fmt: skip
legendre_polynomial_p = _polynomial(
    "legendre_polynomial_p", "Legendre's polynomial",
    lambda x: x, lambda k, x, p, q: ((2 * k + 1) * x * p - k * q) / (k + 1),
)  # fmt: skip


def __getattr__(name):
    raise missing("tallow.special", name)
