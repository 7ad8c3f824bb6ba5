"""Networks for speech and music, with torchaudio's names, arguments and keys."""

from tallowaudio.models.conformer import Conformer
from tallowaudio.models.conv_tasnet import ConvTasNet, conv_tasnet_base
from tallowaudio.models.deepspeech import DeepSpeech
from tallowaudio.models.emformer import Emformer
from tallowaudio.models.hdemucs import HDemucs, hdemucs_high, hdemucs_low, hdemucs_medium
from tallowaudio.models.rnnt import RNNT, emformer_rnnt_base, emformer_rnnt_model
from tallowaudio.models.rnnt_decoder import Hypothesis, RNNTBeamSearch
from tallowaudio.models.squim import (
    SquimObjective,
    SquimSubjective,
    squim_objective_base,
    squim_objective_model,
    squim_subjective_base,
    squim_subjective_model,
)
from tallowaudio.models.streaming import Stream, StreamingRecognizer, VoiceDetector
from tallowaudio.models.tacotron2 import Tacotron2
from tallowaudio.models.wav2letter import Wav2Letter
from tallowaudio.models.wav2vec2 import (
    HuBERTPretrainModel,
    Wav2Vec2Model,
    hubert_base,
    hubert_large,
    hubert_pretrain_base,
    hubert_pretrain_large,
    hubert_pretrain_model,
    hubert_pretrain_xlarge,
    hubert_xlarge,
    wav2vec2_base,
    wav2vec2_large,
    wav2vec2_large_lv60k,
    wav2vec2_model,
    wav2vec2_xlsr_1b,
    wav2vec2_xlsr_2b,
    wav2vec2_xlsr_300m,
    wavlm_base,
    wavlm_large,
    wavlm_model,
)
from tallowaudio.models.wavernn import WaveRNN
