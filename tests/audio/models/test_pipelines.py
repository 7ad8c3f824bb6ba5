"""Bundles: where weights are, what they are loaded into, and what goes in and comes out."""

import json

import pytest

import tallow
from tallow import hub
from tallowaudio import models, pipelines
from tallowaudio.pipelines import _assets, rnnt, speech, wav2vec2

SMALL = ["group_norm", [(8, 10, 5), (8, 3, 2)], False, 8, 0.1, 4, 2, 1, 2, 0.1, 8, 0.1, 0.1, False]


def small(aux_num_out=None):
    return models.wav2vec2_model(*SMALL, 0.1, aux_num_out)


@pytest.fixture
def published(monkeypatch):
    """Weights "published" under addresses; those that were asked for."""
    files, asked = {}, []

    def load(url, **options):
        asked.append(url)
        return files[url]

    monkeypatch.setattr(hub, "load_state_dict_from_url", load)
    return files, asked


def test_features_are_loaded_from_the_publisher(published):
    files, asked = published
    url = "https://download.pytorch.org/torchaudio/models/some.pth"
    model = small()
    files[url] = model.state_dict()
    x = tallow.rand(1, 100) + 3
    with tallow.no_grad():
        plain = wav2vec2.Wav2Vec2Bundle("some.pth", small).get_model()
        assert tallow.equal(plain(x)[0], model.eval()(x)[0])
        normal = wav2vec2.Wav2Vec2Bundle("some.pth", small, True).get_model()
        wanted = model((x - x.mean()) / x.std(correction=0))[0]
        assert tallow.allclose(normal(x)[0], wanted, atol=1e-3)
        assert len(normal.extract_features(x)[0]) == 1
    assert asked == [url] * 2 and not normal.training


def test_labels_of_fairseq_without_speech_are_dropped(published):
    files, _ = published
    state = small(8).state_dict()
    files["https://download.pytorch.org/torchaudio/models/asr.pth"] = state
    bundle = wav2vec2.Wav2Vec2ASRBundle("asr.pth", small, labels=("|", "A", "B", "C"))
    model = bundle.get_model()
    assert bundle.get_labels() == ("-", "|", "A", "B", "C")
    assert tallow.equal(model.aux.bias, state["aux.bias"][[0, 4, 5, 6, 7]])


def test_transcripts_are_aligned(published):
    files, _ = published
    files["https://somewhere/model.pt"] = small(7).state_dict()
    bundle = wav2vec2.Wav2Vec2FABundle("https://somewhere/model.pt", small, labels=("a", "b", "c"))
    with tallow.no_grad():
        scores, _ = bundle.get_model()(tallow.rand(1, 200))
    assert scores.shape[-1] == len(bundle.get_labels()) == 5
    assert bool((scores[..., -1] == 0).all())
    emission = tallow.nn.functional.one_hot(tallow.tensor([0, 1, 1, 0, 2, 3, 0]), 5).float() * 9
    tokens = bundle.get_tokenizer()(["a", "bc"])
    first, second = bundle.get_aligner()(emission.log_softmax(-1), tokens)
    assert [(s.token, s.start, s.end) for s in [*first, *second]] == [
        (1, 1, 3),
        (2, 4, 5),
        (3, 5, 6),
    ]
    with pytest.raises(ValueError, match="expected letters among -abc.*, got 'x'"):
        bundle.get_tokenizer()(["ax"])


@pytest.mark.parametrize("name", [name for name in dir(pipelines) if name.isupper()])
def test_bundles_say_where_and_at_what_rate(name):
    bundle = getattr(pipelines, name)
    if isinstance(bundle, speech.Tacotron2TTSBundle):
        assert bundle.path.startswith("tacotron2_english_")
    else:
        assert bundle.sample_rate in (8000, 16000, 44100) and bundle.path
    if hasattr(bundle, "labels"):
        labels = bundle.get_labels()
        assert labels[0] == "-" and len(set(labels)) == len(labels)


def varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def message(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def test_pieces_of_sentencepiece_are_read(tmp_path):
    pieces = ["<s>", "<unk>", "\u2581he", "llo", "\u2581you", "</s>"]
    scored = b"\x15" + bytes(4) + b"\x18\x03"  # a float and an integer, which are skipped
    path = tmp_path / "some.model"
    path.write_bytes(
        b"".join(message(1, message(1, piece.encode()) + scored) for piece in pieces)
        + message(2, b"a" * 200)
    )
    processor = rnnt.TokenProcessor(rnnt.sentencepiece_pieces(path))
    assert processor([6, 2, 3, 1, 4, 5]) == "hello you"
    assert processor([6, 2], lstrip=False) == " he"
    path.write_bytes(b"\xff\xff")
    with pytest.raises(RuntimeError, match="expected a SentencePiece model"):
        rnnt.sentencepiece_pieces(path)


def test_features_of_the_transducer(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "get_dir", lambda: str(tmp_path))
    bundle = pipelines.EMFORMER_RNNT_BASE_LIBRISPEECH
    path = tmp_path / "torchaudio" / "torchaudio" / bundle.statistics
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"mean": [1.0] * 80, "invstddev": [0.5] * 80}))
    assert _assets.asset(bundle.statistics) == path
    sound = tallow.rand(3200)
    features, length = bundle.get_feature_extractor()(sound)
    streamed, _ = bundle.get_streaming_feature_extractor()(sound)
    assert features.shape == (25, 80) and length.tolist() == [25] and streamed.shape == (21, 80)
    assert bool((features[-4:] == 0).all()) and tallow.equal(features[:21], streamed)
    energy = bundle.get_feature_extractor().spectrogram(sound).T * 32767.0**2
    assert tallow.allclose(streamed, (energy.log() - 1) / 2, atol=1e-4)


def test_text_becomes_symbols():
    numbers, lengths = speech.CharacterProcessor()(["Hi, you!", "§a"])
    assert lengths.tolist() == [8, 1] and numbers[1].tolist() == [12] + [0] * 7
    words = {"HI": ["HH", "AY1"], "YOU": ["Y", "UW1"]}
    numbers, lengths = speech.PhoneProcessor(words)("Hi you!")
    assert [speech.PHONES[i] for i in numbers[0].tolist()] == ["HH", "AY1", " ", "Y", "UW1", "!"]
    with pytest.raises(ValueError, match="got 'WHO'"):
        speech.PhoneProcessor(words)("who?")
    assert len(speech.PHONES) == 96


def test_vocoders_give_waveforms():
    tallow.manual_seed(0)
    spectrum = tallow.randn(1, 80, 8) - 3
    waveform, _ = pipelines.TACOTRON2_GRIFFINLIM_CHAR_LJSPEECH.get_vocoder()(spectrum)
    assert waveform.shape == (1, 1792) and bool(waveform.isfinite().all())
    model = models.WaveRNN([2, 2], 16, 4, n_res_block=1, n_rnn=8, n_fc=8, n_freq=80, n_hidden=8)
    waveform, lengths = speech.WaveRNNVocoder(model)(spectrum, tallow.tensor([2]))
    assert waveform.shape == (1, 32) and lengths.tolist() == [8]
    assert float(waveform.abs().max()) <= 1


def test_asset_is_downloaded_once(tmp_path, monkeypatch):
    fetched = []

    def download(url, path):
        fetched.append(url)
        path.parent.mkdir(parents=True)
        path.write_text("{}")

    monkeypatch.setattr(hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(hub, "download_url_to_file", download)
    for _ in range(2):
        assert _assets.asset("pipeline-assets/a.json").read_text() == "{}"
    assert fetched == ["https://download.pytorch.org/torchaudio/pipeline-assets/a.json"]
