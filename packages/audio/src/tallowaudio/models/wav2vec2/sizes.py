"""The sizes of wav2vec 2.0, HuBERT and WavLM that were published."""

from tallowaudio.models.wav2vec2.model import wav2vec2_model, wavlm_model
from tallowaudio.models.wav2vec2.pretraining import hubert_pretrain_model


def size(mode, bias, width, layers, heads, hidden, norm_first):
    """What the networks of one size share."""
    return {
        "extractor_mode": mode,
        "extractor_conv_layer_config": None,
        "extractor_conv_bias": bias,
        "encoder_embed_dim": width,
        "encoder_pos_conv_kernel": 128,
        "encoder_pos_conv_groups": 16,
        "encoder_num_layers": layers,
        "encoder_num_heads": heads,
        "encoder_ff_interm_features": hidden,
        "encoder_layer_norm_first": norm_first,
    }


BASE = size("group_norm", False, 768, 12, 12, 3072, False)
LARGE = size("layer_norm", False, 1024, 24, 16, 4096, True)
XLARGE = size("layer_norm", False, 1280, 48, 16, 5120, True)
LARGE_BIASED = size("layer_norm", True, 1024, 24, 16, 4096, True)
BUCKETS = {"encoder_num_buckets": 320, "encoder_max_distance": 800}
PRETRAINING = {
    "mask_selection": "static", "mask_other": 0.0, "mask_length": 10, "no_mask_overlap": False,
    "mask_min_space": 1, "mask_channel_selection": "static", "mask_channel_other": 0.0,
    "no_mask_channel_overlap": False, "mask_channel_min_space": 1, "skip_masked": False,
    "skip_nomask": False,
}  # fmt: skip


def _builder(name, model, fixed, dropouts):
    """A function that builds one size. `dropouts` are of the projection, the attention, within and
    after the feed-forward step, and of whole layers.
    """
    projection, attention, inner, outer, layers = dropouts

    def build(
        encoder_projection_dropout=projection, encoder_attention_dropout=attention,
        encoder_ff_interm_dropout=inner, encoder_dropout=outer, encoder_layer_drop=layers,
        aux_num_out=None,
    ):  # fmt: skip
        return model(
            **fixed, encoder_projection_dropout=encoder_projection_dropout,
            encoder_attention_dropout=encoder_attention_dropout,
            encoder_ff_interm_dropout=encoder_ff_interm_dropout, encoder_dropout=encoder_dropout,
            encoder_layer_drop=encoder_layer_drop, aux_num_out=aux_num_out,
        )  # fmt: skip

    build.__name__ = build.__qualname__ = name
    build.__doc__ = (
        f"A `Wav2Vec2Model` of {fixed['encoder_num_layers']} layers of "
        f"{fixed['encoder_embed_dim']}; `aux_num_out` labels are scored, None gives features."
    )
    return build


def _pretraining(name, fixed, dropouts, final_dim, multiplier, classes):
    """A function that builds the pre-training of one size."""
    projection, attention, inner, outer, layers = dropouts

    def build(
        encoder_projection_dropout=projection, encoder_attention_dropout=attention,
        encoder_ff_interm_dropout=inner, encoder_dropout=outer, encoder_layer_drop=layers,
        mask_prob=0.8, mask_channel_prob=0.0, mask_channel_length=10,
        feature_grad_mult=multiplier, num_classes=classes,
    ):  # fmt: skip
        return hubert_pretrain_model(
            **fixed, **PRETRAINING, encoder_projection_dropout=encoder_projection_dropout,
            encoder_attention_dropout=encoder_attention_dropout,
            encoder_ff_interm_dropout=encoder_ff_interm_dropout, encoder_dropout=encoder_dropout,
            encoder_layer_drop=encoder_layer_drop, mask_prob=mask_prob,
            mask_channel_prob=mask_channel_prob, mask_channel_length=mask_channel_length,
            num_classes=num_classes, final_dim=final_dim, feature_grad_mult=feature_grad_mult,
        )  # fmt: skip

    build.__name__ = build.__qualname__ = name
    build.__doc__ = f"A `HuBERTPretrainModel` around {fixed['encoder_num_layers']} layers."
    return build


TENTHS, NONE = (0.1, 0.1, 0.1, 0.1, 0.1), (0.0, 0.0, 0.0, 0.0, 0.0)
HUBERT_DROPOUTS = (0.1, 0.1, 0.0, 0.1, 0.05)
PROJECTION_ONLY = (0.1, 0.0, 0.0, 0.0, 0.0)

wav2vec2_base = _builder("wav2vec2_base", wav2vec2_model, BASE, TENTHS)
wav2vec2_large = _builder(
    "wav2vec2_large", wav2vec2_model, size("group_norm", False, 1024, 24, 16, 4096, False), TENTHS
)
wav2vec2_large_lv60k = _builder(
    "wav2vec2_large_lv60k", wav2vec2_model, LARGE_BIASED, (0.1, 0.0, 0.1, 0.0, 0.1)
)
wav2vec2_xlsr_300m = _builder("wav2vec2_xlsr_300m", wav2vec2_model, LARGE_BIASED, NONE)
wav2vec2_xlsr_1b = _builder(
    "wav2vec2_xlsr_1b", wav2vec2_model, size("layer_norm", True, 1280, 48, 16, 5120, True),
    PROJECTION_ONLY,
)  # fmt: skip
wav2vec2_xlsr_2b = _builder(
    "wav2vec2_xlsr_2b", wav2vec2_model, size("layer_norm", True, 1920, 48, 16, 7680, True),
    PROJECTION_ONLY,
)  # fmt: skip
hubert_base = _builder("hubert_base", wav2vec2_model, BASE, HUBERT_DROPOUTS)
hubert_large = _builder("hubert_large", wav2vec2_model, LARGE, NONE)
hubert_xlarge = _builder("hubert_xlarge", wav2vec2_model, XLARGE, NONE)
wavlm_base = _builder("wavlm_base", wavlm_model, BASE | BUCKETS, TENTHS)
wavlm_large = _builder("wavlm_large", wavlm_model, LARGE | BUCKETS, (0.1, 0.1, 0.0, 0.1, 0.1))

hubert_pretrain_base = _pretraining("hubert_pretrain_base", BASE, HUBERT_DROPOUTS, 256, 0.1, 100)
hubert_pretrain_large = _pretraining("hubert_pretrain_large", LARGE, NONE, 768, None, 500)
hubert_pretrain_xlarge = _pretraining("hubert_pretrain_xlarge", XLARGE, NONE, 1024, None, 500)
