"""Videos: animated pictures by Pillow alone, files of PyAV where it is, and what is refused."""

import sys

import numpy as np
import PIL.Image
import pytest

import tallow
from tallow.errors import TallowError
from tallowvision import io
from tallowvision._errors import MissingPackageError
from tallowvision.io import VideoFileError, VideoReader

RATE = 12.5  # Hz: 80 milliseconds, which a GIF can say


def moving(count=6):
    """A white square that goes right, uint8 (T, 16, 24, 3)."""
    frames = np.zeros((count, 16, 24, 3), np.uint8)
    for number in range(count):
        frames[number, 4:12, 2 * number : 2 * number + 8] = 255
    return tallow.from_numpy(frames)


@pytest.fixture(params=["a.gif", "a.png", "a.webp", "a.mp4"])
def file(request, tmp_path):
    """A file of `moving()`, and by how much its levels may be off."""
    if request.param == "a.mp4":
        pytest.importorskip("av")
    io.write_video(tmp_path / request.param, moving(), RATE)
    return tmp_path / request.param, 40 if request.param == "a.mp4" else 0


def off(frames, expected):
    """The mean difference of levels."""
    return np.abs(frames.numpy().astype(int) - expected.numpy().astype(int)).mean()


def test_whole_videos(file):
    path, most = file
    frames, sound, info = io.read_video(path)
    assert frames.shape == (6, 16, 24, 3) and frames.dtype is tallow.uint8
    assert off(frames, moving()) <= most / 10 and sound.shape == (1, 0)
    assert info == {"video_fps": pytest.approx(RATE)}
    channels_first = io.read_video(str(path), output_format="tchw")[0]
    assert tallow.equal(channels_first.permute(0, 2, 3, 1), frames)
    times, rate = io.read_video_timestamps(path, "sec")
    assert [float(time) for time in times] == pytest.approx([n / RATE for n in range(6)])
    assert rate == pytest.approx(RATE)
    stamps = io.read_video_timestamps(path)[0]
    part = io.read_video(path, stamps[2], stamps[4])[0]
    assert tallow.equal(part, frames[2:5])
    assert tallow.equal(io.read_video(path, 0.16, 0.2, "sec")[0], frames[2:3])


def test_streams(file):
    path, _ = file
    whole = io.read_video(path, output_format="TCHW")[0]
    with VideoReader(path) as reader:
        meta = reader.get_metadata()["video"]
        assert meta["fps"] == [pytest.approx(RATE)] and meta["duration"] == [pytest.approx(0.48)]
        first = next(reader)
        assert first["pts"] == 0 and tallow.equal(first["data"], whole[0])
        later = list(reader.seek(0.2))
        assert [frame["pts"] for frame in later] == pytest.approx([0.24, 0.32, 0.4])
        assert tallow.equal(tallow.stack([frame["data"] for frame in later]), whole[3:])
        assert next(reader.seek(0.2, keyframes_only=True))["pts"] <= 0.24
        assert reader.set_current_stream("video") and not reader.set_current_stream("audio")
        assert next(reader)["pts"] == 0
    content = io.read_file(path)
    assert len(list(VideoReader(content))) == len(list(VideoReader(content.numpy().tobytes()))) == 6


def test_sound(tmp_path):
    pytest.importorskip("av")
    path, rate = tmp_path / "a.mkv", 8000
    tone = (0.5 * tallow.sin(2 * np.pi * 440 / rate * tallow.arange(4000)))[None]
    io.write_video(path, moving(), RATE, audio_array=tone, audio_fps=rate, audio_codec="pcm_s16le")
    frames, sound, info = io.read_video(path)
    assert info["audio_fps"] == rate and len(frames) == 6
    assert sound.shape == (1, 4000) and (sound - tone).abs().max() < 1e-3
    part = io.read_video(path, 0.1, 0.3, "sec")[1]
    assert part.shape == (1, 1600) and (part - tone[:, 800:2400]).abs().max() < 1e-3
    reader = VideoReader(path, "audio")
    parts = tallow.cat([part["data"] for part in reader], 1)
    assert parts.shape == (1, 4000)
    assert reader.get_metadata()["audio"]["framerate"] == [rate]


def test_a_frame_of_no_duration_is_shown_for_a_tenth_of_a_second(tmp_path):
    PIL.Image.new("L", (3, 2), 9).save(tmp_path / "a.png")
    frames, _, info = io.read_video(tmp_path / "a.png")
    assert frames.shape == (1, 2, 3, 3) and info["video_fps"] == 10


def test_broken_files(tmp_path):
    path = tmp_path / "a.gif"
    io.write_video(path, tallow.randint(0, 256, (3, 40, 50, 3), dtype=tallow.uint8), RATE)
    path.write_bytes(path.read_bytes()[:-600])
    with pytest.raises(VideoFileError, match=r"a.gif: expected whole frames, got"):
        io.read_video(path)


def test_other_files(tmp_path):
    pytest.importorskip("av")
    path = tmp_path / "a.mp4"
    path.write_text("no video at all\n" * 40)
    with pytest.raises(VideoFileError, match=r"a.mp4: expected a whole video, got"):
        io.read_video(path)
    io.write_video(path, moving(), RATE)
    limit, PIL.Image.MAX_IMAGE_PIXELS = PIL.Image.MAX_IMAGE_PIXELS, 300
    try:
        with pytest.raises(VideoFileError, match="at most 300 pixels .* got 24 x 16"):
            io.read_video(path)
    finally:
        PIL.Image.MAX_IMAGE_PIXELS = limit


def test_without_pyav(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "a.avi").write_bytes(b"RIFF")
    hint = r"needs the package av, which is not installed; pip install 'tallowvision\[video\]'"
    with pytest.raises(MissingPackageError, match=f"a.avi: a video that is .* {hint}"):
        io.read_video(tmp_path / "a.avi")
    with pytest.raises(ImportError, match=f"write_video: a.mp4 {hint}"):
        io.write_video("a.mp4", moving(), RATE)


ERRORS = [
    (lambda x: io.read_video("a", pts_unit="ms"), ValueError, "read_video: expected pts_unit pts"),
    (lambda x: io.read_video("a", output_format="CTHW"), ValueError, "THWC or TCHW, got 'CTHW'"),
    (lambda x: io.read_video("a", 3, 2), ValueError, "expected end_pts >= 3, got 2"),
    (lambda x: io.read_video_timestamps("a", "ms"), ValueError, "got 'ms'"),
    (lambda x: io.read_video("no such.mp4"), FileNotFoundError, "no such.mp4"),
    (lambda x: VideoReader(x), TypeError, r"expected a uint8 tensor \(N\), got uint8"),
    (lambda x: io.write_video("a.gif", x.float(), 5), TypeError, "a uint8 tensor, got float32"),
    (lambda x: io.write_video("a.gif", x[0], 5), RuntimeError, r"expected \(T, H, W, 3\), got"),
    (lambda x: io.write_video("a.gif", x, 5, audio_array=x), ValueError, "expected no sound"),
]


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors(number):
    call, error, message = ERRORS[number]
    with pytest.raises(error, match=message) as caught:
        call(moving())
    assert isinstance(caught.value, TallowError | FileNotFoundError)


def test_a_stream_that_is_not_there(tmp_path):
    io.write_video(tmp_path / "a.gif", moving(), RATE)
    with pytest.raises(ValueError, match="VideoReader: expected video, got stream 'audio'"):
        VideoReader(tmp_path / "a.gif", "audio")
