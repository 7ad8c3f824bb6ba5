"""Models against what torchtext 0.18 and transformers gave for the same generated weights."""

import importlib.util
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

import tallow
from tallowtext import models
from tallowtext.prototype.generate import GenerationUtils

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("text_generated", HERE / "generated.py")
generated = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(generated)


def golden(name):
    """The facts that were recorded, and a dict of outputs for each case."""
    with np.load(HERE / "golden" / f"{name}.npz") as file:
        facts = json.loads(str(file["facts"]))
        outputs = {case: {} for case in facts}
        for key in file.files:
            if key != "facts":
                case, _, what = key.partition("/")
                outputs[case][what] = tallow.from_numpy(file[key])
    return facts, outputs


TORCHTEXT, TRANSFORMERS = golden("torchtext"), golden("transformers")


def state(facts):
    """The generated state dict of a case."""
    made = generated.weights(facts["shapes"])
    return {name: tallow.from_numpy(array) for name, array in made.items()}


def close(found, expected, real=None):
    """Whether two are equal, but for rounding, where `real`, a mask of their first dimensions."""
    if real is not None:
        found, expected = found[real], expected[real]
    tallow.testing.assert_close(found.detach(), expected, rtol=1e-4, atol=3e-6)


@pytest.mark.parametrize("case", ["t5", "t5_gated", "t5_encoder"])
def test_t5_as_torchtext(case):
    facts, outputs = TORCHTEXT[0][case], TORCHTEXT[1][case]
    model = models.T5Model(models.T5Conf(**facts["config"])).eval()
    assert set(model.state_dict()) == set(facts["shapes"])
    model.load_state_dict(state(facts))
    source = tallow.from_numpy(generated.tokens(0, lengths=(40, 25, 3)))
    target = tallow.from_numpy(generated.tokens(0, lengths=(30, 30, 18), seed=1))
    target[:, 0] = 0
    found = model(source) if case == "t5_encoder" else model(source, target)
    close(found["encoder_output"], outputs["encoder_output"], source != 0)
    if case != "t5_encoder":
        real = (target != 0) | (tallow.arange(target.shape[1]) == 0)
        close(found["decoder_output"], outputs["decoder_output"], real)
        written = GenerationUtils(model).generate(source, max_length=20)
        assert tallow.equal(written, outputs["written"])


@pytest.mark.parametrize("case", ["roberta", "roberta_norm_first"])
def test_roberta_as_torchtext(case):
    facts, outputs = TORCHTEXT[0][case], TORCHTEXT[1][case]
    conf = models.RobertaEncoderConf(**facts["config"])
    model = models.RobertaModel(conf, models.RobertaClassificationHead(3, 16)).eval()
    assert set(model.state_dict()) == set(facts["shapes"])
    model.load_state_dict(state(facts))
    tokens = tallow.from_numpy(generated.tokens(1))
    masked = tallow.zeros_like(tokens)
    masked[0, 2] = masked[1, 3] = 1
    close(model.encoder(tokens), outputs["features"], tokens != 1)
    close(model.encoder(tokens, masked), outputs["masked"])
    close(model(tokens), outputs["scores"])


def test_published_roberta_layout():
    """The files that torchtext has published have earlier names."""
    conf = models.RobertaEncoderConf(60, 16, 24, 1, 20, 2, 2)
    model, again = models.RobertaModel(conf), models.RobertaModel(conf)
    from tallowtext.models._encoder import EARLIER

    names = {new: old for old, new in EARLIER.items()}
    earlier = {}
    for name, tensor in model.state_dict().items():
        new = next((new for new in names if f".{new}" in name), None)
        if new is not None:
            name = name.replace("layers.layers", "layers").replace(new, names[new])
        earlier[name] = tensor
    assert earlier.keys() != model.state_dict().keys()
    bundle = models.RobertaBundle.build_model(conf, checkpoint=earlier, strict=True)
    again.load_state_dict(earlier)
    for one in (again, bundle):
        for name, tensor in one.state_dict().items():
            assert tallow.equal(tensor, model.state_dict()[name]), name


def test_bundles_are_torchtexts():
    found = {}
    for name in TORCHTEXT[0]["bundles"]:
        bundle = getattr(models, name)
        conf = bundle.config if isinstance(bundle, models.T5Bundle) else bundle.encoderConf
        found[name] = [bundle._path, asdict(conf)]
    for name, (path, conf) in TORCHTEXT[0]["bundles"].items():
        assert found[name][0] == path
        assert found[name][1].items() >= conf.items(), name


def directory(case, folder):
    """A model's directory as transformers writes it."""
    facts = TRANSFORMERS[0][case]
    (folder / "config.json").write_text(json.dumps(facts["config"]))
    weights = {name: w for name, w in state(facts).items() if name not in generated.SAME}
    tallow.save(weights, folder / "model.safetensors")
    return folder


CLASSES = {
    "bert": models.BertModel, "bert_classes": models.BertModel, "gpt2": models.GPT2Model,
    "roberta": models.RobertaModel, "roberta_classes": models.RobertaModel, "t5": models.T5Model,
    "t5_gated": models.T5Model,
}  # fmt: skip


@pytest.mark.parametrize("case", [name for name in CLASSES if "bert" in name])
def test_encoders_as_transformers(case, tmp_path):
    model = CLASSES[case].from_pretrained(directory(case, tmp_path))
    outputs, padding = TRANSFORMERS[1][case], 0 if case.startswith("bert") else 1
    tokens = tallow.from_numpy(generated.tokens(padding))
    types = tallow.from_numpy(generated.tokens(0, 5, seed=2)) % 2
    found = model(tokens) if padding else model(tokens, (tokens != padding).long(), types)
    if case == "bert":
        found, pooled = found
        close(pooled, outputs["pooled"])
    if "classes" in case:
        close(found, outputs["scores"])
    else:
        close(found, outputs["features"], tokens != padding)


def check_written(model, tokens, mask, outputs):
    compared = [key for key in outputs if key.startswith("written")]
    for key in compared:
        _, beams, penalty, end = key.split()
        found = model.generate(
            tokens, 15, int(beams), length_penalty=float(penalty), eos_token_id=int(end),
            attention_mask=mask,
        )  # fmt: skip
        assert tallow.equal(found, outputs[key]), key
    assert len(compared) >= 8


def test_gpt2_as_transformers(tmp_path):
    model, outputs = models.GPT2Model.from_pretrained(directory("gpt2", tmp_path)), TRANSFORMERS[1]
    tokens = tallow.from_numpy(generated.tokens(0)).flip(1)
    mask = (tokens != 0).long()
    close(model(tokens, mask), outputs["gpt2"]["scores"], tokens != 0)
    check_written(model, tokens, mask, outputs["gpt2"])


@pytest.mark.parametrize("case", ["t5", "t5_gated"])
def test_t5_as_transformers(case, tmp_path):
    model, outputs = models.T5Model.from_pretrained(directory(case, tmp_path)), TRANSFORMERS[1]
    source = tallow.from_numpy(generated.tokens(0, lengths=(40, 25, 3)))
    target = tallow.from_numpy(generated.tokens(0, lengths=(30, 30, 30), seed=1))
    target[:, 0] = 0
    close(model(source, target)["decoder_output"], outputs[case]["scores"])
    check_written(model, source, (source != 0).long(), outputs[case])


@pytest.mark.parametrize("case", list(CLASSES))
def test_saved_is_read_again(case, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    model = CLASSES[case].from_pretrained(directory(case, first))
    model.save_pretrained(second)
    before, after = (tallow.load(folder / "model.safetensors") for folder in (first, second))
    for name, tensor in before.items():
        found = after.get(name, after.get(model.prefix + name))
        assert found is not None and tallow.equal(found, tensor), name
    again = CLASSES[case].from_pretrained(second)
    for name, tensor in model.state_dict().items():
        assert tallow.equal(again.state_dict()[name], tensor), name
