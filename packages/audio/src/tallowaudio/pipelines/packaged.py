"""The small models that come with the package."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tallowaudio.models.spoken_digits import DigitClassifier, DigitTransforms
from tallowaudio.models.streaming import StreamingRecognizer, VoiceDetector

FOLDER = Path(__file__).with_name("weights")


@dataclass(frozen=True)
class PackagedBundle:
    """A small model that is there at once: `get_model()`, for sounds at `sample_rate` Hz.

    `meta` has facts about it; its card lies beside `path`.
    """

    file: str
    kind: type
    sample_rate: int
    meta: dict[str, Any]

    @property
    def path(self):
        """Where the weights are."""
        return FOLDER / self.file

    def get_model(self):
        """The model, for inference."""
        return self.kind.load(self.path)


@dataclass(frozen=True)
class SpokenDigitsBundle(PackagedBundle):
    """A classifier, whose scores are of `meta["categories"]`.

    >>> import tallow
    >>> from tallowaudio.pipelines import SPOKEN_DIGITS
    >>> picture = SPOKEN_DIGITS.transforms()(tallow.rand(2, 16000) - 0.5, sample_rate=16000)
    >>> SPOKEN_DIGITS.get_model()(picture).shape
    tallow.Size([1, 10])
    """

    def transforms(self):
        """What makes the model's input of a waveform (channels, time) and its sample rate."""
        return DigitTransforms()


@dataclass(frozen=True)
class DigitStringsBundle(PackagedBundle):
    """A recogniser, whose scores are of `get_labels()`."""

    def get_labels(self, *, blank="-"):
        """The labels, `blank` first."""
        return (blank, *"0123456789")


DIGIT_STRINGS = DigitStringsBundle(
    "digit_strings.safetensors", StreamingRecognizer, 8000,
    {
        "num_params": 253211, "license": "CC BY-SA 4.0", "card": "digit_strings.md",
        "recipe": "tools/pretrain/digit_strings.py",
        "_metrics": {"strings of FSDD": {"character error rate": 3.07}},
    },
)  # fmt: skip
VOICE_ACTIVITY = PackagedBundle(
    "voice_activity.safetensors", VoiceDetector, 8000,
    {
        "num_params": 5177, "license": "CC BY-SA 4.0", "card": "voice_activity.md",
        "recipe": "tools/pretrain/voice_activity.py", "frame_seconds": 0.03,
        "_metrics": {"FSDD, noise 10 dB below": {"equal error rate": 9.73}},
    },
)  # fmt: skip
SPOKEN_DIGITS = SpokenDigitsBundle(
    "spoken_digits.safetensors", DigitClassifier, 8000,
    {
        "categories": list("0123456789"), "num_params": 98682, "license": "CC BY-SA 4.0",
        "accuracy": 1.0, "recipe": "tools/pretrain/spoken_digits.py",
        "card": "spoken_digits.md",
    },
)  # fmt: skip
