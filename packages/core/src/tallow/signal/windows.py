"""Window functions of M samples, float32 unless told.

A symmetric window (`sym`) has equal ends; otherwise it is one period of a periodic signal, as
spectral analysis wants it: M samples of the symmetric window of M + 1. In the formulas n goes from
0 to M - 1, and N is M - 1 for a symmetric window, else M.
"""

import numpy as np

from tallow import dtypes
from tallow.creation import place
from tallow.elementwise import named
from tallow.errors import ArgumentError, TypeMismatchError
from tallow.layout import check

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine",
    "general_hamming", "hamming", "hann", "kaiser", "nuttall",
]  # fmt: skip


def sampled(formula, M, sym, dtype, device, requires_grad):
    """The window whose values are `formula(n, N)`; a window of one sample is 1."""
    values = formula(np.arange(M), M - 1 if sym else M) if M > 1 else np.ones(M)
    dtype = dtype or dtypes.get_default_dtype()
    return place(values.astype(dtype.numpy), device, requires_grad)


def _window(name, formula, M, sym, dtype, layout, device, requires_grad):
    check(name, layout)
    if M < 0:
        raise ArgumentError(f"{name}: expected a non-negative number of samples, got {M}")
    if dtype not in (None, dtypes.float32, dtypes.float64):
        raise ArgumentError(f"{name}: expected float32 or float64, got {dtype}")
    return sampled(formula, M, sym, dtype, device, requires_grad)


def cosines(a):
    """The formula of a sum of cosines with alternating signs."""

    def formula(n, N):
        return sum((-1) ** i * w * np.cos(2 * np.pi * i * n / N) for i, w in enumerate(a))

    return formula


def triangle(n, N):
    return 1 - abs(2 * n / N - 1)


def bessel(beta):
    """The formula of the Kaiser window."""

    def formula(n, N):
        return np.i0(beta * np.sqrt(1 - (2 * n / N - 1) ** 2)) / np.i0(beta)

    return formula


HANN, BLACKMAN = (0.5, 0.5), (0.42, 0.5, 0.08)
NUTTALL = (0.3635819, 0.4891775, 0.1365995, 0.0106411)


def general_cosine(M, *, a, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """a[0] - a[1] cos(2 pi n / N) + a[2] cos(4 pi n / N) - ..."""
    if not isinstance(a, tuple | list):
        raise TypeMismatchError(f"general_cosine: expected a list of coefficients, got {a!r}")
    if not a:
        raise ArgumentError("general_cosine: expected at least one coefficient, got none")
    return _window("general_cosine", cosines(a), M, sym, dtype, layout, device, requires_grad)


def general_hamming(
    M, *, alpha=0.54, sym=True, dtype=None, layout=None, device=None, requires_grad=False
):
    """alpha - (1 - alpha) cos(2 pi n / N)."""
    formula = cosines((alpha, 1 - alpha))
    return _window("general_hamming", formula, M, sym, dtype, layout, device, requires_grad)


def _of_cosines(name, a):
    def window(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
        return _window(name, cosines(a), M, sym, dtype, layout, device, requires_grad)

    return named(window, name, f"The sum of cosines `general_cosine` with coefficients {a}.")


hann = _of_cosines("hann", HANN)
hamming = _of_cosines("hamming", (0.54, 0.46))
blackman = _of_cosines("blackman", BLACKMAN)
nuttall = _of_cosines("nuttall", NUTTALL)


def bartlett(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """A triangle: 1 - |2 n / N - 1|."""
    return _window("bartlett", triangle, M, sym, dtype, layout, device, requires_grad)


def cosine(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """sin(pi (n + 1/2) / (N + 1))."""

    def formula(n, N):
        return np.sin(np.pi * (n + 0.5) / (N + 1))

    return _window("cosine", formula, M, sym, dtype, layout, device, requires_grad)


def exponential(
    M, *, center=None, tau=1.0, sym=True, dtype=None, layout=None, device=None, requires_grad=False
):
    """exp(-|n - center| / tau); the center is N / 2 unless told."""
    if tau <= 0:
        raise ArgumentError(f"exponential: expected a positive tau, got {tau}")
    if sym and center is not None:
        raise ArgumentError(f"exponential: expected no center where sym, got {center}")

    def formula(n, N):
        return np.exp(-abs(n - (N / 2 if center is None else center)) / tau)

    return _window("exponential", formula, M, sym, dtype, layout, device, requires_grad)


def gaussian(M, *, std=1.0, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """exp(-((n - N / 2) / std)**2 / 2)."""
    if std <= 0:
        raise ArgumentError(f"gaussian: expected a positive std, got {std}")

    def formula(n, N):
        return np.exp(-(((n - N / 2) / std) ** 2) / 2)

    return _window("gaussian", formula, M, sym, dtype, layout, device, requires_grad)


def kaiser(M, *, beta=12.0, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """I0(beta sqrt(1 - (2 n / N - 1)**2)) / I0(beta), I0 the modified Bessel function."""
    if beta < 0:
        raise ArgumentError(f"kaiser: expected a non-negative beta, got {beta}")
    return _window("kaiser", bessel(beta), M, sym, dtype, layout, device, requires_grad)
