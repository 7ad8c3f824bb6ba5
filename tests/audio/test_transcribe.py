"""`python -m tallowaudio transcribe`: files, folders and patterns; what is no sound."""

import json

import pytest

import tallow
import tallowaudio
from tallowaudio.__main__ import main
from tallowaudio.commands import transcribe
from tallowaudio.models import StreamingRecognizer


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A recogniser that hears an "a" wherever it is louder than a whisper, saved."""
    tallow.manual_seed(0)
    network = StreamingRecognizer("-a", 8, 8).eval()
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    network.save(path)
    return path


@pytest.fixture
def sounds(tmp_path):
    tallow.manual_seed(1)
    for name, seconds, rate in (("one.wav", 1.0, 8000), ("deep/two.flac", 0.7, 16000)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        samples = tallow.rand(1, int(seconds * rate)) - 0.5
        tallowaudio.save(tmp_path / name, samples, rate)
    return tmp_path


def told(capsys, *arguments):
    status = main(["transcribe", *map(str, arguments)])
    return status, *capsys.readouterr()


def test_a_folder_is_heard_as_its_files_are(model, sounds, capsys):
    status, out, err = told(capsys, sounds, "--model", model, "--json")
    assert (status, err) == (0, "")
    found = [json.loads(line) for line in out.splitlines()]
    assert [entry["file"] for entry in found] == [
        str(sounds / "deep" / "two.flac"), str(sounds / "one.wav"),
    ]  # fmt: skip
    assert [entry["seconds"] for entry in found] == [0.7, 1.0]
    assert all(len(entry["text"]) == len(entry["times"]) for entry in found)
    _, plain, _ = told(capsys, sounds / "*.wav", "--model", model)
    assert plain == f"{sounds / 'one.wav'}: {found[1]['text'] or '(nothing heard)'}\n"


@pytest.mark.parametrize("rate", [8000, 22050])
def test_a_long_file_is_heard_in_blocks(rate, sounds, monkeypatch):
    path = sounds / "long.wav"
    whole = tallow.rand(1, rate * 5 + 123) - 0.5
    tallowaudio.save(path, whole, rate, encoding="PCM_F", bits_per_sample=32)
    monkeypatch.setattr(transcribe, "BLOCK", 2)
    pieces = list(transcribe.blocks(path, 8000))
    expected = tallowaudio.functional.resample(whole[0], rate, 8000)
    assert len(pieces) == 3
    assert tallow.allclose(tallow.cat(pieces), expected, atol=1e-5)


def test_guesses(model, sounds, capsys):
    status, out, _ = told(capsys, sounds / "one.wav", "--model", model, "--json", "--top-k", 3)
    found = json.loads(out)
    shares = [guess["probability"] for guess in found["guesses"]]
    assert status == 0 and len(shares) == 3
    assert shares == sorted(shares, reverse=True) and 0 < sum(shares) <= 1
    _, plain, _ = told(capsys, sounds / "one.wav", "--model", model, "--top-k", 3)
    assert plain.count("\n") == 4 and f"%  {found['guesses'][0]['text']}\n" in plain
    status, out, err = told(capsys, sounds / "one.wav", "--top-k", 0)
    assert (status, out) == (1, "") and "--top-k: expected a number from 1, got 0" in err


def test_what_is_no_sound_is_told_and_the_rest_is_heard(model, sounds, capsys):
    (sounds / "text.wav").write_text("not a sound")
    status, out, err = told(capsys, sounds / "text.wav", sounds / "one.wav", "--model", model)
    assert status == 1 and "text.wav" in err and "one.wav" in out
    assert "Traceback" not in err
    for missing, message in (("none.wav", "none.wav"), ("*.mp3", "fit the pattern")):
        status, out, err = told(capsys, sounds / missing, "--model", model)
        assert status == 1 and message in err and out == ""
    (sounds / "empty").mkdir()
    status, _, err = told(capsys, sounds / "empty", "--model", model)
    assert status == 1 and "expected sound files in the folder" in err
    status, _, err = told(capsys, sounds / "one.wav", "--model", sounds / "one.wav")
    assert status == 1 and "one.wav" in err
