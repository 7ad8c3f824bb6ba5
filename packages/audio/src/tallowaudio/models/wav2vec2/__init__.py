"""wav2vec 2.0, HuBERT and WavLM."""

from tallowaudio.models.wav2vec2.model import Wav2Vec2Model, wav2vec2_model, wavlm_model
from tallowaudio.models.wav2vec2.pretraining import HuBERTPretrainModel, hubert_pretrain_model
from tallowaudio.models.wav2vec2.sizes import (
    hubert_base,
    hubert_large,
    hubert_pretrain_base,
    hubert_pretrain_large,
    hubert_pretrain_xlarge,
    hubert_xlarge,
    wav2vec2_base,
    wav2vec2_large,
    wav2vec2_large_lv60k,
    wav2vec2_xlsr_1b,
    wav2vec2_xlsr_2b,
    wav2vec2_xlsr_300m,
    wavlm_base,
    wavlm_large,
)
