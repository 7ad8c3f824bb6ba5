"""A small network that tells which digit is spoken."""

import tallow
from tallow import nn
from tallowaudio import functional as F

SAMPLE_RATE = 8000  # Hz
LENGTH = SAMPLE_RATE  # samples: one second


class DigitFeatures(nn.Module):
    """Pictures of one second of sound: waveforms (..., time) -> (..., 1, 40 mel bands, 101).

    Shorter sounds are put in the middle of silence, of longer ones the middle is taken. Louder and
    softer sounds give about the same: the logarithms have mean 0 and standard deviation 1.
    """

    def __init__(self):
        super().__init__()
        bank = F.melscale_fbanks(129, 50.0, SAMPLE_RATE / 2, 40, SAMPLE_RATE)
        self.register_buffer("bank", bank.T.contiguous(), persistent=False)
        self.register_buffer("window", tallow.hann_window(256), persistent=False)

    def forward(self, waveforms):
        waveforms = centred(waveforms)
        power = F.spectrogram(waveforms, 0, self.window, 256, 80, 256, 2.0, False)
        levels = (self.bank @ power + 1e-5).log()[..., None, :, :]
        levels = levels - levels.mean((-2, -1), keepdim=True)
        return levels / (levels.std((-2, -1), keepdim=True) + 1e-3)


class DigitTransforms(nn.Module):
    """What makes pictures of recordings: (channels, time) at a rate in Hz -> (1, 1, 40, 101)."""

    def __init__(self):
        super().__init__()
        self.features = DigitFeatures()

    def forward(self, waveform, sample_rate=SAMPLE_RATE):
        return self.features(F.resample(waveform.mean(0), sample_rate, SAMPLE_RATE))[None]


def centred(waveforms):
    """The middle second of waveforms (..., time), with silence around shorter ones."""
    spare = LENGTH - waveforms.shape[-1]
    if spare < 0:
        return waveforms[..., -spare // 2 :][..., :LENGTH]
    return nn.functional.pad(waveforms, (spare // 2, spare - spare // 2))


def _block(inputs, outputs, pooled=True):
    layers = [
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
    ]  # fmt: skip
    return nn.Sequential(*layers, *[nn.MaxPool2d(2)] * pooled)


class DigitClassifier(nn.Sequential):
    """Scores (N, 10) of the digits 0 to 9 from `DigitFeatures` (N, 1, 40, 101); 99,000 weights.

    >>> import tallow
    >>> from tallowaudio.models.spoken_digits import DigitClassifier, DigitFeatures
    >>> DigitClassifier()(DigitFeatures()(tallow.randn(2, 5000))).shape
    tallow.Size([2, 10])
    """

    def __init__(self):
        super().__init__(
            _block(1, 16), _block(16, 32), _block(32, 64), _block(64, 128, pooled=False),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3), nn.Linear(128, 10),
        )  # fmt: skip

    @classmethod
    def load(cls, path):
        """The network with the weights in a file, in float32, for inference."""
        model = cls()
        model.load_state_dict(tallow.load(path))
        return model.eval()
