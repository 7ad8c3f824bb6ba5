"""Beamforming: one signal out of several microphones', complex spectra (..., channel, freq, time).

Minimum variance distortionless response: Souden, Benesty and Affes, "On optimal frequency-domain
multichannel linear filtering for noise reduction" (2010). Covariances of speech (psd_s) and noise
(psd_n) are (..., freq, channel, channel), relative transfer functions (rtf) (..., freq, channel).
"""

import tallow
from tallow.errors import ArgumentError, TypeMismatchError, describe


def psd(specgram, mask=None, normalize=True, eps=1e-10):
    """The covariances of channels: (..., channel, freq, time) -> (..., freq, channel, channel).

    A mask (..., freq, time) weighs the frames, by its share of their sum if `normalize`.
    """
    specgram = specgram.transpose(-3, -2)  # (..., freq, channel, time)
    if mask is None:
        return specgram @ specgram.mH
    if mask.shape[:-1] != specgram.shape[:-2] or mask.shape[-1] != specgram.shape[-1]:
        raise ArgumentError(
            f"psd: expected a mask (..., freq, time) for (..., freq, channel, time) "
            f"{describe(specgram)}, got {describe(mask)}"
        )
    if normalize:
        mask = mask / (mask.sum(-1, keepdim=True) + eps)
    return (specgram * mask[..., None, :]) @ specgram.mH


def _trace(matrices):
    return matrices.diagonal(dim1=-1, dim2=-2).sum(-1)


def _loaded(matrices, amount, eps=1e-8):
    """The matrices with a little more on the diagonal, so that they can be inverted."""
    count = matrices.shape[-1]
    more = _trace(matrices).real[..., None, None] * amount + eps
    return matrices + more * tallow.eye(count, dtype=matrices.dtype, device=matrices.device)


def _check_covariances(name, *matrices):
    if not all(x.is_complex() for x in matrices):
        raise TypeMismatchError(
            f"{name}: expected complex covariances, got {' and '.join(map(describe, matrices))}"
        )
    shapes = {x.shape for x in matrices}
    shape = matrices[0].shape
    if len(shapes) > 1 or len(shape) < 3 or shape[-1] != shape[-2]:
        raise ArgumentError(
            f"{name}: expected covariances (..., freq, channel, channel), got "
            f"{' and '.join(map(describe, matrices))}"
        )


def _at_reference(name, x, channel, axes=1):
    """The last axis of x at a channel, or weighted by a vector (..., channel).

    x has `axes` axes between the vector's leading ones and the last.
    """
    if isinstance(channel, int):
        return x[..., channel]
    if not isinstance(channel, tallow.Tensor):
        raise TypeMismatchError(
            f"{name}: expected reference_channel as an int or a tensor, got {describe(channel)}"
        )
    between = (None,) * axes
    return (x * channel.to(x.dtype)[(..., *between, slice(None))]).sum(-1)


def mvdr_weights_souden(
    psd_s, psd_n, reference_channel, diagonal_loading=True, diag_eps=1e-7, eps=1e-8
):
    """The beamformer's weights (..., freq, channel) from the covariances of speech and noise.

    The reference is a channel's number, or a vector (..., channel) of weights.
    """
    _check_covariances("mvdr_weights_souden", psd_s, psd_n)
    if diagonal_loading:
        psd_n = _loaded(psd_n, diag_eps)
    ratio = tallow.linalg.solve(psd_n, psd_s)
    weights = ratio / (_trace(ratio)[..., None, None] + eps)
    return _at_reference("mvdr_weights_souden", weights, reference_channel, axes=2)


def mvdr_weights_rtf(
    rtf, psd_n, reference_channel=None, diagonal_loading=True, diag_eps=1e-7, eps=1e-8
):
    """The beamformer's weights (..., freq, channel) from the transfer function and the noise."""
    _check_covariances("mvdr_weights_rtf", psd_n)
    if not rtf.is_complex() or rtf.shape != psd_n.shape[:-1]:
        error = ArgumentError if rtf.is_complex() else TypeMismatchError
        raise error(
            f"mvdr_weights_rtf: expected a complex rtf {tuple(psd_n.shape[:-1])}, got "
            f"{describe(rtf)}"
        )
    if diagonal_loading:
        psd_n = _loaded(psd_n, diag_eps)
    through = tallow.linalg.solve(psd_n, rtf[..., None])[..., 0]
    power = (rtf.conj() * through).sum(-1).real
    weights = through / (power[..., None] + eps)
    if reference_channel is None:
        return weights
    return weights * _at_reference("mvdr_weights_rtf", rtf.conj(), reference_channel)[..., None]


def rtf_evd(psd_s):
    """The transfer function (..., freq, channel): the main eigenvector of speech's covariance."""
    _check_covariances("rtf_evd", psd_s)
    return tallow.linalg.eigh(psd_s)[1][..., -1]


def rtf_power(psd_s, psd_n, reference_channel, n_iter=3, diagonal_loading=True, diag_eps=1e-7):
    """The transfer function (..., freq, channel), by `n_iter` steps of the power method."""
    _check_covariances("rtf_power", psd_s, psd_n)
    if n_iter < 1:
        raise ArgumentError(f"rtf_power: expected n_iter above 0, got {n_iter}")
    if diagonal_loading:
        psd_n = _loaded(psd_n, diag_eps)
    ratio = tallow.linalg.solve(psd_n, psd_s)
    rtf = _at_reference("rtf_power", ratio, reference_channel, axes=2)[..., None]
    for _ in range(n_iter - 2):
        rtf = ratio @ rtf
    return ((psd_s if n_iter > 1 else psd_n) @ rtf)[..., 0]


def apply_beamforming(beamform_weights, specgram):
    """The signal (..., freq, time) that weights (..., freq, channel) make of the channels."""
    if not (beamform_weights.is_complex() and specgram.is_complex()):
        raise TypeMismatchError(
            f"apply_beamforming: expected complex weights and spectrum, got "
            f"{describe(beamform_weights)} and {describe(specgram)}"
        )
    if beamform_weights.shape[:-2] != specgram.shape[:-3]:
        raise ArgumentError(
            f"apply_beamforming: expected weights (..., freq, channel) for (..., channel, freq, "
            f"time) {describe(specgram)}, got {describe(beamform_weights)}"
        )
    return (beamform_weights.conj()[..., None, :] @ specgram.transpose(-3, -2))[..., 0, :]
