"""wav2vec 2.0, HuBERT and WavLM as transformers and fairseq keep them."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import tallow
from tallow.errors import ArgumentError
from tallowaudio.models.wav2vec2.model import wav2vec2_model, wavlm_model

WEIGHTS = ("model.safetensors", "pytorch_model.bin")


def _state_of(original):
    """The state dict of a module of whichever library, or the dict itself, as tallow's tensors."""
    state = original.state_dict() if hasattr(original, "state_dict") else original
    return {
        key: x if isinstance(x, tallow.Tensor) else tallow.tensor(x.detach().cpu().numpy())
        for key, x in state.items()
    }


def import_huggingface_model(original, config=None):
    """The `Wav2Vec2Model` of one of transformers'.

    `original` is an instance of Wav2Vec2Model, HubertModel, WavLMModel or their ForCTC; or a folder
    with config.json and the weights; or a state dict, with `config` as in that file.
    """
    if isinstance(original, str | Path):
        folder = Path(original)
        config = json.loads((folder / "config.json").read_text())
        path = next((folder / name for name in WEIGHTS if (folder / name).exists()), None)
        if path is None:
            raise ArgumentError(f"{folder}: expected {' or '.join(WEIGHTS)} in it, got neither")
        original = tallow.load(path)
    config = getattr(original, "config", config)
    if config is None:
        raise ArgumentError(
            "import_huggingface_model: expected a config with a state dict, got none"
        )
    config = SimpleNamespace(**config) if isinstance(config, dict) else config
    state = _from_huggingface(_state_of(original))
    labels = len(state["aux.bias"]) if "aux.bias" in state else None
    arguments = _huggingface_arguments(config) | {"aux_num_out": labels}
    if config.model_type == "wavlm":
        _join_projections(state)
        model = wavlm_model(
            **arguments, encoder_num_buckets=config.num_buckets,
            encoder_max_distance=config.max_bucket_distance,
        )  # fmt: skip
    else:
        model = wav2vec2_model(**arguments)
    model.load_state_dict(state)
    return model


def _huggingface_arguments(config):
    return {
        "extractor_mode": f"{config.feat_extract_norm}_norm",
        "extractor_conv_layer_config": list(
            zip(config.conv_dim, config.conv_kernel, config.conv_stride, strict=True)
        ),
        "extractor_conv_bias": config.conv_bias,
        "encoder_embed_dim": config.hidden_size,
        "encoder_projection_dropout": config.feat_proj_dropout,
        "encoder_pos_conv_kernel": config.num_conv_pos_embeddings,
        "encoder_pos_conv_groups": config.num_conv_pos_embedding_groups,
        "encoder_num_layers": config.num_hidden_layers,
        "encoder_num_heads": config.num_attention_heads,
        "encoder_attention_dropout": config.attention_dropout,
        "encoder_ff_interm_features": config.intermediate_size,
        "encoder_ff_interm_dropout": config.activation_dropout,
        "encoder_dropout": config.hidden_dropout,
        "encoder_layer_norm_first": config.do_stable_layer_norm,
        "encoder_layer_drop": config.layerdrop,
    }


_HUGGINGFACE = (
    (r"(?:wav2vec2|hubert|wavlm)\.", ""),
    (r"feature_projection\.", "encoder.feature_projection."),
    (r"encoder\.(?!feature_projection)", "encoder.transformer."),
    (r"lm_head\.", "aux."),
)


def _from_huggingface(state):
    """Keys as here, without what only training needs."""
    found = {}
    for key, x in state.items():
        for pattern, here in _HUGGINGFACE:
            key = re.sub(f"^{pattern}", here, key)
        if re.match(r"(feature_extractor|encoder|aux)\.", key):
            found[key] = x
    return found


def _join_projections(state):
    """Query, key and value in one matrix, as `nn.MultiheadAttention` has them."""
    for key in [key for key in state if key.endswith("attention.q_proj.weight")]:
        prefix = key.removesuffix("q_proj.weight")
        for kind in ("weight", "bias"):
            parts = [state.pop(f"{prefix}{name}_proj.{kind}") for name in "qkv"]
            state[f"{prefix}attention.in_proj_{kind}"] = tallow.cat(parts)
            state[f"{prefix}attention.out_proj.{kind}"] = state.pop(f"{prefix}out_proj.{kind}")


_LAYER = r"encoder\.layers\.(\d+)\."
_FAIRSEQ = (
    (r"feature_extractor\.conv_layers\.(\d+)\.0\.", r"feature_extractor.conv_layers.\1.conv."),
    (
        r"feature_extractor\.conv_layers\.(\d+)\.2\.(?:1\.)?",
        r"feature_extractor.conv_layers.\1.layer_norm.",
    ),
    (r"post_extract_proj\.", "encoder.feature_projection.projection."),
    (r"layer_norm\.", "encoder.feature_projection.layer_norm."),
    (r"encoder\.pos_conv\.0\.", "encoder.transformer.pos_conv_embed.conv."),
    (r"encoder\.layer_norm\.", "encoder.transformer.layer_norm."),
    (_LAYER + r"self_attn\.", r"encoder.transformer.layers.\1.attention."),
    (_LAYER + r"self_attn_layer_norm\.", r"encoder.transformer.layers.\1.layer_norm."),
    (_LAYER + r"fc1\.", r"encoder.transformer.layers.\1.feed_forward.intermediate_dense."),
    (_LAYER + r"fc2\.", r"encoder.transformer.layers.\1.feed_forward.output_dense."),
    (_LAYER + r"final_layer_norm\.", r"encoder.transformer.layers.\1.final_layer_norm."),
    (r"proj\.", "aux."),
)
_TRAINING = ("mask_emb", "quantizer", "project_q", "final_proj", "label_embs_concat")


def _from_fairseq(state):
    """Keys as here, without what only training needs."""
    found = {}
    for key, x in state.items():
        name = key.removeprefix("w2v_encoder.").removeprefix("w2v_model.")
        if name.startswith(_TRAINING):
            continue
        for pattern, here in _FAIRSEQ:
            if re.match(pattern, name):
                found[re.sub(f"^{pattern}", here, name)] = x
                break
        else:
            raise ArgumentError(f"import_fairseq_model: expected keys of wav2vec 2.0, got {key!r}")
    return found


def import_fairseq_model(original, strides=None, num_heads=None):
    """The `Wav2Vec2Model` of one of fairseq's, wav2vec 2.0 or HuBERT, fine-tuned or not.

    `original` is the module, its state dict, or a checkpoint file. Sizes are those of the weights;
    what these do not show is as in all published ones: convolutions `strides` of 5 and then 2, and
    heads of 64 dimensions.
    """
    if isinstance(original, str | Path):
        original = tallow.load(original)["model"]
    state = _from_fairseq(_state_of(original))
    weights = [x for key, x in state.items() if re.search(r"conv_layers\.\d+\.conv\.weight", key)]
    strides = [5] + [2] * (len(weights) - 1) if strides is None else strides
    convolutions = [(len(x), x.shape[2], step) for x, step in zip(weights, strides, strict=True)]
    place = "encoder.transformer.pos_conv_embed.conv.weight_v"
    width, per_group, kernel = state[place].shape
    layers = 1 + max(
        int(found[1]) for key in state if (found := re.search(r"layers\.(\d+)\.a", key))
    )
    each = "feature_extractor.conv_layers.1.layer_norm.weight" in state
    model = wav2vec2_model(
        "layer_norm" if each else "group_norm", convolutions,
        "feature_extractor.conv_layers.0.conv.bias" in state, width, 0.1, kernel,
        width // per_group, layers, num_heads or width // 64, 0.1,
        len(state["encoder.transformer.layers.0.feed_forward.intermediate_dense.bias"]), 0.1, 0.1,
        each, 0.1, len(state["aux.bias"]) if "aux.bias" in state else None,
    )  # fmt: skip
    model.load_state_dict(state)
    return model
