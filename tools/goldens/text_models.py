"""Records what torchtext 0.18 and transformers give for small models with generated weights.

    python tools/goldens/text_models.py torchtext       run where torchtext is installed
    python tools/goldens/text_models.py transformers    run where transformers is installed

Written to tests/text/models/golden: NAME.npz, the outputs, with the configurations and the shapes
of the weights as JSON in it.
"""

import importlib.util
import json
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import torch

TESTS = Path(__file__).parents[2] / "tests" / "text" / "models"


def _generated():
    spec = importlib.util.spec_from_file_location("generated", TESTS / "generated.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generated = _generated()


def prepared(model):
    """The model with generated weights, in evaluation mode, and their shapes."""
    shapes = {
        name: list(tensor.shape)
        for name, tensor in model.state_dict().items()
        if tensor.is_floating_point()
    }
    made = {name: torch.from_numpy(w) for name, w in generated.weights(shapes).items()}
    model.load_state_dict(made, strict=False)
    return model.eval(), shapes


def torchtext_cases():
    """(name, facts, outputs) of torchtext's models."""
    import torchtext

    torchtext.disable_torchtext_deprecation_warning()
    from torchtext import models
    from torchtext.prototype.generate import GenerationUtils

    small = {
        "vocab_size": 60, "embedding_dim": 16, "qkv_dim": 6, "num_attention_heads": 4,
        "num_encoder_layers": 2, "num_decoder_layers": 3, "ffn_dimension": 24,
    }  # fmt: skip
    source = torch.from_numpy(generated.tokens(0, lengths=(40, 25, 3)))
    target = torch.from_numpy(generated.tokens(0, lengths=(30, 30, 18), seed=1))
    target[:, 0] = 0
    for name, more in (
        ("t5", {"linear_head": True}),
        ("t5_gated", {"linear_head": True, "feed_forward_proj": "gated-gelu"}),
        ("t5_encoder", {"encoder_only": True}),
    ):
        model, shapes = prepared(models.T5Model(models.T5Conf(**small, **more)))
        found = model(source) if name == "t5_encoder" else model(source, target)
        outputs = {
            key: found[key]
            for key in ("encoder_output", "decoder_output")
            if found[key] is not None
        }
        if name != "t5_encoder":
            outputs["written"] = GenerationUtils(model).generate(source, max_length=20)
        yield name, {"config": small | more, "shapes": shapes}, outputs

    tokens = torch.from_numpy(generated.tokens(1))
    masked = torch.zeros_like(tokens)
    masked[0, 2] = masked[1, 3] = 1
    for name, before in (("roberta", False), ("roberta_norm_first", True)):
        config = models.RobertaEncoderConf(60, 16, 24, 1, 20, 2, 3, normalize_before=before)
        head = models.RobertaClassificationHead(3, 16)
        model, shapes = prepared(models.RobertaModel(config, head))
        outputs = {
            "features": model.encoder(tokens), "masked": model.encoder(tokens, masked),
            "scores": model(tokens),
        }  # fmt: skip
        yield name, {"config": asdict(config), "shapes": shapes}, outputs

    bundles = {}
    for name in sorted(vars(models)):
        bundle = getattr(models, name)
        if isinstance(bundle, models.T5Bundle):
            bundles[name] = [bundle._path, asdict(bundle.config)]
        elif isinstance(bundle, models.RobertaBundle):
            bundles[name] = [bundle._path, asdict(bundle.encoderConf)]
    yield "bundles", bundles, {}


def transformers_cases():
    """(name, facts, outputs) of models of transformers."""
    import transformers as hf

    small = {
        "vocab_size": 60, "hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2,
        "intermediate_size": 24, "max_position_embeddings": 32,
    }  # fmt: skip
    types = torch.from_numpy(generated.tokens(0, 5, seed=2)) % 2
    for name, make, config, padding in (
        ("bert", hf.BertModel, hf.BertConfig(**small), 0),
        ("bert_classes", hf.BertForSequenceClassification, hf.BertConfig(**small, num_labels=3), 0),
        ("roberta", partial(hf.RobertaModel, add_pooling_layer=False),
         hf.RobertaConfig(**small, type_vocab_size=1), 1),
        (
            "roberta_classes", hf.RobertaForSequenceClassification,
            hf.RobertaConfig(**small, type_vocab_size=1, num_labels=4), 1,
        ),
    ):  # fmt: skip
        model, shapes = prepared(make(config))
        tokens = torch.from_numpy(generated.tokens(padding))
        kinds = {} if padding else {"token_type_ids": types}
        found = model(tokens, attention_mask=(tokens != padding).long(), **kinds)
        names = {"logits": "scores", "last_hidden_state": "features", "pooler_output": "pooled"}
        outputs = {names[key]: found[key] for key in names if key in found}
        yield name, {"config": config.to_dict(), "shapes": shapes}, outputs

    config = hf.GPT2Config(
        vocab_size=60, n_embd=16, n_head=2, n_layer=2, n_positions=64, bos_token_id=0,
        eos_token_id=0, pad_token_id=0, architectures=["GPT2LMHeadModel"],
    )  # fmt: skip
    model, shapes = prepared(hf.GPT2LMHeadModel(config))
    tokens = torch.from_numpy(generated.tokens(0)).flip(1)
    mask = (tokens != 0).long()
    places = (mask.cumsum(1) - 1).clamp(0)
    outputs = {"scores": model(tokens, attention_mask=mask, position_ids=places).logits}
    outputs |= written(model, tokens, mask, range(3, 60, 19))
    yield "gpt2", {"config": config.to_dict(), "shapes": shapes}, outputs

    source = torch.from_numpy(generated.tokens(0, lengths=(40, 25, 3)))
    target = torch.from_numpy(generated.tokens(0, lengths=(30, 30, 30), seed=1))
    target[:, 0] = 0
    mask = (source != 0).long()
    for name, more in (
        ("t5", {}),
        ("t5_gated", {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}),
    ):
        config = hf.T5Config(
            vocab_size=60, d_model=16, d_kv=6, num_heads=3, num_layers=2, num_decoder_layers=2,
            d_ff=24, decoder_start_token_id=0, architectures=["T5ForConditionalGeneration"], **more,
        )  # fmt: skip
        model, shapes = prepared(hf.T5ForConditionalGeneration(config))
        found = model(input_ids=source, attention_mask=mask, decoder_input_ids=target)
        outputs = {"scores": found.logits} | written(model, source, mask, (1, 22))
        yield name, {"config": config.to_dict(), "shapes": shapes}, outputs


def written(model, tokens, mask, ends):
    """What a model writes, by number of beams, exponent of the length, and token of the end."""
    return {
        f"written {beams} {penalty} {end}": model.generate(
            tokens, attention_mask=mask, max_new_tokens=15, num_beams=beams, do_sample=False,
            eos_token_id=end, pad_token_id=0, **({"length_penalty": penalty} if beams > 1 else {}),
        )
        for end in ends
        for beams, penalty in ((1, 1.0), (2, 1.0), (3, 0.0), (4, 2.0))
    }  # fmt: skip


@torch.no_grad()
def main(name):
    facts, arrays = {}, {}
    for case, about, outputs in {"torchtext": torchtext_cases, "transformers": transformers_cases}[
        name
    ]():
        facts[case] = about
        arrays |= {f"{case}/{key}": tensor.numpy() for key, tensor in outputs.items()}
    path = TESTS / "golden" / f"{name}.npz"
    np.savez_compressed(path, facts=np.array(json.dumps(facts)), **arrays)
    print(path.name, len(arrays), "arrays", path.stat().st_size, "bytes")


if __name__ == "__main__":
    main(sys.argv[1])
