"""What models say of sounds and arguments that do not fit them."""

import pytest

import tallow
from tallowaudio import models
from tallowaudio.models.wav2vec2.pretraining import mask_spans

SMALL = ["group_norm", [(8, 10, 5), (8, 3, 2)], False, 8, 0.1, 4, 2, 1, 2, 0.1, 8, 0.1, 0.1, False]


def wav2vec2(**changed):
    return models.wav2vec2_model(*SMALL, 0.1, None, **changed)


def emformer():
    return models.Emformer(8, 2, 8, 1, 4, right_context_length=2)


def wavernn():
    return models.WaveRNN([2, 2], 16, 4, n_res_block=1, n_rnn=8, n_fc=8, n_freq=6, n_hidden=8)


def tacotron(**changed):
    return models.Tacotron2(
        n_mels=4, n_symbol=5, symbol_embedding_dim=4, encoder_embedding_dim=4, decoder_rnn_dim=4,
        attention_rnn_dim=4, prenet_dim=4, postnet_embedding_dim=4, **changed,
    )  # fmt: skip


def transducer():
    parts = [tallow.nn.Identity() for _ in range(3)]
    return models.RNNTBeamSearch(models.RNNT(*parts), blank=3)


one = tallow.tensor([1])
CASES = [
    (lambda: wav2vec2()(tallow.zeros(1, 19)), "20 samples or more"),
    (lambda: wav2vec2()(tallow.zeros(50)), r"expected waveforms \(N, time\)"),
    (lambda: wav2vec2()(tallow.zeros(1, 50), tallow.tensor([51])), "from 0 to 50, got .51"),
    (lambda: wav2vec2().extract_features(tallow.zeros(1, 50), num_layers=2), "1 to 1 layers"),
    (lambda: models.wav2vec2_model("none", *SMALL[1:], 0.1, None), "'group_norm' or 'layer_norm'"),
    (lambda: models.wav2vec2_model(*SMALL[:8], 3, *SMALL[9:], 0.1, None), "multiple of num_heads"),
    (lambda: models.Conformer(8, 2, 8, 1, 4), "odd depthwise"),
    (lambda: models.Conformer(8, 2, 8, 1, 3)(tallow.zeros(1, 8), one), "N, time, input_dim"),
    (lambda: models.Conformer(8, 2, 8, 1, 3)(tallow.zeros(1, 4, 8), one + 4), "from 0 to 4"),
    (lambda: models.Emformer(9, 2, 8, 1, 4), "multiple of num_heads"),
    (lambda: models.Emformer(8, 2, 8, 1, 4, activation="elu"), "relu, gelu, silu, got 'elu'"),
    (lambda: models.Emformer(8, 2, 8, 1, 4, weight_init_scale_strategy="x"), "'depthwise'"),
    (lambda: emformer()(tallow.zeros(1, 2, 8), one), "more than 2 frames"),
    (lambda: emformer().infer(tallow.zeros(1, 7, 8), one), r"expected \(N, 6, input_dim\)"),
    (lambda: models.ConvTasNet(2, 16, 8, 3, 8, 8)(tallow.zeros(1, 2, 50)), "1 channel"),
    (lambda: models.ConvTasNet(msk_activate="tanh"), "'sigmoid' or 'relu'"),
    (lambda: models.HDemucs(["a"], channels=4)(tallow.zeros(1, 1, 90)), "2 channel"),
    (lambda: models.Wav2Letter(input_type="mel"), "input_type"),
    (lambda: models.DeepSpeech(4, 8)(tallow.zeros(2, 5, 4)), r"expected \(N, 1, time, 4\)"),
    (lambda: models.WaveRNN([2, 2], 16, 5), "whose product is hop_length 5"),
    (lambda: wavernn()(tallow.zeros(1, 2, 9), tallow.zeros(1, 1, 6, 9)), "one channel of waveform"),
    (lambda: wavernn()(tallow.zeros(1, 1, 9), tallow.zeros(1, 1, 6, 9)), "expected 20 samples"),
    (lambda: tacotron().infer(tallow.zeros(3).long()), r"tokens \(N, symbols\)"),
    (lambda: models.squim_objective_base()(tallow.zeros(1, 63)), "64 samples or more"),
    (lambda: models.squim_objective_model(8, 8, 8, 2, 4, 1, "QRNN", 5), "'LSTM', 'GRU' or 'RNN'"),
    (lambda: models.squim_subjective_model("wavlm", 8, 8, 5), "'wav2vec2_base'"),
    (lambda: transducer()(tallow.zeros(2, 3, 4), one, 3), r"features \(time, dim\)"),
    (lambda: transducer()(tallow.zeros(3, 4), tallow.zeros(2), 3), r"a length \(\) or \(1,\)"),
    (lambda: models.StreamingRecognizer("-a")(tallow.zeros(1, 0)), "one sample or more"),
    (lambda: models.VoiceDetector().stream(44100), "at 8000 Hz, got 44100 Hz; resample"),
    (lambda: mask_spans((1, 9), None, 0.5, 2, "other"), "'static', 'uniform'"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), CASES)
def test_what_does_not_fit_is_told(call, message):
    with pytest.raises((ValueError, RuntimeError), match=message):
        call()


def test_tacotron_says_that_it_was_stopped():
    model = tacotron(decoder_max_step=2, gate_threshold=1.0).eval()
    with pytest.warns(UserWarning, match="decoder_max_step, 2"):
        mels, lengths, _ = model.infer(tallow.tensor([[1, 2, 3]]))
    assert mels.shape == (1, 4, 2) and lengths.tolist() == [2]


@pytest.mark.parametrize(
    ("kind", "other"), [("static", 0), ("uniform", 1), ("normal", 1), ("poisson", 0)]
)
def test_spans_are_alike_many_in_each_row(kind, other):
    tallow.manual_seed(0)
    padding = tallow.arange(60) >= tallow.tensor([[60], [41]])
    mask = mask_spans((2, 60), padding, 0.4, 4, kind, other, min_masks=2)
    counts = mask.sum(1).tolist()
    assert counts[0] == counts[1] > 4 and not bool((mask & padding).any())


def test_models_learn():
    tallow.manual_seed(0)
    model = models.hubert_pretrain_model(
        *SMALL, 0.0, mask_prob=0.5, mask_selection="static", mask_other=0.0, mask_length=3,
        no_mask_overlap=False, mask_min_space=1, mask_channel_prob=0.0,
        mask_channel_selection="static", mask_channel_other=0.0, mask_channel_length=2,
        no_mask_channel_overlap=False, mask_channel_min_space=1, skip_masked=False,
        skip_nomask=False, num_classes=5, final_dim=4, feature_grad_mult=0.1,
    )  # fmt: skip
    masked, unmasked, penalty = model(tallow.randn(2, 300), tallow.ones(2, 29, dtype=tallow.int64))
    loss = (masked[:, 0] - masked[:, 2:3].squeeze(1)).mean() + penalty
    loss.backward()
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    assert len(grads) > 20 and all(bool(g.isfinite().all()) for g in grads)
