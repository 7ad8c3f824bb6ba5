"""Sound files read and written block by block, so that their length costs no memory.

The names are those of torchaudio.io, which torchaudio has removed; for sound alone, without FFmpeg.
"""

import contextlib
import os
from dataclasses import dataclass

import numpy as np

import tallow
from tallow.errors import ArgumentError, ShapeError, describe
from tallowaudio import _wav
from tallowaudio._errors import AudioFileError, name_of
from tallowaudio._load import FORMATS, opened, reader_of, soundfile, subtype_of
from tallowaudio._samples import check_numbers

__all__ = ["StreamReader", "StreamReaderSourceAudioStream", "StreamWriter"]


@dataclass
class StreamReaderSourceAudioStream:
    """What a file holds: its encoding, sample rate in Hz, channels and frames."""

    codec: str
    sample_rate: float
    num_channels: int
    num_frames: int
    bits_per_sample: int
    media_type: str = "audio"


class StreamReader:
    """A sound file, a path or a file object, read in chunks (frames, channels), float32.

    >>> import io, tallow, tallowaudio
    >>> file = io.BytesIO()
    >>> tallowaudio.save(file, tallow.rand(2, 2500), 8000, format="wav")
    >>> reader = tallowaudio.io.StreamReader(file)
    >>> reader.add_basic_audio_stream(frames_per_chunk=1000)
    >>> [chunk.shape for (chunk,) in reader.stream()]
    [tallow.Size([1000, 2]), tallow.Size([1000, 2]), tallow.Size([500, 2])]
    """

    def __init__(self, src):
        self._exit = contextlib.ExitStack()
        with contextlib.ExitStack() as stack:  # closed again if the file is none
            file = stack.enter_context(opened(src))
            self._reader = reader_of(file, name_of(src))
            self._exit = stack.pop_all()
        self._chunk, self._place = None, 0

    num_src_streams = 1
    default_audio_stream = 0

    @property
    def num_out_streams(self):
        """1 once a stream was added."""
        return int(self._chunk is not None)

    def get_src_stream_info(self, i=0):
        """What the file holds."""
        self._check_index(i)
        data = self._reader.data
        return StreamReaderSourceAudioStream(
            data.encoding, float(data.sample_rate), data.num_channels, data.num_frames,
            data.bits_per_sample,
        )  # fmt: skip

    def _check_index(self, i):
        if i not in (None, 0):
            raise ArgumentError(f"StreamReader: expected stream 0, the only one, got {i}")

    def add_basic_audio_stream(self, frames_per_chunk, buffer_chunk_size=3, *, stream_index=None):
        """Say how many frames a chunk has; -1: all there are. `buffer_chunk_size` changes nothing.

        The sample rate and the channels are the file's: see `functional.resample`.
        """
        self._check_index(stream_index)
        if frames_per_chunk < 1 and frames_per_chunk != -1:
            raise ArgumentError(
                f"StreamReader: expected frames_per_chunk above 0, or -1, got {frames_per_chunk}"
            )
        self._chunk = frames_per_chunk

    add_audio_stream = add_basic_audio_stream

    def seek(self, timestamp, mode="precise"):
        """Go on from a time in seconds; all modes are precise."""
        if timestamp < 0:
            raise ArgumentError(f"StreamReader: expected a time of 0 or more, got {timestamp}")
        place = round(timestamp * self._reader.data.sample_rate)
        self._place = min(place, self._reader.data.num_frames)

    def stream(self, timeout=None, backoff=10.0):
        """An iterator of the chunks that are left, each in a tuple of one."""
        if self._chunk is None:
            raise ArgumentError("StreamReader: expected add_basic_audio_stream first, got stream")
        total = self._reader.data.num_frames
        while self._place < total:
            left = total - self._place
            count = left if self._chunk < 0 else min(self._chunk, left)
            samples = self._reader.read(self._place, count, True)
            self._place += count
            yield (tallow.from_numpy(samples),)

    def close(self):
        """Close the file, if it was given as a path."""
        self._exit.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


class StreamWriter:
    """A sound file, a path or a file object, written in chunks (frames, channels).

    The format is `format`, or the path's ending, of those that `save` knows. A path's file is there
    once it is closed without an error, whole or not at all.

    >>> import io, tallow, tallowaudio
    >>> file = io.BytesIO()
    >>> writer = tallowaudio.io.StreamWriter(file, "wav")
    >>> writer.add_audio_stream(8000, 2)
    >>> with writer.open():
    ...     for _ in range(3):
    ...         writer.write_audio_chunk(0, tallow.zeros(1000, 2))
    >>> tallowaudio.info(file).num_frames
    3000
    """

    def __init__(self, dst, format=None):
        self._dst, self._name = dst, name_of(dst)
        self._kind = (format or os.path.splitext(self._name)[1][1:]).lower()
        if self._kind != "wav" and self._kind not in FORMATS:
            names = ", ".join(["wav", *FORMATS])
            raise ArgumentError(f"{self._name}: expected a format of {names}, got {self._kind!r}")
        self._shape = self._sink = self._file = None

    def add_audio_stream(self, sample_rate, num_channels, format="flt"):
        """Say what is written: Hz, channels, and the samples' form, flt, dbl, s16, s32 or u8.

        WAV files hold samples of that form, others what `save` gives them.
        """
        if sample_rate < 1 or num_channels < 1 or format not in _FORMS:
            raise ArgumentError(
                f"StreamWriter: expected a rate, channels and a form of {', '.join(_FORMS)}, got "
                f"{sample_rate}, {num_channels} and {format!r}"
            )
        self._shape = (int(sample_rate), int(num_channels), format)

    def open(self):
        """Begin; returns the writer, as a context manager that closes it."""
        if self._shape is None:
            raise ArgumentError("StreamWriter: expected add_audio_stream first, got open")
        rate, channels, form = self._shape
        path = not hasattr(self._dst, "write")
        self._file = open(f"{self._name}.partial", "wb+") if path else self._dst
        try:
            if self._kind == "wav":
                self._sink = _WavSink(self._file, self._name, rate, channels, *_FORMS[form][1:])
            else:
                self._sink = _SndSink(self._file, self._name, rate, channels, self._kind)
        except BaseException:
            self._give_up()
            raise
        return self

    def write_audio_chunk(self, i, chunk):
        """Write samples (frames, channels) of the form that was said."""
        rate, channels, form = self._shape or (0, 0, "flt")
        if self._sink is None or i != 0:
            raise ArgumentError(f"StreamWriter: expected stream 0 of an open writer, got {i}")
        if chunk.ndim != 2 or chunk.shape[1] != channels or chunk.dtype is not _FORMS[form][0]:
            raise ShapeError(
                f"StreamWriter: expected {_FORMS[form][0].name} (frames, {channels}), got "
                f"{describe(chunk)}"
            )
        self._sink.write(chunk.detach().cpu().numpy())

    def close(self):
        """Finish the file."""
        if self._sink is None:
            return
        sink, self._sink = self._sink, None
        try:
            sink.close()
        except BaseException:
            self._give_up()
            raise
        if self._file is not self._dst:
            self._file.close()
            os.replace(f"{self._name}.partial", self._name)

    def _give_up(self):
        """Leave nothing behind."""
        self._sink = None
        if self._file is not self._dst:
            self._file.close()
            os.remove(f"{self._name}.partial")

    def __enter__(self):
        return self

    def __exit__(self, kind, *exception):
        if kind is None:
            self.close()
        elif self._sink is not None:
            self._give_up()


# The forms of samples: dtype, encoding and bits of WAV files.
_FORMS = {
    "flt": (tallow.float32, "PCM_F", 32), "dbl": (tallow.float64, "PCM_F", 64),
    "s16": (tallow.int16, "PCM_S", 16), "s32": (tallow.int32, "PCM_S", 32),
    "u8": (tallow.uint8, "PCM_U", 8),
}  # fmt: skip


class _WavSink:
    """A WAV file whose header is written again at the end, when its length is known."""

    def __init__(self, file, name, rate, channels, encoding, bits):
        self.file, self.name, self.frames = file, name, 0
        self.about, self.encoding, self.bits = (channels, rate, encoding, bits), encoding, bits
        self.start = file.tell()
        file.write(_wav.header(name, 0, *self.about))

    def write(self, samples):
        self.frames += len(samples)
        self.file.write(_wav.encoded(samples, self.encoding, self.bits))

    def close(self):
        head = _wav.header(self.name, self.frames, *self.about)
        self.file.write(b"\0" * ((self.file.tell() - self.start - len(head)) % 2))
        end = self.file.tell()
        self.file.seek(self.start)
        self.file.write(head)
        self.file.seek(end)


class _SndSink:
    """Another format, by libsndfile."""

    def __init__(self, file, name, rate, channels, kind):
        package = soundfile()
        self.name, self.failure = name, package.LibsndfileError
        form, subtype = subtype_of(kind)
        with self._named():
            self.sound = package.SoundFile(file, "w", rate, channels, subtype, format=form)

    @contextlib.contextmanager
    def _named(self):
        try:
            yield
        except self.failure as error:
            raise AudioFileError(
                f"{self.name}: expected samples that the format holds, got {error.error_string}"
            ) from None

    def write(self, samples):
        if samples.dtype.kind == "f":
            check_numbers(samples)
        elif samples.dtype == np.uint8:
            samples = (samples.astype(np.int16) - 128) << 8
        with self._named():
            self.sound.write(samples)

    def close(self):
        with self._named():
            self.sound.close()
