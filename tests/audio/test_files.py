"""load, save and info: every encoding, against libsndfile, and files that are broken."""

import io
import os
import struct
import subprocess
import sys

import numpy as np
import pytest
import soundfile

import tallow
import tallowaudio
from tallow.errors import TallowError
from tallowaudio._errors import AudioFileError


def signal(channels=2, frames=500, dtype="float32"):
    """A tensor (channels, frames) that has the ends of its range in it."""
    values = np.sin(np.arange(channels * frames) / 7).reshape(channels, frames)
    values[0, :4] = [0, -1, 1 - 2**-24, -(2**-15)]
    if dtype == "uint8":
        return tallow.from_numpy((values * 127 + 128).astype(np.uint8))
    if dtype.startswith("int"):
        top = np.iinfo(dtype).max
        return tallow.from_numpy(
            np.clip(np.rint(values * (top + 1.0)), -top - 1, top).astype(dtype)
        )
    return tallow.from_numpy(values.astype(dtype))


WAVS = [
    # encoding, bits, libsndfile's subtype, dtype when not normalized, precision
    ("PCM_U", 8, "PCM_U8", "uint8", 2**-7), ("PCM_S", 16, "PCM_16", "int16", 2**-15),
    ("PCM_S", 24, "PCM_24", "int32", 2**-23), ("PCM_S", 32, "PCM_32", "int32", 2**-23),
    ("PCM_F", 32, "FLOAT", "float32", 0), ("PCM_F", 64, "DOUBLE", "float64", 0),
    ("ULAW", 8, "ULAW", "int16", 2**-5), ("ALAW", 8, "ALAW", "int16", 2**-5),
]  # fmt: skip


@pytest.mark.parametrize(("encoding", "bits", "subtype", "native", "precision"), WAVS)
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_wav_and_libsndfile(tmp_path, encoding, bits, subtype, native, precision, channels):
    """Each reads what the other writes, to the same samples."""
    ours, theirs, wave = tmp_path / "ours.wav", tmp_path / "theirs.wav", signal(channels, 501)
    tallowaudio.save(ours, wave, 8000, encoding=encoding, bits_per_sample=bits)
    soundfile.write(theirs, wave.numpy().T, 8000, subtype)
    assert soundfile.info(ours).subtype == subtype
    expected = tallowaudio.AudioMetaData(8000, 501, channels, bits, encoding)
    for path in (ours, theirs):
        assert tallowaudio.info(path) == expected
        found, rate = tallowaudio.load(path)
        assert (found.dtype, tuple(found.shape), rate) == (tallow.float32, (channels, 501), 8000)
        np.testing.assert_array_equal(
            found.numpy().T, soundfile.read(path, dtype="float32", always_2d=True)[0]
        )
        np.testing.assert_allclose(found.numpy(), wave.numpy(), atol=1.01 * precision)
        raw, _ = tallowaudio.load(path, normalize=False)
        assert raw.dtype.name == native
    if encoding not in ("ULAW", "ALAW"):  # at the middle between two codes both are right
        assert ours.read_bytes()[-400:] == theirs.read_bytes()[-400:]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32", "float64"])
def test_wav_keeps_every_bit(tmp_path, dtype):
    wave = signal(2, 300, dtype)
    tallowaudio.save(tmp_path / "a.wav", wave, 44100)
    found, rate = tallowaudio.load(tmp_path / "a.wav", normalize=False)
    assert rate == 44100 and found.dtype is wave.dtype
    np.testing.assert_array_equal(found.numpy(), wave.numpy())
    scaled = tallowaudio.load(tmp_path / "a.wav")[0]
    np.testing.assert_allclose(scaled.numpy(), signal(2, 300).numpy(), atol=2**-6)


FORMATS = [
    ("flac", {}, "FLAC", 16, 2**-15), ("flac", {"bits_per_sample": 24}, "FLAC", 24, 2**-22),
    ("flac", {"bits_per_sample": 8, "compression": 8}, "FLAC", 8, 2**-6),
    ("ogg", {}, "VORBIS", 0, 0.1), ("ogg", {"compression": 9}, "VORBIS", 0, 0.1),
    ("opus", {}, "OPUS", 0, 0.1), ("ogg", {"encoding": "opus"}, "OPUS", 0, 0.1),
    ("mp3", {}, "MP3", 0, 0.1), ("aiff", {}, "PCM_S", 16, 2**-15),
    ("aiff", {"encoding": "PCM_F"}, "PCM_F", 32, 1e-7), ("sph", {}, "PCM_S", 32, 1e-7),
]  # fmt: skip


@pytest.mark.parametrize(("format", "options", "encoding", "bits", "precision"), FORMATS)
def test_other_formats(tmp_path, format, options, encoding, bits, precision):
    t = tallow.arange(4800) / 16000
    wave = tallow.stack([(t * 2000).sin(), (t * 3000).cos()]) * 0.5
    path = tmp_path / f"a.{format}"
    tallowaudio.save(path, wave, 16000, **options)
    about = tallowaudio.info(path)
    assert (about.sample_rate, about.num_channels) == (16000, 2)
    assert (about.encoding, about.bits_per_sample, about.num_frames) == (encoding, bits, 4800)
    found, rate = tallowaudio.load(path)
    assert rate == 16000 and tuple(found.shape) == (2, 4800)
    middle = (found - wave)[:, 500:-500].abs().max()
    assert middle < precision
    part, _ = tallowaudio.load(path, frame_offset=1000, num_frames=50)
    np.testing.assert_allclose(part.numpy(), found[:, 1000:1050].numpy(), atol=0.02)


def test_part_of_a_file(tmp_path):
    wave = signal(2, 100)
    tallowaudio.save(tmp_path / "a.wav", wave, 8000)
    for offset, count in ((0, 10), (90, 50), (100, 5), (7, -1), (0, 0)):
        found, _ = tallowaudio.load(tmp_path / "a.wav", offset, count)
        stop = 100 if count < 0 else offset + count
        np.testing.assert_array_equal(found.numpy(), wave[:, offset:stop].numpy())
    across, _ = tallowaudio.load(tmp_path / "a.wav", channels_first=False)
    np.testing.assert_array_equal(across.numpy(), wave.numpy().T)
    tallowaudio.save(tmp_path / "b.wav", across, 8000, channels_first=False)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_loaded_samples_can_be_written():
    file = io.BytesIO()
    tallowaudio.save(file, signal(dtype="int16"), 8000, format="wav")
    samples, _ = tallowaudio.load(file, normalize=False)
    samples += 1
    assert samples.dtype is tallow.int16


@pytest.mark.parametrize("format", ["wav", "flac", "ogg"])
def test_file_objects(tmp_path, format):
    wave, memory = signal(1, 2000) * 0.5, io.BytesIO()
    tallowaudio.save(memory, wave, 8000, format=format)
    found, _ = tallowaudio.load(memory)
    assert tuple(found.shape) == (1, 2000)
    assert tallowaudio.info(memory).num_frames == 2000
    (tmp_path / "a").write_bytes(memory.getvalue())
    with open(tmp_path / "a", "rb") as file:
        again, _ = tallowaudio.load(file)
        assert not file.closed
    np.testing.assert_array_equal(again.numpy(), found.numpy())


def test_content_counts_not_the_name(tmp_path):
    tallowaudio.save(tmp_path / "a.mp3", signal(), 8000, format="wav")
    assert tallowaudio.info(tmp_path / "a.mp3").encoding == "PCM_F"


def test_foreign_chunks_and_long_headers(tmp_path):
    """A LIST chunk of odd length before the data, and the extensible form of a header."""
    samples = np.arange(6, dtype="<i2")
    tail = bytes.fromhex("000000001000800000aa00389b71")
    fmt = struct.pack("<HHIIHHHHIH", 0xFFFE, 2, 8000, 32000, 4, 16, 22, 16, 3, 1) + tail
    chunks = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    chunks += b"fmt " + struct.pack("<I", len(fmt)) + fmt
    chunks += b"data" + struct.pack("<I", 12) + samples.tobytes() + b"LIST"
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    found, _ = tallowaudio.load(path, normalize=False)
    assert found.tolist() == [[0, 2, 4], [1, 3, 5]]


def test_wav_of_unknown_length(tmp_path):
    """Written into a pipe: the header says 0xFFFFFFFF, and the file's end counts."""
    path = tmp_path / "a.wav"
    tallowaudio.save(path, signal(1, 50, "int16"), 8000)
    content = path.read_bytes()
    path.write_bytes(content[:40] + b"\xff" * 4 + content[44:])
    assert tallowaudio.info(path).num_frames == 50


def wav_bytes():
    """A WAV file of 50 frames of 16 bits, as a bytearray."""
    file = io.BytesIO()
    tallowaudio.save(file, signal(1, 50, "int16"), 8000, format="wav")
    return bytearray(file.getvalue())


def flac_bytes():
    file = io.BytesIO()
    noise = np.random.default_rng(0).uniform(-1, 1, (1, 20000)).astype(np.float32)
    tallowaudio.save(file, tallow.from_numpy(noise), 8000, format="flac")
    return bytearray(file.getvalue())


def zeroed(content, start, stop):
    content[start:stop] = bytes(stop - start)
    return content


BROKEN = [
    ("empty.wav", lambda: b"", "got an empty file"),
    ("text.wav", lambda: b"this is no sound at all", "that libsndfile reads, got"),
    ("html.mp3", lambda: b"<html><body>404</body></html>" * 9, "that libsndfile reads, got"),
    ("cut.wav", lambda: wav_bytes()[:100], "expected 100 bytes of samples.*got 56.*truncated"),
    ("head.wav", lambda: wav_bytes()[:30], "of 16 bytes, got 10"),
    ("nodata.wav", lambda: wav_bytes()[:36], "ends before its samples"),
    ("nothing.wav", lambda: wav_bytes()[:12], "ends before its description"),
    ("norate.wav", lambda: zeroed(wav_bytes(), 24, 28), "above 0, got 1, 0 and 2"),
    ("nochannel.wav", lambda: zeroed(wav_bytes(), 22, 24), "above 0, got 0, 8000"),
    ("nofmt.wav", lambda: wav_bytes()[:12] + wav_bytes()[36:], "'fmt ' before 'data'"),
    ("cut.flac", lambda: flac_bytes()[:9000], "cut.flac: expected"),
    ("head.flac", lambda: flac_bytes()[:20], "head.flac: expected"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "message"), BROKEN)
def test_broken_files_are_named(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content())
    with pytest.raises(AudioFileError, match=message) as caught:
        tallowaudio.load(path)
    assert str(path) in str(caught.value) and isinstance(caught.value, RuntimeError)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.wav"):
        tallowaudio.load(tmp_path / "none.wav")


ERRORS = [
    ({"src": tallow.zeros(5)}, RuntimeError, r"\(channels, frames\), got float32 \(5,\)"),
    ({"sample_rate": 0}, ValueError, "above 0 in Hz, got 0"),
    ({"uri": "a.xyz"}, ValueError, "a.xyz: expected a format of wav, .*got 'xyz'"),
    ({"uri": io.BytesIO()}, ValueError, "expected format with a file object"),
    ({"src": tallow.zeros(1, 5, dtype=tallow.int64)}, RuntimeError, "got tallow.int64"),
    ({"bits_per_sample": 12}, ValueError, "got PCM_S of 12 bits"),
    ({"encoding": "PCM_U", "bits_per_sample": 16}, ValueError, "got PCM_U of 16 bits"),
    ({"encoding": "MP3"}, ValueError, "got MP3 of None bits"),
    ({"compression": 3}, ValueError, "no compression for WAV"),
    ({"uri": "a.flac", "compression": 9}, ValueError, "0 to 8 for FLAC .* got 9 for FLAC"),
    ({"uri": "a.flac", "bits_per_sample": 32}, ValueError, "for FLAC .*got None of 32 bits"),
    ({"uri": "a.mp3", "src": tallow.zeros(3, 5)}, RuntimeError, "got 3 channels at 8000 Hz"),
    ({"uri": "a.opus", "sample_rate": 44100}, RuntimeError, "Opus only supports sample rates"),
    ({"uri": "a.ogg", "src": tallow.zeros(300, 5)}, ValueError, "255 channels .*got 300 at 8000"),
    ({"uri": "a.ogg", "sample_rate": 300_000}, ValueError, "got 2 at 300000 Hz"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors_of_save(tmp_path, number):
    changes, error, message = ERRORS[number]
    arguments = {"uri": "a.wav", "src": signal(), "sample_rate": 8000} | changes
    if isinstance(arguments["uri"], str):
        arguments["uri"] = tmp_path / arguments["uri"]
    with pytest.raises(error, match=message) as caught:
        tallowaudio.save(**arguments)
    assert isinstance(caught.value, TallowError)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.mp3"
    tallowaudio.save(path, signal(1, 3000) * 0.5, 8000)
    before = path.read_bytes()
    with pytest.raises(AudioFileError):
        tallowaudio.save(path, tallow.zeros(3, 5), 8000)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_offsets_are_checked(tmp_path):
    tallowaudio.save(tmp_path / "a.wav", signal(1, 10), 8000)
    for arguments in ({"frame_offset": 11}, {"frame_offset": -1}, {"num_frames": -2}):
        with pytest.raises(ValueError, match="a.wav: expected frame_offset from 0 to 10"):
            tallowaudio.load(tmp_path / "a.wav", **arguments)


def test_wav_without_soundfile(tmp_path):
    """In a process that cannot import soundfile: WAV works, others say what is missing."""
    code = """
import sys; sys.modules["soundfile"] = None
import tallow, tallowaudio
wave = tallow.rand(2, 100) - 0.5
tallowaudio.save("a.wav", wave, 8000, encoding="PCM_S", bits_per_sample=16)
assert (tallowaudio.load("a.wav")[0] - wave).abs().max() < 1e-4
try:
    tallowaudio.save("a.flac", wave, 8000)
except ImportError as error:
    assert "need the package soundfile" in str(error)
    print("as expected")
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "as expected\n", done.stderr
