"""Files read and written block by block."""

import io
import tracemalloc

import numpy as np
import pytest

import tallow
import tallowaudio
from tallow.errors import TallowError
from tallowaudio.io import StreamReader, StreamWriter


def wave(frames=2500, channels=2):
    t = np.arange(frames * channels, dtype=np.float32).reshape(frames, channels)
    return tallow.from_numpy(np.sin(t / 50) / 2)


@pytest.mark.parametrize(("format", "precision"), [("wav", 0), ("flac", 2**-15), ("ogg", 0.1)])
def test_round_trip(tmp_path, format, precision):
    path, samples = tmp_path / f"a.{format}", wave()
    writer = StreamWriter(path)
    writer.add_audio_stream(8000, 2)
    with writer.open():
        for start in range(0, 2500, 700):
            writer.write_audio_chunk(0, samples[start : start + 700])
        assert not path.exists()
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    loaded, rate = tallowaudio.load(path, channels_first=False)
    assert rate == 8000 and loaded.shape == (2500, 2)
    np.testing.assert_allclose(loaded, samples, atol=precision)
    with StreamReader(path) as reader:
        reader.add_basic_audio_stream(999)
        chunks = [chunk for (chunk,) in reader.stream()]
    assert [len(chunk) for chunk in chunks] == [999, 999, 502]
    assert tallow.equal(tallow.cat(chunks), loaded)


@pytest.mark.parametrize("form", ["dbl", "s16", "s32", "u8"])
@pytest.mark.parametrize("format", ["wav", "flac"])
def test_forms(form, format):
    """One channel, an odd number of frames: the WAV file of 8 bits is padded."""
    samples = (wave(777, 1) * 0.9).double()
    bits = {"s16": 15, "s32": 31, "u8": 7}.get(form)
    dtypes = {"s16": tallow.int16, "s32": tallow.int32, "u8": tallow.uint8}
    given = samples if bits is None else (samples * 2**bits + 128 * (form == "u8")).to(dtypes[form])
    file = io.BytesIO()
    writer = StreamWriter(file, format)
    writer.add_audio_stream(8000, 1, form)
    with writer.open():
        writer.write_audio_chunk(0, given)
    loaded, _ = tallowaudio.load(file, channels_first=False)
    np.testing.assert_allclose(loaded, samples, atol=2.0 ** -min(bits or 23, 15) * 1.01)
    if format == "wav":
        assert file.getbuffer().nbytes % 2 == 0
        raw, _ = tallowaudio.load(file, normalize=False, channels_first=False)
        assert tallow.equal(raw, given)


def test_reader():
    file = io.BytesIO()
    tallowaudio.save(file, wave().T, 8000, format="wav")
    reader = StreamReader(file)
    about = reader.get_src_stream_info(reader.default_audio_stream)
    assert (about.sample_rate, about.num_channels, about.num_frames) == (8000.0, 2, 2500)
    assert (reader.num_src_streams, reader.num_out_streams) == (1, 0)
    reader.add_audio_stream(-1)
    assert reader.num_out_streams == 1
    reader.seek(0.25)
    ((chunk,),) = reader.stream()
    assert tallow.equal(chunk, wave()[2000:]) and list(reader.stream()) == []
    reader.seek(99)
    assert list(reader.stream()) == []


def test_memory_does_not_grow_with_length(tmp_path):
    """Five minutes at 16 kHz, 19 MB, in blocks of a second, within 1 MB."""
    path = tmp_path / "long.wav"
    writer = StreamWriter(path)
    writer.add_audio_stream(16000, 1)
    tracemalloc.start()
    with writer.open():
        for _ in range(300):
            writer.write_audio_chunk(0, tallow.zeros(16000, 1))
    with StreamReader(path) as reader:
        reader.add_basic_audio_stream(16000)
        assert sum(len(chunk) for (chunk,) in reader.stream()) == 300 * 16000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_failure_leaves_nothing(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"before")
    writer = StreamWriter(path)
    writer.add_audio_stream(8000, 1)
    with pytest.raises(KeyboardInterrupt), writer.open():
        writer.write_audio_chunk(0, wave(10, 1))
        raise KeyboardInterrupt
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]
    writer = StreamWriter(tmp_path / "b.opus")
    writer.add_audio_stream(44100, 1)
    with pytest.raises(RuntimeError, match="b.opus: expected samples that the format holds"):
        writer.open()
    assert list(tmp_path.iterdir()) == [path]


def test_errors(tmp_path):
    path = tmp_path / "text.wav"
    path.write_text("no sound")
    with pytest.raises(RuntimeError, match="text.wav: expected a sound file"):
        StreamReader(path)
    file = io.BytesIO()
    tallowaudio.save(file, wave().T, 8000, format="wav")
    reader, writer = StreamReader(file), StreamWriter(io.BytesIO(), "wav")
    calls = [
        (lambda: next(reader.stream()), "add_basic_audio_stream first"),
        (lambda: reader.add_basic_audio_stream(0), "above 0, or -1, got 0"),
        (lambda: reader.get_src_stream_info(1), "stream 0, the only one, got 1"),
        (lambda: reader.seek(-1), "0 or more, got -1"),
        (lambda: StreamWriter("a.xyz"), "a.xyz: expected a format of wav, .*got 'xyz'"),
        (lambda: writer.open(), "add_audio_stream first"),
        (lambda: writer.add_audio_stream(0, 1), "got 0, 1 and 'flt'"),
        (lambda: writer.write_audio_chunk(0, wave()), "an open writer"),
    ]
    for call, message in calls:
        with pytest.raises(ValueError, match=message) as caught:
            call()
        assert isinstance(caught.value, TallowError)
    writer.add_audio_stream(8000, 1)
    with pytest.raises(RuntimeError, match=r"float32 \(frames, 1\), got float32 \(2500, 2\)"):
        writer.open().write_audio_chunk(0, wave())


@pytest.mark.parametrize("format", ["wav", "flac"])
def test_nan_is_no_integer(tmp_path, format):
    """Nothing is written; as floats, NaN is."""
    samples = tallow.tensor([[0.5, float("nan")]])
    with pytest.raises(ValueError, match="got 1 samples that are NaN"):
        tallowaudio.save(tmp_path / f"a.{format}", samples, 8000, bits_per_sample=16)
    assert list(tmp_path.iterdir()) == []
    tallowaudio.save(tmp_path / "a.wav", samples, 8000)
    assert tallowaudio.load(tmp_path / "a.wav")[0].isnan().tolist() == [[False, True]]
