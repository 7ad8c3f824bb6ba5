"""wav2vec 2.0, HuBERT and WavLM: features, recognition, alignment."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

import tallow
from tallow import nn
from tallow.errors import ArgumentError, ShapeError, describe
from tallowaudio import functional as F
from tallowaudio import models
from tallowaudio.pipelines._assets import loaded, without_rows


class _Prepared(nn.Module):
    """A model whose waveforms are normalised before, and whose scores may be completed after."""

    def __init__(self, model, normalize, log_softmax=False, star=False):
        super().__init__()
        self.model = model
        self.normalize = normalize
        self.log_softmax = log_softmax
        self.star = star

    def _normal(self, waveforms):
        if not self.normalize:
            return waveforms
        return nn.functional.layer_norm(waveforms, waveforms.shape)

    def forward(self, waveforms, lengths=None):
        scores, lengths = self.model(self._normal(waveforms), lengths)
        if self.log_softmax:
            scores = scores.log_softmax(-1)
        if self.star:  # a label that anything is
            scores = nn.functional.pad(scores, (0, 1))
        return scores, lengths

    def extract_features(self, waveforms, lengths=None, num_layers=None):
        return self.model.extract_features(self._normal(waveforms), lengths, num_layers)


@dataclass(frozen=True)
class Wav2Vec2Bundle:
    """A model of speech features: `get_model()`, for sounds at `sample_rate` Hz."""

    path: str
    build: Callable
    normalize: bool = False
    sample_rate: float = 16000

    def get_model(self, *, dl_kwargs=None):
        """The model, for inference; `dl_kwargs` are `hub.load_state_dict_from_url`'s."""
        model = loaded(self.build(), f"models/{self.path}", dl_kwargs)
        return _Prepared(model, True).eval() if self.normalize else model


@dataclass(frozen=True)
class Wav2Vec2ASRBundle(Wav2Vec2Bundle):
    """A recogniser: `get_model()`, whose scores are of `get_labels()`."""

    labels: tuple[str, ...] = ()
    unused: tuple[int, ...] = (1, 2, 3)  # labels of fairseq's that are no speech

    def get_labels(self, *, blank="-"):
        """The labels, `blank` first."""
        return (blank, *self.labels)

    def _load(self, dl_kwargs):
        path = self.path if "://" in self.path else f"models/{self.path}"
        model = self.build(aux_num_out=len(self.labels) + 1)
        return loaded(model, path, dl_kwargs, lambda state: without_rows(state, self.unused))

    def get_model(self, *, dl_kwargs=None):
        """The recogniser, for inference."""
        model = self._load(dl_kwargs)
        return _Prepared(model, True).eval() if self.normalize else model


@dataclass(frozen=True)
class Wav2Vec2FABundle(Wav2Vec2ASRBundle):
    """A model to align transcripts with: tokens of `get_tokenizer()`, spans of `get_aligner()`."""

    def get_labels(self, star="*", blank="-"):
        """The labels, `blank` first and `star`, which anything is, last unless None."""
        labels = super().get_labels(blank=blank)
        return labels if star is None else (*labels, star)

    def get_model(self, with_star=True, *, dl_kwargs=None):
        """The model, which gives log probabilities; 0 for the star."""
        return _Prepared(self._load(dl_kwargs), self.normalize, True, with_star).eval()

    def get_dict(self, star="*", blank="-"):
        """The number of each label."""
        return {label: i for i, label in enumerate(self.get_labels(star, blank))}

    def get_tokenizer(self):
        """From words to the numbers of their letters."""
        return Tokenizer(self.get_dict())

    def get_aligner(self):
        """From log probabilities and tokens to the spans of tokens."""
        return Aligner(0)


class Tokenizer:
    """Words to lists of numbers of their letters.

    >>> from tallowaudio.pipelines import MMS_FA
    >>> MMS_FA.get_tokenizer()(["hi", "*"])
    [[15, 2], [28]]
    """

    def __init__(self, dictionary):
        self.dictionary = dictionary

    def __call__(self, transcript):
        unknown = [c for word in transcript for c in word if c not in self.dictionary]
        if unknown:
            raise ArgumentError(
                f"Tokenizer: expected letters among {''.join(self.dictionary)}, got {unknown[0]!r}"
            )
        return [[self.dictionary[c] for c in word] for word in transcript]


class Aligner:
    """Where in log probabilities (frames, labels) each token is, as lists like the tokens'."""

    def __init__(self, blank):
        self.blank = blank

    def __call__(self, emission, tokens):
        if emission.ndim != 2:
            raise ShapeError(
                f"Aligner: expected emissions (frames, labels), got {describe(emission)}"
            )
        targets = tallow.tensor([sum(tokens, [])], dtype=tallow.int32)
        aligned, scores = F.forced_align(emission[None], targets, blank=self.blank)
        spans = F.merge_tokens(aligned[0], scores[0].exp(), self.blank)
        ends = list(accumulate(map(len, tokens)))
        return [spans[end - len(word) : end] for word, end in zip(tokens, ends, strict=True)]


_EN = tuple("|ETAONIHSRDLUMWCFGYPBVK'XJQZ")
_DE = tuple("|enirstadhulgcmobwfkzpvüäöjßyxq")
_VOX_EN = tuple("|etoiansrhldcumpfgwybvkxjqz")
_ES = tuple("|eaosnrildctupmbqygvhófíájzñéxúkwü")
_FR = tuple("|esnitraouldcpmévqfgbhxàjèyêzôkçœûùîâwïëüæ")
_IT = tuple("|eiaontrlscdupmgvhzfbqàèùéòìkyxwjóíï")
_MMS = tuple("aienoutsrmkldghybpwcvjzf'qx")

_BASE, _LARGE = models.wav2vec2_base, models.wav2vec2_large
_LV60K = models.wav2vec2_large_lv60k

WAV2VEC2_BASE = Wav2Vec2Bundle("wav2vec2_fairseq_base_ls960.pth", _BASE)
WAV2VEC2_LARGE = Wav2Vec2Bundle("wav2vec2_fairseq_large_ls960.pth", _LARGE)
WAV2VEC2_LARGE_LV60K = Wav2Vec2Bundle("wav2vec2_fairseq_large_lv60k.pth", _LV60K, True)
WAV2VEC2_XLSR53 = Wav2Vec2Bundle("wav2vec2_fairseq_large_xlsr53.pth", _LV60K, True)
WAV2VEC2_XLSR_300M = Wav2Vec2Bundle("wav2vec2_xlsr_300m.pth", models.wav2vec2_xlsr_300m, True)
WAV2VEC2_XLSR_1B = Wav2Vec2Bundle("wav2vec2_xlsr_1b.pth", models.wav2vec2_xlsr_1b, True)
WAV2VEC2_XLSR_2B = Wav2Vec2Bundle("wav2vec2_xlsr_2b.pth", models.wav2vec2_xlsr_2b, True)
HUBERT_BASE = Wav2Vec2Bundle("hubert_fairseq_base_ls960.pth", models.hubert_base)
HUBERT_LARGE = Wav2Vec2Bundle("hubert_fairseq_large_ll60k.pth", models.hubert_large, True)
HUBERT_XLARGE = Wav2Vec2Bundle("hubert_fairseq_xlarge_ll60k.pth", models.hubert_xlarge, True)
WAVLM_BASE = Wav2Vec2Bundle("wavlm_base.pth", models.wavlm_base)
WAVLM_BASE_PLUS = Wav2Vec2Bundle("wavlm_base_plus.pth", models.wavlm_base)
WAVLM_LARGE = Wav2Vec2Bundle("wavlm_large.pth", models.wavlm_large, True)


def _english(path, build, normalize=False):
    return Wav2Vec2ASRBundle(path, build, normalize, labels=_EN)


def _voxpopuli(language, labels, *unused):
    path = f"wav2vec2_voxpopuli_base_10k_asr_{language}.pt"
    return Wav2Vec2ASRBundle(path, _BASE, labels=labels, unused=(1, 2, 3, *unused))


# fine-tuned on 10 minutes, 100 hours or 960 hours
WAV2VEC2_ASR_BASE_10M = _english("wav2vec2_fairseq_base_ls960_asr_ll10m.pth", _BASE)
WAV2VEC2_ASR_BASE_100H = _english("wav2vec2_fairseq_base_ls960_asr_ls100.pth", _BASE)
WAV2VEC2_ASR_BASE_960H = _english("wav2vec2_fairseq_base_ls960_asr_ls960.pth", _BASE)
WAV2VEC2_ASR_LARGE_10M = _english("wav2vec2_fairseq_large_ls960_asr_ll10m.pth", _LARGE)
WAV2VEC2_ASR_LARGE_100H = _english("wav2vec2_fairseq_large_ls960_asr_ls100.pth", _LARGE)
WAV2VEC2_ASR_LARGE_960H = _english("wav2vec2_fairseq_large_ls960_asr_ls960.pth", _LARGE)
WAV2VEC2_ASR_LARGE_LV60K_10M = _english("wav2vec2_fairseq_large_lv60k_asr_ll10m.pth", _LV60K, True)
WAV2VEC2_ASR_LARGE_LV60K_100H = _english("wav2vec2_fairseq_large_lv60k_asr_ls100.pth", _LV60K, True)
WAV2VEC2_ASR_LARGE_LV60K_960H = _english("wav2vec2_fairseq_large_lv60k_asr_ls960.pth", _LV60K, True)
HUBERT_ASR_LARGE = _english("hubert_fairseq_large_ll60k_asr_ls960.pth", models.hubert_large, True)
HUBERT_ASR_XLARGE = _english(
    "hubert_fairseq_xlarge_ll60k_asr_ls960.pth", models.hubert_xlarge, True
)
VOXPOPULI_ASR_BASE_10K_DE = _voxpopuli("de", _DE, 35)
VOXPOPULI_ASR_BASE_10K_EN = _voxpopuli("en", _VOX_EN, 31)
VOXPOPULI_ASR_BASE_10K_ES = _voxpopuli("es", _ES, 35)
VOXPOPULI_ASR_BASE_10K_FR = _voxpopuli("fr", _FR)
VOXPOPULI_ASR_BASE_10K_IT = _voxpopuli("it", _IT)
MMS_FA = Wav2Vec2FABundle(
    "https://dl.fbaipublicfiles.com/mms/torchaudio/ctc_alignment_mling_uroman/model.pt",
    _LV60K, True, labels=_MMS,
)  # fmt: skip
