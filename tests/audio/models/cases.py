"""What tallowaudio's models are compared on, run with torchaudio's models or with tallowaudio's.

`tools/goldens/audio_models.py` runs it with torchaudio 2.11 and records what it gives. Weights are
made of each key and shape alone, by what vision's models are tested with.
"""

import importlib.util
from pathlib import Path

import numpy as np

_PATH = Path(__file__).parents[2] / "vision" / "models" / "generated.py"
_SPEC = importlib.util.spec_from_file_location("generated_weights", _PATH)
generated = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(generated)

CASES = {}

WAV2VEC2 = {
    "extractor_mode": "group_norm", "extractor_conv_layer_config": [(12, 10, 5), (8, 3, 2)],
    "extractor_conv_bias": False, "encoder_embed_dim": 16, "encoder_projection_dropout": 0.1,
    "encoder_pos_conv_kernel": 8, "encoder_pos_conv_groups": 4, "encoder_num_layers": 2,
    "encoder_num_heads": 4, "encoder_attention_dropout": 0.1, "encoder_ff_interm_features": 32,
    "encoder_ff_interm_dropout": 0.1, "encoder_dropout": 0.1, "encoder_layer_norm_first": False,
    "encoder_layer_drop": 0.1,
}  # fmt: skip
NORM_FIRST = WAV2VEC2 | {
    "extractor_mode": "layer_norm", "extractor_conv_bias": True, "encoder_layer_norm_first": True,
    "encoder_pos_conv_kernel": 7,
}  # fmt: skip
BUCKETS = {"encoder_num_buckets": 12, "encoder_max_distance": 20}
HUBERT = {
    "mask_prob": 0.5, "mask_selection": "static", "mask_other": 0.0, "mask_length": 3,
    "no_mask_overlap": False, "mask_min_space": 1, "mask_channel_prob": 0.3,
    "mask_channel_selection": "static", "mask_channel_other": 0.0, "mask_channel_length": 2,
    "no_mask_channel_overlap": False, "mask_channel_min_space": 1, "skip_masked": False,
    "skip_nomask": False, "num_classes": 7, "final_dim": 8, "feature_grad_mult": 0.1,
}  # fmt: skip
RNNT = {
    "input_dim": 6, "encoding_dim": 16, "num_symbols": 9, "segment_length": 8,
    "right_context_length": 4, "time_reduction_input_dim": 4, "time_reduction_stride": 4,
    "transformer_num_heads": 2, "transformer_ffn_dim": 12, "transformer_num_layers": 2,
    "transformer_dropout": 0.1, "transformer_activation": "gelu",
    "transformer_left_context_length": 3, "transformer_max_memory_size": 0,
    "transformer_weight_init_scale_strategy": "depthwise", "transformer_tanh_on_mem": True,
    "symbol_embedding_dim": 8, "num_lstm_layers": 2, "lstm_layer_norm": True,
    "lstm_layer_norm_epsilon": 1e-3, "lstm_dropout": 0.3,
}  # fmt: skip
TACOTRON = {
    "n_mels": 6, "n_symbol": 11, "symbol_embedding_dim": 8,
    "encoder_embedding_dim": 8, "encoder_n_convolution": 2, "decoder_rnn_dim": 12,
    "attention_rnn_dim": 10, "attention_hidden_dim": 7, "attention_location_n_filter": 3,
    "attention_location_kernel_size": 5, "prenet_dim": 9, "postnet_n_convolution": 3,
    "postnet_embedding_dim": 8, "decoder_max_step": 12, "gate_threshold": 0.605,
}  # fmt: skip


def case(function):
    CASES[function.__name__] = function
    return function


def signal(torch, *shape, seed=0, scale=1.0):
    """Normal noise of a shape."""
    made = np.random.default_rng(seed).normal(size=shape) * scale
    return torch.from_numpy(made.astype(np.float32))


def ready(model, torch):
    return generated.load(model, torch).eval()


def integers(torch, *values):
    return torch.tensor(list(values))


@case
def wav2letter(torch, models):
    model = ready(models.Wav2Letter(5, "waveform", 1), torch)
    return model(signal(torch, 1, 1, 1500))


@case
def deepspeech(torch, models):
    return ready(models.DeepSpeech(13, 16, 5), torch)(signal(torch, 2, 1, 9, 13))


@case
def wav2vec2(torch, models):
    model = ready(models.wav2vec2_model(**WAV2VEC2, aux_num_out=5), torch)
    x = signal(torch, 3, 300)
    lengths = integers(torch, 300, 200, 77)
    return [*model(x, lengths), model(x)[0], *model.extract_features(x, lengths, 2)[0]]


@case
def wav2vec2_norm_first(torch, models):
    model = ready(models.wav2vec2_model(**NORM_FIRST, aux_num_out=None), torch)
    x, lengths = signal(torch, 2, 300), integers(torch, 300, 121)
    return [model(x, lengths)[0], *model.extract_features(x, lengths, 1)[0]]


@case
def wavlm(torch, models):
    model = ready(models.wavlm_model(**WAV2VEC2, **BUCKETS, aux_num_out=5), torch)
    x = signal(torch, 2, 600)
    return [model(x)[0], *model.extract_features(x)[0]]


@case
def hubert_pretraining(torch, models):
    model = ready(models.hubert_pretrain_model(**WAV2VEC2, **HUBERT), torch)
    x, lengths = signal(torch, 2, 300), integers(torch, 300, 211)
    labels = torch.arange(2 * 29).reshape(2, 29) % 7
    torch.manual_seed(3)
    masked = model(x, labels, lengths)
    return [*masked, *model(x, labels)[:2]]


@case
def conformer(torch, models):
    model = ready(models.Conformer(16, 4, 24, 2, 7), torch)
    return model(signal(torch, 3, 11, 16), integers(torch, 11, 4, 1))


@case
def conformer_convolution_first(torch, models):
    model = ready(models.Conformer(16, 2, 24, 2, 5, 0.1, True, True), torch)
    return model(signal(torch, 2, 11, 16), integers(torch, 11, 8))[0]


def _streamed(model, x, size, step):
    """What `model.infer` gives for one segment after another."""
    found, states = [], None
    for start in range(0, x.shape[1] - size + 1, step):
        lengths = x.new_full((len(x),), size).int()
        lengths[-1] -= start // step
        out, lengths, states = model.infer(x[:, start : start + size], lengths, states)
        found += [out, lengths]
    return [*found, *states[-1]]


@case
def emformer(torch, models):
    model = models.Emformer(16, 4, 24, 2, 4, 0.1, "silu", 5, 2)
    model, x = ready(model, torch), signal(torch, 2, 17, 16)
    return [model(x, integers(torch, 15, 9))[0], *_streamed(model, x, 6, 4)]


@case
def emformer_with_memory(torch, models):
    model = models.Emformer(16, 4, 24, 2, 4, 0.1, "gelu", 3, 1, 2, "constant", True)
    model, x = ready(model, torch), signal(torch, 2, 18, 16)
    return [model(x, integers(torch, 17, 9))[0], *_streamed(model, x, 5, 4)]


@case
def rnnt(torch, models):
    model = ready(models.emformer_rnnt_model(**RNNT), torch)
    x, targets = signal(torch, 2, 27, 6), torch.arange(10).reshape(2, 5) % 9
    out = model(x, integers(torch, 24, 17), targets, integers(torch, 5, 3))
    found = [*out[:3], *out[3][1]]
    search = models.RNNTBeamSearch(model, 8, temperature=2.0, step_max_tokens=3)
    hypotheses = search(x[0], integers(torch, 24), 4)
    state, heard = None, None
    for start in (0, 8):
        heard, state = search.infer(
            x[1, start : start + 12], torch.tensor(12), 3, state=state, hypothesis=heard
        )
    for hypothesis in [*hypotheses, *heard]:
        found += [torch.tensor(hypothesis[0]), torch.tensor(float(hypothesis[3]))]
    return found


@case
def conv_tasnet(torch, models):
    found = []
    for kernel, activation, samples in ((16, "sigmoid", 203), (5, "relu", 121)):
        model = ready(models.ConvTasNet(2, kernel, 12, 3, 8, 10, 2, 2, activation), torch)
        found.append(model(signal(torch, 2, 1, samples)))
    return found


@case
def hdemucs(torch, models):
    model = ready(models.HDemucs(["a", "b"], channels=8, nfft=1024, depth=5), torch)
    return model(signal(torch, 1, 2, 3000)[..., :])


@case
def hdemucs_medium(torch, models):
    model = ready(models.HDemucs(["a"], 1, channels=4, nfft=2048, depth=6, norm_starts=2), torch)
    return model(signal(torch, 2, 1, 9000))


@case
def tacotron2(torch, models):
    model = ready(models.Tacotron2(mask_padding=True, **TACOTRON), torch)
    tokens, lengths = torch.arange(14).reshape(2, 7) % 11, integers(torch, 7, 5)
    torch.manual_seed(5)
    taught = model(tokens, lengths, signal(torch, 2, 6, 8), integers(torch, 8, 6))
    return [*taught, *model.infer(tokens, lengths)]


@case
def wavernn(torch, models):
    model = models.WaveRNN([2, 3], 16, 6, 2, 10, 8, 5, 7, 8, 12)
    model = ready(model, torch)
    torch.manual_seed(1)
    drawn = model.infer(signal(torch, 2, 7, 3, seed=1), integers(torch, 3, 2))
    return [model(signal(torch, 2, 1, 24), signal(torch, 2, 1, 7, 8, seed=1)), *drawn]


@case
def squim_objective(torch, models):
    model = models.squim_objective_model(8, 16, 8, 2, 6, 2, "LSTM", 7)
    return ready(model, torch)(signal(torch, 2, 500, scale=0.1))


@case
def squim_subjective(torch, models):
    from_features = models.wav2vec2_model(**WAV2VEC2, aux_num_out=None)
    module = __import__(models.SquimSubjective.__module__, fromlist=["Predictor"])
    parts = torch.nn.Linear(16, 6), module.Predictor(12, 5)
    model = ready(models.SquimSubjective(from_features, *parts), torch)
    return model(signal(torch, 2, 300), signal(torch, 2, 130, seed=1))


def evaluate(name, torch, models):
    """The results of a case as NumPy arrays."""
    with torch.no_grad():
        found = CASES[name](torch, models)
    found = [found] if hasattr(found, "shape") else found
    return [x.detach().numpy() for x in found if x is not None]
