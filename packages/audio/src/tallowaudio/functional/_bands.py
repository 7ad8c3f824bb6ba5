"""Filter banks for the Bark scale and for the twelve notes of the octave."""

import math
import warnings

import tallow
from tallow.errors import ArgumentError
from tallowaudio.functional._mel import _triangles

# Barks of a frequency in Hz as width * arsinh(f / corner): Wang et al. (1992), Schroeder (1977).
_ARSINH = {"wang": (6.0, 600.0), "schroeder": (7.0, 650.0)}


def _bark_of_hz(hz, scale):
    if scale in _ARSINH:
        width, corner = _ARSINH[scale]
        return width * math.asinh(hz / corner)
    barks = 26.81 * hz / (1960.0 + hz) - 0.53
    return barks + 0.15 * max(2 - barks, 0) + 0.22 * max(barks - 20.1, 0)


def _hz_of_bark(barks, scale):
    if scale in _ARSINH:
        width, corner = _ARSINH[scale]
        return corner * (barks / width).sinh()
    barks = tallow.where(barks < 2, (barks - 0.3) / 0.85, barks)
    barks = tallow.where(barks > 20.1, (barks + 4.422) / 1.22, barks)
    return 1960 * (barks + 0.53) / (26.28 - barks)


def barkscale_fbanks(n_freqs, f_min, f_max, n_barks, sample_rate, bark_scale="traunmuller"):
    """Triangular filters (n_freqs, n_barks) whose centres are equally far apart in barks.

    They lie between `f_min` and `f_max` in Hz. The scale is Traunmüller's (1990), wang or
    schroeder. Warns of filters that no frequency falls into.

    >>> from tallowaudio import functional as F
    >>> F.barkscale_fbanks(201, 0.0, 8000.0, 24, 16000).shape
    tallow.Size([201, 24])
    """
    if bark_scale not in ("traunmuller", *_ARSINH):
        raise ArgumentError(
            f"barkscale_fbanks: expected traunmuller, schroeder or wang, got {bark_scale!r}"
        )
    low, high = (_bark_of_hz(hz, bark_scale) for hz in (f_min, f_max))
    points = _hz_of_bark(tallow.linspace(low, high, n_barks + 2), bark_scale)
    bank = _triangles(tallow.linspace(0, sample_rate // 2, n_freqs), points)
    empty = int((bank.amax(0) == 0).sum())
    if empty:
        warnings.warn(
            f"barkscale_fbanks: {empty} of {n_barks} filters are empty; use fewer, or more than "
            f"{n_freqs} frequencies",
            stacklevel=2,
        )
    return bank


def chroma_filterbank(
    sample_rate, n_freqs, n_chroma, *, tuning=0.0, ctroct=5.0, octwidth=2.0, norm=2, base_c=True
):
    """Filters (n_freqs, n_chroma) that gather a spectrum by note, whatever the octave.

    `tuning` is how far from A440 the pitch is, in parts of a note. Octaves count by a normal
    distribution around `ctroct` (5: 880 Hz), `octwidth` wide, or alike if that is None. Each
    frequency has norm 1, of order `norm`, before. With `base_c` the first note is C, else A. After
    Ellis, "Chroma feature analysis and synthesis" (2007).

    >>> from tallowaudio import functional as F
    >>> F.chroma_filterbank(16000, 201, 12).shape
    tallow.Size([201, 12])
    """
    a0 = 440.0 / 16 * 2.0 ** (tuning / n_chroma)
    frequencies = tallow.linspace(0, sample_rate // 2, n_freqs)[1:]
    notes = n_chroma * (frequencies / a0).log2()
    notes = tallow.cat([notes[:1] - 1.5 * n_chroma, notes])
    widths = tallow.nn.functional.pad((notes[1:] - notes[:-1]).clamp(min=1.0), (0, 1), value=1.0)
    half = round(n_chroma / 2)
    apart = notes[:, None] - tallow.arange(n_chroma)
    apart = (apart + half).remainder(n_chroma) - half
    bank = (-0.5 * (2 * apart / widths[:, None]) ** 2).exp()
    bank = tallow.nn.functional.normalize(bank, p=norm, dim=1)
    if octwidth is not None:
        bank = bank * (-0.5 * ((notes[:, None] / n_chroma - ctroct) / octwidth) ** 2).exp()
    return bank.roll(-3 * (n_chroma // 12), 1) if base_c else bank
