"""Text to speech: Tacotron 2 with a vocoder."""

import re
from dataclasses import dataclass

import tallow
from tallow import nn
from tallow.errors import ArgumentError
from tallow.nn.utils.rnn import pad_sequence
from tallowaudio import functional as F
from tallowaudio import models, transforms
from tallowaudio.pipelines._assets import loaded

CHARACTERS = tuple("_-!'(),.:;? abcdefghijklmnopqrstuvwxyz")
_VOWELS = "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split()
_CONSONANTS = "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split()
_STRESSED = [vowel + stress for vowel in _VOWELS for stress in ("", "0", "1", "2")]
PHONES = (*CHARACTERS[:12], *sorted(_STRESSED + _CONSONANTS))
RATE = 22050  # Hz, of LJSpeech


def _padded(rows):
    lengths = tallow.tensor([len(row) for row in rows], dtype=tallow.int32)
    return pad_sequence([tallow.tensor(row) for row in rows], batch_first=True), lengths


class CharacterProcessor:
    """Texts to numbers (N, symbols) of their characters, others left out, and lengths (N,).

    >>> from tallowaudio.pipelines import TACOTRON2_WAVERNN_CHAR_LJSPEECH
    >>> TACOTRON2_WAVERNN_CHAR_LJSPEECH.get_text_processor()("Hi!")[0]
    tensor([[19, 20,  2]])
    """

    tokens = CHARACTERS

    def __call__(self, texts):
        texts = [texts] if isinstance(texts, str) else texts
        known = {character: i for i, character in enumerate(self.tokens)}
        return _padded([[known[c] for c in text.lower() if c in known] for text in texts])


class PhoneProcessor:
    """Texts to numbers (N, symbols) of their phones, and lengths (N,).

    `pronunciations` has a list of ARPAbet phones for each word in upper case.
    """

    tokens = PHONES

    def __init__(self, pronunciations):
        self.pronunciations = pronunciations

    def __call__(self, texts):
        texts = [texts] if isinstance(texts, str) else texts
        known = {phone: i for i, phone in enumerate(self.tokens)}
        return _padded([[known[phone] for phone in self._phones(text)] for text in texts])

    def _phones(self, text):
        for word, mark in re.findall(r"([A-Z][A-Z']*)|([_!'(),.:;? -])", text.upper()):
            if mark:
                yield mark
            elif word in self.pronunciations:
                yield from self.pronunciations[word]
            else:
                raise ArgumentError(
                    f"PhoneProcessor: expected words of its dictionary, got {word!r}"
                )


class WaveRNNVocoder(nn.Module):
    """Waveforms (N, time) of logarithms of mel energies (N, 80, frames), by a `WaveRNN`."""

    sample_rate = RATE

    def __init__(self, model, min_level_db=-100):
        super().__init__()
        self.model = model
        self.min_level_db = min_level_db

    def forward(self, mel_spec, lengths=None):
        level = 20 * mel_spec.exp().clamp(min=1e-5).log10()
        if self.min_level_db is not None:
            level = ((self.min_level_db - level) / self.min_level_db).clamp(0, 1)
        waveform, lengths = self.model.infer(level, lengths)
        highest = 2**self.model.n_bits - 1
        codes = ((waveform.clamp(-1, 1) + 1) * highest / 2).clamp(0, highest).int()
        return F.mu_law_decoding(codes, highest + 1)[:, 0], lengths


class GriffinLimVocoder(nn.Module):
    """Waveforms (N, time) of logarithms of mel energies (N, 80, frames), by phases that fit."""

    sample_rate = RATE

    def __init__(self):
        super().__init__()
        self.spectrogram = transforms.InverseMelScale(
            513, 80, RATE, 0.0, 8000.0, norm="slaney", mel_scale="slaney"
        )
        self.waveform = transforms.GriffinLim(1024, hop_length=256, win_length=1024, power=1)

    @tallow.no_grad()
    def forward(self, mel_spec, lengths=None):
        return self.waveform(self.spectrogram(mel_spec.exp())), lengths


@dataclass(frozen=True)
class Tacotron2TTSBundle:
    """Speech from text: `get_text_processor()`, then `get_tacotron2()`, then `get_vocoder()`."""

    path: str
    phones: bool
    wavernn: str | None = None

    def get_text_processor(self, *, dl_kwargs=None):
        """From texts to symbols; phones are looked up in CMUDict, which is downloaded."""
        if not self.phones:
            return CharacterProcessor()
        from tallow import hub
        from tallowaudio.datasets import CMUDict

        return PhoneProcessor(dict(reversed(CMUDict(hub.get_dir(), download=True).entries)))

    def get_tacotron2(self, *, dl_kwargs=None):
        """From symbols to logarithms of mel energies."""
        symbols = len(PHONES if self.phones else CHARACTERS)
        return loaded(models.Tacotron2(n_symbol=symbols), f"models/{self.path}", dl_kwargs)

    def get_vocoder(self, *, dl_kwargs=None):
        """From logarithms of mel energies to waveforms."""
        if self.wavernn is None:
            return GriffinLimVocoder()
        model = models.WaveRNN([5, 5, 11], 256, 275, n_freq=80)
        return WaveRNNVocoder(loaded(model, f"models/{self.wavernn}", dl_kwargs)).eval()


_WAVERNN = "wavernn_10k_epochs_8bits_ljspeech.pth"
_NAME = "tacotron2_english_{}_1500_epochs_{}ljspeech.pth"

TACOTRON2_GRIFFINLIM_CHAR_LJSPEECH = Tacotron2TTSBundle(_NAME.format("characters", ""), False)
TACOTRON2_GRIFFINLIM_PHONE_LJSPEECH = Tacotron2TTSBundle(_NAME.format("phonemes", ""), True)
TACOTRON2_WAVERNN_CHAR_LJSPEECH = Tacotron2TTSBundle(
    _NAME.format("characters", "wavernn_"), False, _WAVERNN
)
TACOTRON2_WAVERNN_PHONE_LJSPEECH = Tacotron2TTSBundle(
    _NAME.format("phonemes", "wavernn_"), True, _WAVERNN
)
