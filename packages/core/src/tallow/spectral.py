"""Short-time Fourier transforms, and the window functions of torch's namespace."""

import tallow.ops.strided as ops
from tallow import backend, dtypes, fft
from tallow.autograd.builtin import expand
from tallow.elementwise import named
from tallow.errors import DtypeError, NotSupportedError, ShapeError, describe
from tallow.layout import dense
from tallow.math import div, mul
from tallow.ops.complex import view_as_real
from tallow.ops.index import take
from tallow.ops.shape import cut, pad, reshape, swap
from tallow.signal.windows import BLACKMAN, HANN, bessel, cosines, sampled, triangle
from tallow.tensor import wrap

__all__ = [
    "bartlett_window", "blackman_window", "hamming_window", "hann_window", "istft", "kaiser_window",
    "stft",
]  # fmt: skip

# How torch's padding modes are called in NumPy's `pad`.
PAD_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _frame_sizes(name, n_fft, hop_length, win_length, window):
    """The hop and the window length, checked."""
    hop = n_fft // 4 if hop_length is None else hop_length
    width = n_fft if win_length is None else win_length
    if hop <= 0:
        raise ShapeError(f"{name}: expected a positive hop_length, got {hop}")
    if not 0 < width <= n_fft:
        raise ShapeError(f"{name}: expected 0 < win_length <= n_fft {n_fft}, got {width}")
    if window is not None and window.array.shape != (width,):
        raise ShapeError(f"{name}: expected a window of {width} samples, got {describe(window)}")
    return hop, width


def _centred(window, width, n_fft, like):
    """The window (ones for None) with zeros around it, to n_fft samples."""
    if window is None:
        window = wrap(backend.for_array(like).xp.ones(width, like.real.dtype))
    before = (n_fft - width) // 2
    return pad(window, widths=((before, n_fft - width - before),), value=0)


def _padded(x, width, mode):
    """x (B, L) with `width` samples on both sides."""
    widths = ((0, 0), (width, width))
    if mode == "constant":
        return pad(x, widths=widths, value=0)
    if mode not in PAD_MODES:
        known = ", ".join(("constant", *PAD_MODES))
        raise NotSupportedError(f"stft: expected pad_mode to be one of {known}, got {mode!r}")
    length = x.array.shape[1]
    if (mode == "reflect" and width >= length) or (mode == "circular" and width > length):
        raise ShapeError(
            f"stft: expected over {width} samples to pad with in mode {mode!r}, got {describe(x)}"
        )
    xp = backend.for_array(x.array).xp
    source = xp.pad(xp.arange(length), widths[1], mode=PAD_MODES[mode])
    return take(x, key=(slice(None), source))


@backend.there
def stft(
    input, n_fft, hop_length=None, win_length=None, window=None, center=True, pad_mode="reflect",
    normalized=False, onesided=None, return_complex=None, align_to_window=None,
):  # fmt: skip
    """Fourier transforms of overlapping frames of n_fft samples, `hop_length` (n_fft / 4) apart.

    (L,) or (B, L) -> (freq, frames) or (B, freq, frames), freq = n_fft // 2 + 1 where `onesided`
    (for real input), else n_fft. With `center` frame t is centred on sample t * hop_length of the
    signal (padded by `pad_mode`), else it begins there. A window shorter than n_fft is put in the
    middle of the frame. `normalized` divides by sqrt(n_fft). `return_complex` must be given for
    real input; False gives real and imaginary parts in a last dim.

    >>> tallow.stft(tallow.ones(16), 8, window=tallow.hann_window(8), return_complex=True).shape
    tallow.Size([5, 9])
    """
    is_complex = input.dtype.is_complex or (window is not None and window.dtype.is_complex)
    if input.dtype.category < dtypes.FLOATING:
        raise DtypeError(f"stft: expected a floating or complex signal, got {describe(input)}")
    if input.array.ndim not in (1, 2):
        raise ShapeError(f"stft: expected a signal (L,) or (B, L), got {describe(input)}")
    if return_complex is None and not is_complex:
        raise DtypeError(
            "stft: expected return_complex for a real signal; pass return_complex=True"
        )
    if is_complex and onesided:
        raise DtypeError("stft: expected onesided=False for a complex signal or window, got True")
    x = reshape(input, shape=(1, -1)) if input.array.ndim == 1 else input
    hop, width = _frame_sizes("stft", n_fft, hop_length, win_length, window)
    if center and align_to_window:
        raise ShapeError("stft: expected align_to_window only with center=False")
    x = _padded(x, n_fft // 2, pad_mode) if center else x
    x = _padded(x, (n_fft - width) // 2, pad_mode) if align_to_window else x
    if not 0 < n_fft <= x.array.shape[1]:
        raise ShapeError(f"stft: expected 0 < n_fft <= {x.array.shape[1]} samples, got {n_fft}")
    x = ops.frames(x, axis=1, size=n_fft, step=hop)  # (B, frames, n_fft)
    if window is not None or width < n_fft:
        x = mul(x, _centred(window, width, n_fft, x.array))
    transform = fft.fft if is_complex or onesided is False else fft.rfft
    result = swap(transform(x, norm=_norm(normalized)), axis1=1, axis2=2)  # (B, freq, frames)
    result = reshape(result, shape=result.array.shape[1:]) if input.array.ndim == 1 else result
    return view_as_real(result) if return_complex is False else result


def _norm(normalized):
    return "ortho" if normalized else "backward"


@backend.there
def istft(
    input, n_fft, hop_length=None, win_length=None, window=None, center=True, normalized=False,
    onesided=None, length=None, return_complex=False,
):  # fmt: skip
    """The signal of which `stft` gives the input: windowed frames, added and weighted.

    (freq, frames) or (B, freq, frames) -> (L,) or (B, L). `length` cuts or pads the result with
    zeros. A sample that all windows give 0 is an error. Griffin and Lim, "Signal estimation from
    modified short-time Fourier transform", IEEE Trans. ASSP 32 (1984).
    """
    if not input.dtype.is_complex:
        raise DtypeError(f"istft: expected a complex spectrum, got {describe(input)}")
    if not input.array.size or input.array.ndim not in (2, 3):
        raise ShapeError(
            f"istft: expected (freq, frames) or (B, freq, frames), got {describe(input)}"
        )
    hop, width = _frame_sizes("istft", n_fft, hop_length, win_length, window)
    if hop > width:
        raise ShapeError(f"istft: expected hop_length <= win_length {width}, got {hop}")
    x = reshape(input, shape=(-1, *input.array.shape[-2:]))
    bins = x.array.shape[1]
    onesided = bins != n_fft if onesided is None else onesided
    if bins != (n_fft // 2 + 1 if onesided else n_fft):
        raise ShapeError(f"istft: expected the frequencies of n_fft {n_fft}, got {describe(input)}")
    if return_complex and onesided:
        raise DtypeError("istft: expected onesided=False for a complex signal, got True")
    if not return_complex and window is not None and window.dtype.is_complex:
        raise DtypeError("istft: expected return_complex=True with a complex window, got False")
    window = _centred(window, width, n_fft, input.array)
    x = swap(x, axis1=1, axis2=2)  # (B, frames, freq)
    x = (
        fft.ifft(x, norm=_norm(normalized))
        if return_complex
        else fft.irfft(x, n_fft, norm=_norm(normalized))
    )
    result = _overlapped(mul(x, window), window, hop, n_fft // 2 if center else 0, length)
    return reshape(result, shape=result.array.shape[1:]) if input.array.ndim == 2 else result


def _overlapped(x, window, hop, start, length):
    """Windowed frames (B, frames, n_fft) added up from `start`, over the sum of squared windows."""
    count, n_fft = x.array.shape[1:]
    total = n_fft + hop * (count - 1)
    weights = expand(mul(window, window), shape=(1, count, n_fft))
    signal = ops.overlap_add(x, axis=1, length=total, step=hop)
    weights = ops.overlap_add(weights, axis=1, length=total, step=hop)
    stop = total - start if length is None else min(start + length, total)
    signal, weights = (cut(v, axis=1, start=start, stop=stop) for v in (signal, weights))
    if not (abs(weights.array) > 1e-11).all():
        raise ShapeError(
            "istft: expected windows that overlap so that none of their sums is 0, got a sum of 0; "
            "use center=True, or a smaller hop_length"
        )
    signal = div(signal, weights)
    missing = 0 if length is None else length - (stop - start)
    return pad(signal, widths=((0, 0), (0, missing)), value=0) if missing else signal


# Windows


def _window(name, formula, length, periodic, dtype, device, requires_grad):
    if length < 0:
        raise ShapeError(f"{name}: expected a non-negative number of samples, got {length}")
    if dtype is not None and not dtype.is_floating_point:
        raise DtypeError(f"{name}: expected a floating dtype, got {dtype}")
    return sampled(formula, length, not periodic, dtype, device, requires_grad)


def _of_formula(name, formula, doc):
    def window(
        window_length, periodic=True,
        *, dtype=None, layout=None, device=None, requires_grad=False,
    ):  # fmt: skip
        return _window(name, formula, window_length, periodic, dtype, device, requires_grad)

    return dense(named(window, name, doc))


hann_window = _of_formula(
    "hann_window", cosines(HANN),
    "The Hann window, 1/2 - 1/2 cos(2 pi n / N); N is the length, less 1 where not periodic.",
)  # fmt: skip
blackman_window = _of_formula(
    "blackman_window", cosines(BLACKMAN),
    "The Blackman window, 0.42 - 0.5 cos(2 pi n / N) + 0.08 cos(4 pi n / N).",
)  # fmt: skip
bartlett_window = _of_formula(
    "bartlett_window", triangle, "The triangular window, 1 - |2 n / N - 1|."
)


@dense
def hamming_window(
    window_length, periodic=True, alpha=0.54, beta=0.46,
    *, dtype=None, layout=None, device=None, requires_grad=False,
):  # fmt: skip
    """The Hamming window, alpha - beta cos(2 pi n / N)."""
    formula = cosines((alpha, beta))
    return _window("hamming_window", formula, window_length, periodic, dtype, device, requires_grad)


@dense
def kaiser_window(
    window_length, periodic=True, beta=12.0,
    *, dtype=None, layout=None, device=None, requires_grad=False,
):  # fmt: skip
    """The Kaiser window, I0(beta sqrt(1 - (2 n / N - 1)**2)) / I0(beta)."""
    formula = bessel(beta)
    return _window("kaiser_window", formula, window_length, periodic, dtype, device, requires_grad)
