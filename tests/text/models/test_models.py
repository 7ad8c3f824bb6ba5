"""Models of text: shapes, learning, writing, and what they refuse."""

import json

import pytest

import tallow
from tallow.errors import ArgumentError, TypeMismatchError
from tallowtext import models
from tallowtext.models._generation import restrict
from tallowtext.prototype.generate import GenerationUtils

TOKENS = tallow.tensor([[5, 6, 7, 8], [9, 3, 0, 0]])


@pytest.fixture
def gpt():
    tallow.manual_seed(0)
    conf = models.GPT2Conf(50, 16, 2, 2, max_seq_len=32)
    model = models.GPT2Model(conf).eval()
    with tallow.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    return model


# Classifiers


@pytest.mark.parametrize(
    "make",
    [models.EmbeddingBagClassifier, models.TextCNN, models.LSTMClassifier,
     lambda *sizes: models.LSTMClassifier(*sizes, num_layers=2, bidirectional=False)],
)  # fmt: skip
def test_classifiers_do_not_see_padding(make):
    tallow.manual_seed(0)
    model = make(20, 3).eval()
    scores = model(TOKENS)
    assert scores.shape == (2, 3)
    tallow.testing.assert_close(model(TOKENS[1:, :2]), scores[1:])
    wider = tallow.nn.functional.pad(TOKENS, (0, 3))
    tallow.testing.assert_close(model(wider)[0], scores[0])
    with pytest.raises(ArgumentError, match="an empty text has no class"):
        model(tallow.zeros(1, 0, dtype=tallow.long))


def test_a_classifier_learns():
    tallow.manual_seed(0)
    model = models.LSTMClassifier(10, 2, 8, 8)
    tokens = tallow.randint(1, 10, (64, 6))
    labels = (tokens[:, 0] > 5).long()
    optimizer = tallow.optim.Adam(model.parameters(), 0.02)
    for _ in range(60):
        loss = tallow.nn.functional.cross_entropy(model(tokens), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (model.eval()(tokens).argmax(1) == labels).float().mean() > 0.95


# n-grams


def test_ngrams_are_those_of_words():
    features = models.NgramFeatures(1 << 40, words=2, characters=None)
    numbers, offsets = features(["Don't stop", "don't", "stop do n't", "stop  STOP!"])
    lists = [set(part.tolist()) for part in tallow.tensor_split(numbers, offsets[1:].tolist())]
    assert [len(part) for part in lists] == [5, 3, 5, 4]  # do, n't, stop, do n't, n't stop
    assert lists[1] < lists[0] and lists[1] < lists[2]
    assert len(lists[0] & lists[2]) == 4 and len(lists[0] & lists[3]) == 1
    assert [["Isn't", "it?"][0][a:b] for a, b in features.split("Isn't")] == ["Is", "n't"]


def test_ngrams_of_characters():
    features = models.NgramFeatures(1 << 40, words=1, characters=(3, 4))
    numbers, offsets = features(["ab", "abc", "xabc"])
    lists = [set(part.tolist()) for part in tallow.tensor_split(numbers, offsets[1:].tolist())]
    # <ab>: <ab ab> <ab>; <abc>: <ab abc bc> <abc abc>; <xabc>: four of 3 and three of 4
    assert [len(part) for part in lists] == [1 + 3, 1 + 5, 1 + 7]
    assert len(lists[0] & lists[1]) == 1 and len(lists[1] & lists[2]) == 3
    assert features("é")[0].shape == (2,)


def test_ngrams_need_words():
    with pytest.raises(ArgumentError, match="text 1: expected words, got ' ... '"):
        models.NgramFeatures()(["good", " ... "])


def test_importance_adds_up_to_the_score():
    tallow.manual_seed(0)
    features, model = models.NgramFeatures(5000), models.NgramClassifier(3, 5000)
    tallow.nn.init.normal_(model.table.weight)
    text = "A fine, fine film isn't it?"
    words = models.importance(model, features, text, 2)
    assert [text[a:b] for a, b, _ in words] == ["A", "fine", "fine", "film", "is", "n't", "it", "?"]
    score = model(*features(text))[0, 2]
    assert sum(value for *_, value in words) == pytest.approx(score.item(), rel=1e-5)
    model.table.weight.data.zero_()
    assert {value for *_, value in models.importance(model, features, text, 0)} == {0.0}


def test_two_classes_share_a_column():
    model = models.NgramClassifier(2, 100)
    model.bias.data += 3
    chances = model(*models.NgramFeatures(100)("word")).softmax(-1)[0]
    assert chances[1].item() == pytest.approx(tallow.tensor(3.0).sigmoid().item())


# Writing


def test_cache_changes_nothing(gpt):
    cache = [()] * 2
    parts = [gpt(TOKENS[:, :2], cache=cache), gpt(TOKENS[:, 2:3], cache=cache)]
    parts.append(gpt(TOKENS[:, 3:], cache=cache))
    tallow.testing.assert_close(tallow.cat(parts, 1), gpt(TOKENS), rtol=1e-4, atol=1e-5)


def test_padding_on_the_left_changes_nothing(gpt):
    prompt = tallow.tensor([[5, 6, 7]])
    padded = tallow.nn.functional.pad(prompt, (2, 0))
    mask = tallow.tensor([[0, 0, 1, 1, 1]])
    for beams in (1, 3):
        alone = gpt.generate(prompt, 8, beams)
        assert tallow.equal(gpt.generate(padded, 8, beams, attention_mask=mask)[:, 2:], alone)


def test_sampling(gpt):
    prompt = tallow.tensor([[5, 6, 7]] * 4)
    tallow.manual_seed(1)
    first = gpt.generate(prompt, 12, do_sample=True, temperature=2.0)
    tallow.manual_seed(1)
    assert tallow.equal(gpt.generate(prompt, 12, do_sample=True, temperature=2.0), first)
    assert len({tuple(row) for row in first.tolist()}) > 1
    likeliest = gpt.generate(prompt, 12)
    for limits in ({"top_k": 1}, {"top_p": 1e-6}, {"temperature": 1e-4}):
        assert tallow.equal(gpt.generate(prompt, 12, do_sample=True, **limits), likeliest)


def test_an_end_ends(gpt):
    prompt = tallow.tensor([[5, 6, 7], [8, 9, 10]])
    free = gpt.generate(prompt, 10)
    end = free[0, 5].item()
    found = gpt.generate(prompt, 10, eos_token_id=end, pad_token_id=49)
    for row, unbounded in zip(found.tolist(), free.tolist(), strict=True):
        cut = unbounded[: unbounded.index(end, 3) + 1] if end in unbounded[3:] else unbounded
        assert row[: len(cut)] == cut and set(row[len(cut) :]) <= {49}


def test_beams_find_what_is_likelier(gpt):
    prompt = tallow.tensor([[5, 6, 7]])

    def likelihood(tokens):
        chances = gpt(tokens[:, :-1]).log_softmax(-1)
        return chances.gather(2, tokens[:, 1:, None])[:, 2:].sum().item()

    assert likelihood(gpt.generate(prompt, 8, 8)) >= likelihood(gpt.generate(prompt, 8))


def test_restrict():
    scores = tallow.tensor([[0.5, 0.2, 0.3]]).log()
    kept = [restrict(scores, **how).isfinite().tolist()[0] for how in (
        {"top_k": 2}, {"top_p": 0.4}, {"top_p": 0.6}, {"top_p": 0.9}, {"top_k": 9})]  # fmt: skip
    assert kept == [[True, False, True], [True, False, False], [True, False, True],
                    [True, True, True], [True, True, True]]  # fmt: skip


@pytest.mark.parametrize(
    "how, message",
    [
        ({"max_new_tokens": 0}, "max_new_tokens"), ({"num_beams": 0}, "num_beams"),
        ({"num_beams": 2, "do_sample": True}, "one beam"),
        ({"do_sample": True, "temperature": 0.0}, "temperature above 0"),
        ({"do_sample": True, "top_k": -1}, "top_k >= 0"),
        ({"do_sample": True, "top_p": 1.5}, "top_p from 0 to 1"),
        ({"max_new_tokens": 31}, "expected up to 32 tokens, got 33"),
    ],
)  # fmt: skip
def test_what_cannot_be_written(gpt, how, message):
    with pytest.raises(ArgumentError, match=message):
        gpt.generate(tallow.tensor([[5, 6, 7]]), **how)


def test_nothing_to_go_on_from(gpt):
    with pytest.raises(ArgumentError, match="an empty text needs a first token"):
        gpt.generate(tallow.zeros(1, 0, dtype=tallow.long))


def test_generation_utils(gpt):
    wrapped = GenerationUtils(gpt, is_encoder_decoder=False)
    prompt = tallow.tensor([[5, 6, 7]])
    assert tallow.equal(
        wrapped.generate(prompt, max_length=9, eos_idx=None), gpt.generate(prompt, 6)
    )
    assert wrapped.generate(prompt, num_beams=3, max_length=9).shape[1] <= 9
    with pytest.raises(ArgumentError, match="max_length"):
        wrapped.generate(prompt, max_length=3)


def test_seq2seq_learns_to_reverse():
    tallow.manual_seed(0)
    model = models.Seq2Seq(12, 12, 16, 32, start_idx=1)
    source = tallow.randint(3, 12, (128, 4))
    target = tallow.cat([tallow.ones(128, 1, dtype=tallow.long), source.flip(1)], 1)
    optimizer = tallow.optim.Adam(model.parameters(), 0.01)
    for _ in range(120):
        scores = model(source, target[:, :-1])
        loss = tallow.nn.functional.cross_entropy(scores.flatten(0, 1), target[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    for beams in (1, 3):
        assert (model.generate(source, 4, beams) == target).float().mean() > 0.95
    looked = model.attention(source[:1], target[:1, :-1])
    assert looked.shape == (1, 4, 4) and looked.sum(-1).allclose(tallow.ones(1, 4))
    padded = tallow.nn.functional.pad(source[:3], (0, 2))
    tallow.testing.assert_close(
        model(padded, target[:3]), model(source[:3], target[:3]), rtol=1e-4, atol=1e-5
    )


# Encoders and T5


def test_encoders_take_what_fits():
    conf = models.RobertaEncoderConf(60, 16, 24, 1, 10, 2, 1)
    model = models.RobertaModel(conf)
    assert model(tallow.full((1, 8), 5)).shape == (1, 8, 16)
    for length in (0, 9):
        with pytest.raises(ArgumentError, match="a length from 1 to 8, got .*Truncate"):
            model(tallow.full((1, length), 5))
    with pytest.raises(TypeMismatchError, match="expected a RobertaEncoderConf, got dict"):
        models.RobertaModel({})


def test_frozen_encoder():
    conf = models.RobertaEncoderConf(60, 16, 24, 1, 10, 2, 1)
    head = models.RobertaClassificationHead(2, 16)
    model = models.RobertaModel(conf, head, freeze_encoder=True)
    trained = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    assert trained == [f"head.{name}" for name, _ in head.named_parameters()]


def test_t5_refuses():
    with pytest.raises(ArgumentError, match="'relu' or 'gated-gelu', got 'odd-gelu'"):
        models.T5Conf(feed_forward_proj="odd-gelu")
    with pytest.raises(ArgumentError, match=r"activation: expected relu, .*got 'sine'"):
        models.T5Model(models.T5Conf(False, True, 16, 8, 2, 1, 1, 32, activation="sine"))
    model = models.T5Model(models.T5Conf(True, False, 16, 8, 2, 1, 1, 32, vocab_size=50))
    with pytest.raises(ArgumentError, match="linear_head and a decoder"):
        model.generate(TOKENS)
    with pytest.raises(ArgumentError, match="expected encoder_tokens"):
        model()
    with pytest.raises(TypeMismatchError, match="expected a T5Conf, got str"):
        models.T5Model("t5")


def test_t5_goes_on_from_what_it_kept():
    tallow.manual_seed(0)
    model = models.T5Model(models.T5Conf(False, True, 16, 8, 2, 2, 2, 32, vocab_size=50)).eval()
    target = tallow.tensor([[0, 7, 8], [0, 9, 10]])
    whole = model(TOKENS, target, return_past_key_values=True)
    assert len(whole["past_key_values"]) == 2 and len(whole["past_key_values"][0]) == 4
    first = model(TOKENS, target[:, :2], return_past_key_values=True)
    rest = model(
        decoder_tokens=target[:, 2:], encoder_outputs=first, encoder_padding_mask=TOKENS == 0,
        past_key_values=first["past_key_values"],
    )  # fmt: skip
    tallow.testing.assert_close(
        rest["decoder_output"][:, 0], whole["decoder_output"][:, 2], rtol=1e-4, atol=1e-5
    )


def test_t5_mask():
    """A mask that lets the decoder look nowhere ahead is what it has by itself."""
    tallow.manual_seed(0)
    model = models.T5Model(models.T5Conf(False, False, 16, 8, 2, 1, 2, 32, vocab_size=50)).eval()
    target = tallow.tensor([[0, 7, 8], [0, 9, 10]])
    ahead = tallow.ones(3, 3, dtype=tallow.bool).triu(1)
    expected = model(TOKENS, target)["decoder_output"]
    for mask in (ahead, tallow.zeros(3, 3).masked_fill(ahead, -tallow.inf)):
        tallow.testing.assert_close(
            model(TOKENS, target, decoder_mask=mask)["decoder_output"], expected
        )


def test_bundle_without_weights():
    bundle = models.T5Bundle(models.T5Conf(False, True, 16, 8, 2, 1, 1, 32, vocab_size=50))
    made = bundle.get_model(load_weights=False, with_generation_utils=True)
    assert made.generate(TOKENS, max_length=4).shape[1] <= 4
    with pytest.raises(ArgumentError, match="expected a bundle with weights"):
        bundle.get_model()
    with pytest.raises(TypeMismatchError, match="an address or a state dict, got int"):
        models.T5Bundle.build_model(bundle.config, checkpoint=3)


# Directories


def test_directories_that_are_none(tmp_path, gpt):
    with pytest.raises(ArgumentError, match=r"config.json, got gpt2; .*downloaded first"):
        models.GPT2Model.from_pretrained("gpt2")
    path = tmp_path / "config.json"
    for text, message in (
        ("{", "expected JSON"), ("[]", "with a model_type, got none"),
        ('{"model_type": "llama"}', "model_type gpt2, got 'llama'"),
        ('{"model_type": "gpt2"}', "expected one of model.safetensors"),
    ):  # fmt: skip
        path.write_text(text)
        with pytest.raises(ArgumentError, match=message):
            models.GPT2Model.from_pretrained(tmp_path)
    path.write_text('{"model_type": "llama"}')
    with pytest.raises(ArgumentError, match="expected a model_type of bert, gpt2, .*got 'llama'"):
        models.from_pretrained(tmp_path)
    gpt.save_pretrained(tmp_path)
    assert tallow.equal(models.from_pretrained(tmp_path)(TOKENS), gpt(TOKENS))
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"n_embd": 8}))
    with pytest.raises(RuntimeError, match="token_embeddings.weight"):
        models.GPT2Model.from_pretrained(tmp_path)
    path.write_text(json.dumps(config | {"activation_function": "sine"}))
    with pytest.raises(ArgumentError, match="activation: expected relu"):
        models.GPT2Model.from_pretrained(tmp_path)


def test_several_files_and_pickles(tmp_path, gpt):
    from tallow.serialization.safetensors import save_sharded

    gpt.save_pretrained(tmp_path)
    weights = tallow.load(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").unlink()
    tallow.save(weights, tmp_path / "pytorch_model.bin")
    again = models.GPT2Model.from_pretrained(tmp_path)
    assert tallow.equal(again(TOKENS), gpt(TOKENS))
    (tmp_path / "pytorch_model.bin").unlink()
    save_sharded(weights, tmp_path, "20KB")
    assert tallow.equal(models.GPT2Model.from_pretrained(tmp_path)(TOKENS), gpt(TOKENS))
