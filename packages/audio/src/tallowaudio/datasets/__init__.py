"""Datasets of sounds. Samples begin with the waveform (channels, time) and its sample rate in Hz.

`root` is the folder they are in; `download` puts them there, where their publishers let one.
"""

from tallowaudio.datasets.cmudict import CMUDict
from tallowaudio.datasets.commands import (
    FSDD,
    QUESST14,
    SPEECHCOMMANDS,
    FluentSpeechCommands,
    Snips,
    SyntheticDigits,
)
from tallowaudio.datasets.folder import AudioFolder
from tallowaudio.datasets.librispeech import (
    LIBRISPEECH,
    LIBRITTS,
    LibriLightLimited,
    LibriSpeechBiasing,
)
from tallowaudio.datasets.music import DR_VCTK, GTZAN, MUSDB_HQ, LibriMix
from tallowaudio.datasets.speakers import IEMOCAP, VoxCeleb1Identification, VoxCeleb1Verification
from tallowaudio.datasets.speech import CMUARCTIC, COMMONVOICE, LJSPEECH, TEDLIUM, VCTK_092, YESNO

__all__ = [
    "AudioFolder", "CMUARCTIC", "CMUDict", "COMMONVOICE", "DR_VCTK", "FSDD",
    "FluentSpeechCommands", "GTZAN", "IEMOCAP", "LIBRISPEECH", "LIBRITTS", "LJSPEECH",
    "LibriLightLimited", "LibriMix", "LibriSpeechBiasing", "MUSDB_HQ", "QUESST14",
    "SPEECHCOMMANDS", "Snips", "SyntheticDigits", "TEDLIUM", "VCTK_092",
    "VoxCeleb1Identification", "VoxCeleb1Verification", "YESNO",
]  # fmt: skip
