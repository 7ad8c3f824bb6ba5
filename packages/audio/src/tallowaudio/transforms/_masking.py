"""Spectrograms (..., freq, time) with random parts covered, to train on."""

from tallow import nn
from tallow.errors import ArgumentError
from tallowaudio import functional as F


class _AxisMasking(nn.Module):
    """The base of masks along one axis, counted from the end."""

    axis: int

    def __init__(self, mask_param, iid_masks, p=1.0):
        super().__init__()
        if not 0 <= p <= 1:
            raise ArgumentError(f"{type(self).__name__}: expected p from 0 to 1, got {p}")
        self.mask_param = mask_param
        self.iid_masks = iid_masks
        self.p = p

    def forward(self, specgram, mask_value=0.0):
        mask = F.mask_along_axis_iid if self.iid_masks else F.mask_along_axis
        return mask(specgram, self.mask_param, mask_value, specgram.ndim + self.axis, self.p)


class FrequencyMasking(_AxisMasking):
    """A band of fewer than `freq_mask_param` frequencies covered; `iid_masks`: another in each.

    >>> import tallow
    >>> from tallowaudio import transforms
    >>> _ = tallow.manual_seed(1)
    >>> transforms.FrequencyMasking(3)(tallow.ones(4, 2))
    tensor([[0., 0.],
            [0., 0.],
            [1., 1.],
            [1., 1.]])
    """

    axis = -2

    def __init__(self, freq_mask_param, iid_masks=False):
        super().__init__(freq_mask_param, iid_masks)


class TimeMasking(_AxisMasking):
    """A span of fewer than `time_mask_param` frames covered, and of at most the part `p` of all."""

    axis = -1

    def __init__(self, time_mask_param, iid_masks=False, p=1.0):
        super().__init__(time_mask_param, iid_masks, p)


class SpecAugment(nn.Module):
    """Several `TimeMasking`s, then several `FrequencyMasking`s (Park et al., 2019).

    What is covered becomes 0 with `zero_masking`, else the mean of the spectrogram.
    """

    def __init__(
        self, n_time_masks, time_mask_param, n_freq_masks, freq_mask_param, iid_masks=True, p=1.0,
        zero_masking=False,
    ):  # fmt: skip
        super().__init__()
        self.n_time_masks = n_time_masks
        self.time_mask_param = time_mask_param
        self.n_freq_masks = n_freq_masks
        self.freq_mask_param = freq_mask_param
        self.iid_masks = iid_masks
        self.p = p
        self.zero_masking = zero_masking

    def forward(self, specgram):
        value = 0.0 if self.zero_masking else specgram.mean().item()
        each = specgram.ndim > 2 and self.iid_masks
        mask = F.mask_along_axis_iid if each else F.mask_along_axis
        for _ in range(self.n_time_masks):
            specgram = mask(specgram, self.time_mask_param, value, specgram.ndim - 1, self.p)
        for _ in range(self.n_freq_masks):
            specgram = mask(specgram, self.freq_mask_param, value, specgram.ndim - 2, self.p)
        return specgram
