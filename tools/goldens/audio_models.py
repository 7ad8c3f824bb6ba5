"""Records what torchaudio gives for the cases of tests/audio/models: run where it is installed.

python tools/goldens/audio_models.py            its models
python tools/goldens/audio_models.py decoder    its CTC decoder, with flashlight-text and kenlm
python tools/goldens/audio_models.py imported   transformers' models, where that is installed
"""

import importlib.util
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

TESTS = Path(__file__).parents[2] / "tests" / "audio"


def cases_in(name):
    spec = importlib.util.spec_from_file_location(name, TESTS / "models" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def record_models():
    from torchaudio import models

    cases = cases_in("cases")
    arrays = {
        f"{name}.{i}": array
        for name in cases.CASES
        for i, array in enumerate(cases.evaluate(name, torch, models))
    }
    path = TESTS / "golden" / "models.npz"
    np.savez_compressed(path, **arrays)
    print(f"{path.name}: {len(cases.CASES)} cases, {path.stat().st_size} bytes")


def record_decoder():
    from torchaudio.models.decoder import ctc_decoder

    cases, folder = cases_in("decoder_cases"), Path(tempfile.mkdtemp())
    cases.write_files(folder)
    found = {name: cases.evaluate(name, folder, ctc_decoder, torch) for name in cases.CASES}
    path = TESTS / "golden" / "ctc_decoder.json"
    path.write_text(json.dumps(found))
    print(f"{path.name}: {len(found)} cases, {path.stat().st_size} bytes")


HUGGINGFACE = {
    "conv_dim": [12, 8], "conv_kernel": [10, 3], "conv_stride": [5, 2], "hidden_size": 16,
    "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 4, "num_hidden_layers": 2,
    "num_attention_heads": 4, "intermediate_size": 32, "vocab_size": 5,
    "num_feat_extract_layers": 2, "num_buckets": 12, "max_bucket_distance": 20,
}  # fmt: skip


def record_imported():
    import transformers

    generated, found = cases_in("cases").generated, {}
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 600)).astype(np.float32))
    for kind in ("Wav2Vec2", "Hubert", "WavLM"):
        config = getattr(transformers, f"{kind}Config")(**HUGGINGFACE)
        model = getattr(transformers, f"{kind}ForCTC")(config).eval()
        shapes = {key: tuple(value.shape) for key, value in model.state_dict().items()}
        generated.load(model, torch)
        with torch.no_grad():
            logits = model(x).logits
        found[kind] = {"config": config.to_dict(), "shapes": shapes, "logits": logits.tolist()}
    path = TESTS / "golden" / "transformers.json"
    path.write_text(json.dumps(found, default=str))
    print(f"{path.name}: {len(found)} models, {path.stat().st_size} bytes")


if __name__ == "__main__":
    {"decoder": record_decoder, "imported": record_imported}.get(
        "".join(sys.argv[1:]), record_models
    )()
