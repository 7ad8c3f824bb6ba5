"""Beamforming; see `functional.mvdr_weights_souden`. Spectra are (..., channel, freq, time)."""

import warnings

import tallow
from tallow import nn
from tallow.errors import ArgumentError, describe
from tallowaudio import functional as F


class PSD(nn.Module):
    """The covariances of channels, (..., freq, channel, channel); see `functional.psd`.

    With `multi_mask` there is a mask for each channel, (..., channel, freq, time): their mean is
    taken.
    """

    def __init__(self, multi_mask=False, normalize=True, eps=1e-15):
        super().__init__()
        self.multi_mask = multi_mask
        self.normalize = normalize
        self.eps = eps

    def forward(self, specgram, mask=None):
        if mask is not None and self.multi_mask:
            mask = mask.mean(-3)
        return F.psd(specgram, mask, self.normalize, self.eps)


class SoudenMVDR(nn.Module):
    """A spectrum (..., freq, time) from channels and the covariances of speech and noise."""

    def forward(
        self, specgram, psd_s, psd_n, reference_channel, diagonal_loading=True, diag_eps=1e-7,
        eps=1e-8,
    ):  # fmt: skip
        weights = F.mvdr_weights_souden(
            psd_s, psd_n, reference_channel, diagonal_loading, diag_eps, eps
        )
        return F.apply_beamforming(weights, specgram)


class RTFMVDR(nn.Module):
    """A spectrum (..., freq, time) from channels, the transfer function and the noise."""

    def forward(
        self, specgram, rtf, psd_n, reference_channel, diagonal_loading=True, diag_eps=1e-7,
        eps=1e-8,
    ):  # fmt: skip
        weights = F.mvdr_weights_rtf(rtf, psd_n, reference_channel, diagonal_loading, diag_eps, eps)
        return F.apply_beamforming(weights, specgram)


class MVDR(nn.Module):
    """A spectrum (..., freq, time) from channels and masks (..., freq, time) of speech and noise.

    `solution` is ref_channel (Souden), or stv_evd or stv_power, which say how the transfer function
    is found. With `online`, the covariances of all calls so far count. It computes in float64.
    """

    def __init__(
        self, ref_channel=0, solution="ref_channel", multi_mask=False, diag_loading=True,
        diag_eps=1e-7, online=False,
    ):  # fmt: skip
        super().__init__()
        known = ("ref_channel", "stv_evd", "stv_power")
        if solution not in known:
            raise ArgumentError(f"MVDR: expected solution {', '.join(known)}, got {solution!r}")
        self.ref_channel = ref_channel
        self.solution = solution
        self.multi_mask = multi_mask
        self.diag_loading = diag_loading
        self.diag_eps = diag_eps
        self.online = online
        self.psd = PSD(multi_mask)
        for name in ("psd_s", "psd_n", "mask_sum_s", "mask_sum_n"):
            self.register_buffer(name, tallow.zeros(1))

    def forward(self, specgram, mask_s, mask_n=None):
        if specgram.ndim < 3 or not specgram.is_complex():
            raise ArgumentError(
                f"MVDR: expected a complex spectrum (..., channel, freq, time), got "
                f"{describe(specgram)}"
            )
        if mask_n is None:
            warnings.warn("MVDR: expected mask_n, got none; 1 - mask_s is taken", stacklevel=2)
            mask_n = 1 - mask_s
        wide = specgram.to(tallow.complex128)
        psd_s, psd_n = (self.psd(wide, mask) for mask in (mask_s, mask_n))
        if self.online:
            psd_s = self._so_far("s", psd_s, mask_s)
            psd_n = self._so_far("n", psd_n, mask_n)
        reference = tallow.zeros(
            specgram.shape[:-2], dtype=tallow.complex128, device=specgram.device
        )
        reference[..., self.ref_channel] = 1
        weights = self._weights(psd_s, psd_n, reference)
        return F.apply_beamforming(weights, wide).to(specgram.dtype)

    def _weights(self, psd_s, psd_n, reference):
        loading = {"diagonal_loading": self.diag_loading, "diag_eps": self.diag_eps}
        if self.solution == "ref_channel":
            return F.mvdr_weights_souden(psd_s, psd_n, reference, **loading)
        if self.solution == "stv_evd":
            rtf = F.rtf_evd(psd_s)
        else:
            rtf = F.rtf_power(psd_s, psd_n, reference, **loading)
        return F.mvdr_weights_rtf(rtf, psd_n, reference, **loading)

    def _so_far(self, which, psd, mask):
        """The covariance of all calls, weighted by the sums of their masks."""
        mask = mask.mean(-3) if self.multi_mask else mask
        total, before = mask.sum(-1), getattr(self, f"mask_sum_{which}")
        known = getattr(self, f"psd_{which}")
        if known.ndim > 1:
            total = before + total
            psd = known * (before / total)[..., None, None] + psd * (1 / total)[..., None, None]
        setattr(self, f"psd_{which}", psd)
        setattr(self, f"mask_sum_{which}", total)
        return psd
