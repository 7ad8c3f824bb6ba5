"""Wav2Letter."""

from tallow import nn
from tallow.errors import ArgumentError


class Wav2Letter(nn.Module):
    """Convolutions from a sound or its features to letters: (N, num_features, time) -> log
    probabilities (N, num_classes, frames).

    `input_type` is "waveform" (one channel), "power_spectrum" or "mfcc". Collobert et al.,
    "Wav2Letter: an End-to-End ConvNet-based Speech Recognition System", 2016.

    >>> import tallow
    >>> from tallowaudio.models import Wav2Letter
    >>> Wav2Letter(29, "mfcc", 13)(tallow.rand(1, 13, 100)).shape
    tallow.Size([1, 29, 51])
    """

    def __init__(self, num_classes=40, input_type="waveform", num_features=1):
        super().__init__()
        if input_type not in ("waveform", "power_spectrum", "mfcc"):
            raise ArgumentError(
                "Wav2Letter: expected input_type 'waveform', 'power_spectrum' or 'mfcc', got "
                f"{input_type!r}"
            )
        raw = input_type == "waveform"
        shapes = [(250 if raw else num_features, 250, 48, 2, 23)]  # in, out, kernel, stride, pad
        shapes += [(250, 250, 7, 1, 3)] * 7
        shapes += [(250, 2000, 32, 1, 16), (2000, 2000, 1, 1, 0), (2000, num_classes, 1, 1, 0)]
        acoustic = _stack(shapes)
        if raw:
            acoustic = nn.Sequential(_stack([(num_features, 250, 250, 160, 45)]), acoustic)
        self.acoustic_model = acoustic

    def forward(self, x):
        return self.acoustic_model(x).log_softmax(1)


def _stack(shapes):
    layers = []
    for inputs, outputs, kernel, stride, padding in shapes:
        layers += [nn.Conv1d(inputs, outputs, kernel, stride, padding), nn.ReLU()]
    return nn.Sequential(*layers)
