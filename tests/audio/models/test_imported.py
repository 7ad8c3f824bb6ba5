"""Weights of transformers and of fairseq give here what they give there."""

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest

import tallow
from tallowaudio import models
from tallowaudio.models.wav2vec2.utils import import_fairseq_model, import_huggingface_model

_spec = importlib.util.spec_from_file_location("audio_models", Path(__file__).with_name("cases.py"))
cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)
GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "transformers.json").read_text())


def weights(golden):
    shapes = golden["shapes"].items()
    made = {key: cases.generated.array(key, tuple(shape)) for key, shape in shapes}
    return {key: tallow.from_numpy(array) for key, array in made.items()}


@pytest.mark.parametrize("kind", GOLDEN)
def test_weights_of_transformers(kind, tmp_path):
    golden = GOLDEN[kind]
    x = np.random.default_rng(0).normal(size=(2, 600)).astype(np.float32)
    (tmp_path / "config.json").write_text(json.dumps(golden["config"]))
    tallow.save(weights(golden), tmp_path / "model.safetensors")
    for model in (
        import_huggingface_model(weights(golden), golden["config"]),
        import_huggingface_model(tmp_path),
    ):
        with tallow.no_grad():
            found, _ = model.eval()(tallow.from_numpy(x))
        np.testing.assert_allclose(found.numpy(), golden["logits"], atol=1e-4)


def fairseq_keys(state):
    """A state dict as fairseq names it."""
    names = (
        (r"^encoder\.feature_projection\.projection", "post_extract_proj"),
        (r"^encoder\.feature_projection\.layer_norm", "layer_norm"),
        (r"\.conv_layers\.(\d+)\.conv", r".conv_layers.\1.0"),
        (r"\.conv_layers\.0\.layer_norm", ".conv_layers.0.2"),
        (r"transformer\.pos_conv_embed\.conv", "pos_conv.0"),
        (r"transformer\.", ""),
        (r"parametrizations\.weight\.original0", "weight_g"),
        (r"parametrizations\.weight\.original1", "weight_v"),
        (r"(layers\.\d+)\.attention", r"\1.self_attn"),
        (r"(encoder\.layers\.\d+)\.layer_norm", r"\1.self_attn_layer_norm"),
        (r"feed_forward\.intermediate_dense", "fc1"),
        (r"feed_forward\.output_dense", "fc2"),
        (r"^aux", "proj"),
    )
    renamed = {}
    for key, value in state.items():
        for pattern, name in names:
            key = re.sub(pattern, name, key)
        renamed[key if key.startswith("proj") else f"w2v_model.{key}"] = value
    return renamed


def test_weights_of_fairseq():
    model = models.wav2vec2_model(**cases.WAV2VEC2, aux_num_out=5)
    model = cases.generated.load(model, tallow).eval()
    theirs = fairseq_keys(model.state_dict()) | {"w2v_model.mask_emb": tallow.zeros(16)}
    assert "w2v_model.encoder.layers.1.self_attn.k_proj.bias" in theirs
    imported = import_fairseq_model(theirs, num_heads=4).eval()
    x = tallow.rand(1, 300)
    with tallow.no_grad():
        assert tallow.allclose(imported(x)[0], model(x)[0], atol=1e-6)


def test_what_is_no_such_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected a config"):
        import_huggingface_model({})
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="expected model.safetensors or pytorch_model.bin"):
        import_huggingface_model(tmp_path)
    with pytest.raises(ValueError, match="expected keys of wav2vec 2.0, got 'decoder.weight'"):
        import_fairseq_model({"decoder.weight": tallow.zeros(1)})
