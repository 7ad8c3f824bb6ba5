"""python -m tallowaudio: what its commands print, write and return."""

import json
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest

import tallow
import tallowaudio
from tallowaudio.__main__ import COMMANDS, main


@pytest.fixture
def sound(tmp_path):
    """A WAV file of a second: 1,000 Hz left, silence right."""
    tone = tallow.sin(tallow.arange(8000) * (2 * tallow.pi * 1000 / 8000)) / 2
    path = str(tmp_path / "tone.wav")
    tallowaudio.save(
        path, tallow.stack([tone, tone * 0]), 8000, encoding="PCM_S", bits_per_sample=16
    )
    return path


def pixels(path):
    """The pixels (height, width, 3) of a PNG file written without filters."""
    content = path.read_bytes()
    width, height = struct.unpack(">II", content[16:24])
    start = content.index(b"IDAT")
    (size,) = struct.unpack(">I", content[start - 4 : start])
    rows = np.frombuffer(zlib.decompress(content[start + 4 : start + 4 + size]), np.uint8)
    return rows.reshape(height, 1 + 3 * width)[:, 1:].reshape(height, width, 3)


def test_info(sound, capsys):
    assert main(["info", sound]) == 0
    line = f"{sound}: 1.000 s, 8000 frames at 8000 Hz, channels: 2, PCM_S of 16 bits\n"
    assert capsys.readouterr().out == line
    assert main(["info", "--json", sound]) == 0
    about = json.loads(capsys.readouterr().out)
    assert (about["seconds"], about["num_channels"], about["encoding"]) == (1.0, 2, "PCM_S")


def test_info_goes_on_after_a_bad_file(sound, tmp_path, capsys):
    (tmp_path / "text.wav").write_text("no sound")
    assert main(["info", str(tmp_path / "text.wav"), str(tmp_path / "none.wav"), sound]) == 1
    printed = capsys.readouterr()
    assert printed.out.startswith(sound)
    assert "text.wav: expected a sound file" in printed.err and "none.wav" in printed.err


@pytest.mark.parametrize(("arguments", "rows"), [([], 257 * 2), (["--mel", "40"], 400)])
def test_spectrogram(sound, tmp_path, capsys, arguments, rows):
    picture = tmp_path / "tone.png"
    assert main(["spectrogram", sound, "-o", str(picture), *arguments]) == 0
    assert "1.000 s, 0 to 4000 Hz" in capsys.readouterr().out
    found = pixels(picture)
    assert found.shape == (rows, 63, 3)
    if not arguments:  # 1,000 Hz is a quarter of the way up
        brightest = found.sum((1, 2), dtype=int).argmax()
        assert abs(brightest / rows - 0.75) < 0.01


def test_spectrogram_of_too_little(tmp_path, capsys):
    path = str(tmp_path / "short.wav")
    tallowaudio.save(path, tallow.zeros(1, 100), 8000)
    assert main(["spectrogram", path, "-o", str(tmp_path / "a.png")]) == 1
    assert "more than 256 frames, got 100" in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()


def test_convert(sound, tmp_path, capsys):
    to = str(tmp_path / "b.flac")
    options = ["--rate", "4000", "--mono", "--start", "0.25", "--seconds", "0.5"]
    assert main(["convert", sound, to, *options]) == 0
    assert capsys.readouterr().out == f"{to}: 0.500 s at 4000 Hz\n"
    about = tallowaudio.info(to)
    assert (about.sample_rate, about.num_frames, about.num_channels) == (4000, 2000, 1)


def test_convert_keeps_the_samples(sound, tmp_path):
    to = str(tmp_path / "b.wav")
    assert main(["convert", sound, to]) == 0
    assert tallowaudio.info(to) == tallowaudio.info(sound)
    assert tallow.equal(tallowaudio.load(to)[0], tallowaudio.load(sound)[0])
    assert main(["convert", sound, str(tmp_path / "c.flac")]) == 0
    assert main(["convert", str(tmp_path / "c.flac"), to]) == 0
    assert tallow.equal(tallowaudio.load(to)[0], tallowaudio.load(sound)[0])


def test_wrong_usage(capsys):
    for arguments in ([], ["play"], ["info"], ["spectrogram", "a.wav"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2
    assert "usage: python -m tallowaudio" in capsys.readouterr().err


def test_as_a_program(sound):
    done = subprocess.run(
        [sys.executable, "-m", "tallowaudio", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0 and all(name in done.stdout for name in COMMANDS)
