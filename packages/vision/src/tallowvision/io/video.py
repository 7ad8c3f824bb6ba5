"""Videos: by PyAV (the extra `video`), or animated GIF, PNG and WebP by Pillow alone."""

import io
import weakref
from fractions import Fraction

import numpy as np
import PIL.Image

import tallow
from tallow.errors import ArgumentError, ShapeError, TallowError, TypeMismatchError, describe
from tallowvision._errors import optional
from tallowvision._pil import to_pil_image

_ANIMATED = ("GIF", "PNG", "WEBP")
_STILL = 100  # milliseconds of a frame that says 0, as browsers show it


class VideoFileError(TallowError, OSError, RuntimeError):
    """A file, or bytes, that are no whole video."""


def read_video(filename, start_pts=0, end_pts=None, pts_unit="pts", output_format="THWC"):
    """The frames of a video, its sound, and the rates of both, from `start_pts` to `end_pts`.

    Frames are uint8 (T, H, W, C), or (T, C, H, W) with `output_format` "TCHW"; sound is
    (channels, samples), float32; the dict has "video_fps" in Hz, and "audio_fps" where there is
    sound. The times are in seconds where `pts_unit` is "sec", else in the units of the video's
    stream, and both ends are included. `VideoReader` reads without holding all of it.

    Animated GIF, PNG and WebP files need Pillow alone; others need PyAV: the extra
    tallowvision[video]. VideoFileError names a file that is no whole video.
    """
    layout = output_format.upper()
    if layout not in ("THWC", "TCHW"):
        raise ArgumentError(f"read_video: expected THWC or TCHW, got {output_format!r}")
    _check_unit("read_video", pts_unit)
    if end_pts is not None and end_pts < start_pts:
        raise ArgumentError(f"read_video: expected end_pts >= {start_pts}, got {end_pts}")
    with _open(filename) as source:
        unit = 1 if pts_unit == "sec" else source.units[source.kinds[0]]
        start = _seconds(start_pts) * unit
        end = None if end_pts is None else _seconds(end_pts) * unit
        info, frames, sound = {}, [], np.empty((1, 0), np.float32)
        if "video" in source.kinds:
            info["video_fps"] = source.rate("video")
            frames = [frame for _, frame in _between(source, "video", start, end)]
        if "audio" in source.kinds:
            info["audio_fps"] = source.rate("audio")
            sound = _sound(source, start, end)
    video = np.stack(frames) if frames else np.empty((0, 1, 1, 3), np.uint8)
    if layout == "TCHW":
        video = np.ascontiguousarray(video.transpose(0, 3, 1, 2))
    return tallow.from_numpy(video), tallow.from_numpy(sound), info


def _seconds(time):
    """A time as what was meant by it: 0.04 is 1 / 25, which no float is."""
    return Fraction(time).limit_denominator(10**9)


def _between(source, kind, start, end):
    """The frames of one kind, and their times in seconds, from `start` to `end`."""
    for time, frame in source.frames(kind, start):
        if end is not None and time > end:
            return
        yield time, frame


def _sound(source, start, end):
    """The samples (channels, n) played from `start` to `end`."""
    rate, parts = source.rate("audio"), []
    for time, part in _between(source, "audio", start, end):
        first = max(0, round((start - time) * rate))
        last = None if end is None else round((end - time) * rate)
        parts.append(part[:, first:last])
    return np.concatenate(parts, 1) if parts else np.empty((1, 0), np.float32)


def read_video_timestamps(filename, pts_unit="pts"):
    """The times of a video's frames, and their rate in Hz; see `read_video`. None if it has none.

    Times are in seconds (as fractions) or, by default, in the units of the video's stream.
    """
    _check_unit("read_video_timestamps", pts_unit)
    with _open(filename) as source:
        if "video" not in source.kinds:
            return [], None
        times, rate = source.times(), source.rate("video")
        unit = source.units["video"]
    return (times if pts_unit == "sec" else [int(time / unit) for time in times]), rate


def _check_unit(name, unit):
    if unit not in ("pts", "sec"):
        raise ArgumentError(f"{name}: expected pts_unit pts or sec, got {unit!r}")


class VideoReader:
    """A video, frame by frame: an iterator of {"data": frame, "pts": its time in seconds}.

    `src` is a path, the bytes of a file or a uint8 tensor of them; `stream` is "video", whose
    frames are uint8 (C, H, W), or "audio", whose parts are float32 (channels, samples). What can be
    read is said at `read_video`.

    >>> import io, PIL.Image
    >>> frames = [PIL.Image.new("L", (5, 4), level) for level in (0, 80, 160)]
    >>> made = io.BytesIO()
    >>> frames[0].save(made, "GIF", save_all=True, append_images=frames[1:], duration=40)
    >>> [frame["pts"] for frame in VideoReader(made.getvalue()).seek(0.03)]
    [0.04, 0.08]
    """

    def __init__(self, src, stream="video", num_threads=0):
        self._source = _open(src, num_threads)
        self._close = weakref.finalize(self, self._source.close)
        self._kind = None
        if not self.set_current_stream(stream):
            known = " and ".join(self._source.kinds)
            self._close()
            raise ArgumentError(f"VideoReader: expected {known}, got stream {stream!r}")

    def set_current_stream(self, stream):
        """Read "video" or "audio" from the start on; False if there is no such stream."""
        kind = stream.partition(":")[0]
        if kind not in self._source.kinds:
            return False
        self._kind = kind
        self.seek(0)
        return True

    def seek(self, time_s, keyframes_only=False):
        """Go on from the first frame at or after a time in seconds; returns the reader.

        With `keyframes_only`, from the last one before it that stands alone: quick to come to.
        """
        self._frames = self._source.frames(self._kind, _seconds(time_s), keyframes_only)
        return self

    def get_metadata(self):
        """{"video": {"fps": [Hz], "duration": [seconds]}, "audio": {"framerate": ..., ...}}."""
        names = {"video": "fps", "audio": "framerate"}
        return {
            kind: {
                names[kind]: [self._source.rate(kind)],
                "duration": [self._source.duration(kind)],
            }
            for kind in self._source.kinds
        }

    def __iter__(self):
        return self

    def __next__(self):
        time, frame = next(self._frames)
        if self._kind == "video":
            frame = np.ascontiguousarray(frame.transpose(2, 0, 1))
        return {"data": tallow.from_numpy(frame), "pts": float(time)}

    def close(self):
        """Close the file, as the reader's end does."""
        self._close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


# What is read from: `kinds` of streams, the `units` of their times in seconds, and
# frames(kind, start, keyframes_only): (time, array) from a time on, both in seconds.


def _open(src, threads=0):
    """The source in a path, or in bytes."""
    name = "read_video"
    if isinstance(src, tallow.Tensor):
        if src.dtype is not tallow.uint8 or src.ndim != 1:
            raise TypeMismatchError(f"{name}: expected a uint8 tensor (N), got {describe(src)}")
        src = src.numpy().tobytes()
    if isinstance(src, bytes):
        file = io.BytesIO(src)
    else:
        name, file = src, open(src, "rb")  # noqa: SIM115 - the source closes it
    try:
        try:
            return _Pictures(file, name)
        except PIL.UnidentifiedImageError:
            file.seek(0)
            return _Container(file, name, threads)
    except BaseException:
        file.close()
        raise


class _Source:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        self.file.close()


class _Pictures(_Source):
    """An animated picture, whose times are in milliseconds."""

    kinds = ("video",)
    units = {"video": Fraction(1, 1000)}

    def __init__(self, file, name):
        self.file, self.name = file, name
        self.image = PIL.Image.open(file, formats=_ANIMATED)

    def _pictures(self):
        """The start of each frame, and the end, in milliseconds, while the frame is there."""
        start = 0
        try:
            for number in range(getattr(self.image, "n_frames", 1)):
                self.image.seek(number)
                self.image.load()
                end = start + (int(self.image.info.get("duration", 0)) or _STILL)
                yield start, end
                start = end
        except (OSError, SyntaxError, ValueError, EOFError, PIL.Image.DecompressionBombError) as e:
            raise VideoFileError(f"{self.name}: expected whole frames, got {e}") from e

    def frames(self, kind, start=0, keyframes_only=False):
        del kind, keyframes_only
        for begin, _ in self._pictures():
            if begin * self.units["video"] >= start:
                yield begin * self.units["video"], np.asarray(self.image.convert("RGB"))

    def times(self):
        return [begin * self.units["video"] for begin, _ in self._pictures()]

    def duration(self, kind):
        del kind
        return [end for _, end in self._pictures()][-1] / 1000

    def rate(self, kind):
        return len(self.times()) / self.duration(kind)


class _Container(_Source):
    """A file that PyAV reads."""

    def __init__(self, file, name, threads):
        self.av = optional(
            "av", f"{name}: a video that is no GIF, PNG or WebP",
            "; pip install 'tallowvision[video]'",
        )  # fmt: skip
        self.file, self.name, self.packed = file, name, None
        with self._told():
            self.packed = self.av.open(file)
        streams = [next(iter(kind), None) for kind in (self.packed.streams.video,
                                                      self.packed.streams.audio)]  # fmt: skip
        self.streams = {s.type: s for s in streams if s is not None}
        if not self.streams:
            raise VideoFileError(f"{name}: expected a video, got a file without frames and sound")
        self.kinds = tuple(self.streams)
        self.units = {kind: stream.time_base for kind, stream in self.streams.items()}
        for stream in self.streams.values():
            stream.codec_context.thread_count = threads
            stream.thread_type = "AUTO"
        if "video" in self.streams:
            self._refuse_bombs(self.streams["video"])

    def _refuse_bombs(self, stream):
        limit = PIL.Image.MAX_IMAGE_PIXELS
        if limit is not None and stream.width * stream.height > limit:
            raise VideoFileError(
                f"{self.name}: expected frames of at most {limit} pixels (Pillow's limit), got "
                f"{stream.width} x {stream.height}"
            )

    def _told(self):
        return _Told(self.av.FFmpegError, self.name)

    def close(self):
        if self.packed is not None:
            self.packed.close()
        super().close()

    def frames(self, kind, start=0, keyframes_only=False):
        stream, unit = self.streams[kind], self.units[kind]
        offset = max(int(start / unit), stream.start_time or 0)
        with self._told():
            self.packed.seek(offset, stream=stream)
            for frame in self.packed.decode(stream):
                time = frame.pts * unit
                if kind == "audio":
                    end = time + Fraction(frame.samples, frame.sample_rate)
                    if end > start:
                        yield time, _samples(frame)
                elif time >= start or keyframes_only:
                    yield time, frame.to_ndarray(format="rgb24")

    def times(self):
        stream, unit = self.streams["video"], self.units["video"]
        with self._told():
            self.packed.seek(0, stream=stream)
            stamps = [packet.pts for packet in self.packed.demux(stream)]
        return [stamp * unit for stamp in sorted(s for s in stamps if s is not None)]

    def duration(self, kind):
        stream = self.streams[kind]
        if stream.duration is not None:
            return float(stream.duration * self.units[kind])
        return (self.packed.duration or 0) / self.av.time_base

    def rate(self, kind):
        stream = self.streams[kind]
        return float(stream.average_rate) if kind == "video" else stream.rate


class _Told:
    """A context: PyAV's errors become VideoFileError with the file's name."""

    def __init__(self, kind, name):
        self.kind, self.name = kind, name

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, self.kind):
            raise VideoFileError(f"{self.name}: expected a whole video, got {error}") from error


def _samples(frame):
    """The samples of a frame of sound (channels, n), in [-1, 1]."""
    values = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, frame.layout.nb_channels).T
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    half = 2.0 ** (8 * values.dtype.itemsize - 1)
    return ((values.astype(np.float64) - half * (values.dtype.kind == "u")) / half).astype("f4")


def write_video(
    filename, video_array, fps, video_codec="libx264", options=None, audio_array=None,
    audio_fps=None, audio_codec=None, audio_options=None,
):  # fmt: skip
    """Write frames uint8 (T, H, W, C) at `fps` Hz, and sound (channels, samples) if it is given.

    A name that ends in .gif, .png or .webp gives an animated picture, by Pillow; others need PyAV.
    """
    if not isinstance(video_array, tallow.Tensor) or video_array.dtype is not tallow.uint8:
        raise TypeMismatchError(
            f"write_video: expected a uint8 tensor, got {describe(video_array)}"
        )
    if video_array.ndim != 4 or video_array.shape[-1] != 3 or len(video_array) == 0:
        raise ShapeError(f"write_video: expected (T, H, W, 3), got {describe(video_array)}")
    if str(filename).lower().endswith((".gif", ".png", ".webp")):
        if audio_array is not None:
            raise ArgumentError(f"write_video: expected no sound for {filename}, got some")
        first, *rest = (to_pil_image(frame) for frame in video_array.permute(0, 3, 1, 2))
        lossless = {"lossless": True} if str(filename).lower().endswith(".webp") else {}
        first.save(
            filename, save_all=True, append_images=rest, duration=1000 / fps, loop=0, **lossless
        )
        return
    av = optional("av", f"write_video: {filename}", "; pip install 'tallowvision[video]'")
    with _Told(av.FFmpegError, filename), av.open(str(filename), "w") as packed:
        stream = packed.add_stream(video_codec, rate=Fraction(fps).limit_denominator(10**6),
                                   options=options or {})  # fmt: skip
        stream.height, stream.width = video_array.shape[1:3]
        stream.pix_fmt = "yuv420p" if video_codec != "libx264rgb" else "rgb24"
        sound = None
        if audio_array is not None:
            sound = packed.add_stream(audio_codec or "aac", rate=audio_fps,
                                      options=audio_options or {})  # fmt: skip
            sound.layout = "stereo" if len(audio_array) == 2 else "mono"
        for picture in video_array.numpy():
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            packed.mux(stream.encode(frame))
        packed.mux(stream.encode())
        if sound is not None:
            samples = np.ascontiguousarray(audio_array.float().numpy())
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=sound.layout.name)
            frame.sample_rate = audio_fps
            packed.mux(sound.encode(frame))
            packed.mux(sound.encode())
