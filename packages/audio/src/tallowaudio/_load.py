"""`load`, `save` and `info`: WAV files with NumPy, all others with soundfile (libsndfile)."""

import contextlib
import os
from dataclasses import dataclass

import numpy as np

import tallow
from tallow.errors import ArgumentError, DtypeError, ShapeError, describe
from tallowaudio import _wav
from tallowaudio._errors import AudioFileError, MissingPackageError, name_of
from tallowaudio._samples import as_float32, as_int32, check_numbers


@dataclass
class AudioMetaData:
    """What `info` says of a sound file. `num_frames` counts samples of one channel.

    `bits_per_sample` is 0 where that makes no sense; `encoding` is one of PCM_S, PCM_U, PCM_F,
    ULAW, ALAW, FLAC, VORBIS, OPUS, MP3 and UNKNOWN.
    """

    sample_rate: int
    num_frames: int
    num_channels: int
    bits_per_sample: int
    encoding: str


# libsndfile's names of encodings: ours, and bits.
_SUBTYPES = {
    "PCM_S8": ("PCM_S", 8), "PCM_U8": ("PCM_U", 8), "PCM_16": ("PCM_S", 16),
    "PCM_24": ("PCM_S", 24), "PCM_32": ("PCM_S", 32), "FLOAT": ("PCM_F", 32),
    "DOUBLE": ("PCM_F", 64), "ULAW": ("ULAW", 8), "ALAW": ("ALAW", 8), "VORBIS": ("VORBIS", 0),
    "OPUS": ("OPUS", 0), "MPEG_LAYER_I": ("MP3", 0), "MPEG_LAYER_II": ("MP3", 0),
    "MPEG_LAYER_III": ("MP3", 0), "ALAC_16": ("UNKNOWN", 16), "ALAC_20": ("UNKNOWN", 20),
    "ALAC_24": ("UNKNOWN", 24), "ALAC_32": ("UNKNOWN", 32), "DWVW_12": ("UNKNOWN", 12),
    "DWVW_16": ("UNKNOWN", 16), "DWVW_24": ("UNKNOWN", 24), "DPCM_8": ("UNKNOWN", 8),
    "DPCM_16": ("UNKNOWN", 16),
}  # fmt: skip


def soundfile():
    """The package soundfile; MissingPackageError without it."""
    try:
        import soundfile
    except ImportError as error:
        raise MissingPackageError(
            "tallowaudio: files other than WAV need the package soundfile, which is not installed"
        ) from error
    return soundfile


@contextlib.contextmanager
def opened(uri):
    """An open binary file of a path, or the file object itself, which stays open and is rewound."""
    if hasattr(uri, "read"):
        uri.seek(0)
        yield uri
    else:
        with open(uri, "rb") as file:
            yield file


def _head(file, name):
    head = file.read(12)
    file.seek(0)
    if not head:
        raise AudioFileError(f"{name}: expected a sound file, got an empty file")
    return head


class _SndFile:
    """A file read by libsndfile, its errors with the file's name."""

    def __init__(self, file, name):
        package = soundfile()
        try:
            self.sound = package.SoundFile(file)
        except package.LibsndfileError as error:
            raise AudioFileError(
                f"{name}: expected a sound file that libsndfile reads, got {error.error_string}"
            ) from None
        self.name, self.failures = name, (package.LibsndfileError, RuntimeError)
        encoding, bits = _SUBTYPES.get(self.sound.subtype, ("UNKNOWN", 0))
        self.native = self.sound.format in ("WAV", "WAVEX", "RF64")
        self.data = AudioMetaData(
            self.sound.samplerate, self.sound.frames, self.sound.channels, bits,
            "FLAC" if self.sound.format == "FLAC" else encoding,
        )  # fmt: skip

    def read(self, offset, count, normalize):
        whole = self.native and not normalize and self.data.encoding in ("PCM_S", "PCM_U")
        try:
            if self.sound.tell() != offset:
                self.sound.seek(offset)
            samples = self.sound.read(count, "int32" if whole else "float32", always_2d=True)
        except self.failures as error:
            raise AudioFileError(f"{self.name}: expected a whole sound file, got {error}") from None
        if len(samples) < count:
            raise AudioFileError(
                f"{self.name}: expected {count} frames from frame {offset} on, got {len(samples)}; "
                "the file is truncated"
            )
        return samples


class _WavFile:
    """A WAV file read by NumPy."""

    def __init__(self, file, header):
        self.file, self.header = file, header
        self.data = AudioMetaData(
            header.sample_rate, header.num_frames, header.num_channels, header.bits_per_sample,
            header.encoding,
        )  # fmt: skip

    def read(self, offset, count, normalize):
        samples = _wav.read(self.file, self.header, offset, count)
        return as_float32(samples) if normalize else samples


def reader_of(file, name):
    if _wav.is_wav(_head(file, name)):
        header = _wav.read_header(file, name)
        if header.readable:
            return _WavFile(file, header)
        file.seek(0)
    return _SndFile(file, name)


def info(uri, format=None, buffer_size=4096, backend=None):
    """The AudioMetaData of a sound file, a path or a file object.

    `format`, `buffer_size` and `backend` are taken for compatibility: the content of the file says
    what it is.
    """
    with opened(uri) as file:
        return reader_of(file, name_of(uri)).data


def load(
    uri, frame_offset=0, num_frames=-1, normalize=True, channels_first=True, format=None,
    buffer_size=4096, backend=None,
):  # fmt: skip
    """The samples of a sound file and its sample rate in Hz: ((channels, frames), rate).

    `uri` is a path or a file object. Samples are float32, in [-1, 1] for integer formats; with
    `normalize` False, those of WAV files are in the file's own dtype (24 bits as int32, over its
    whole range). `num_frames` -1 reads to the end. Raises AudioFileError, a RuntimeError, with the
    name of a file that is truncated or no sound file.

    >>> import io, tallow, tallowaudio
    >>> file = io.BytesIO()
    >>> tallowaudio.save(file, tallow.tensor([[0.0, 0.5, -0.25]]), 8000, format="wav")
    >>> tallowaudio.load(file)
    (tensor([[ 0.0000,  0.5000, -0.2500]]), 8000)
    """
    name = name_of(uri)
    with opened(uri) as file:
        reader = reader_of(file, name)
        total = reader.data.num_frames
        if not 0 <= frame_offset <= total or num_frames < -1:
            raise ArgumentError(
                f"{name}: expected frame_offset from 0 to {total} and num_frames from -1 on, got "
                f"{frame_offset} and {num_frames}"
            )
        count = total - frame_offset
        if num_frames >= 0:
            count = min(count, num_frames)
        samples = reader.read(frame_offset, count, normalize)
    if channels_first:
        samples = np.ascontiguousarray(samples.T)
    return tallow.from_numpy(samples), reader.data.sample_rate


# Saving

_WAV_OF_DTYPE = {
    tallow.uint8: ("PCM_U", 8), tallow.int16: ("PCM_S", 16), tallow.int32: ("PCM_S", 32),
    tallow.float32: ("PCM_F", 32), tallow.float64: ("PCM_F", 64),
}  # fmt: skip
_BITS = {
    "PCM_S": (32, 16, 24), "PCM_U": (8,), "PCM_F": (32, 64), "ULAW": (8,), "ALAW": (8,),
}  # fmt: skip

# The other formats: libsndfile's name, its encodings by ours (None: the usual one) and bits.
FORMATS = {
    "flac": ("FLAC", {(None, None): "PCM_16", (None, 8): "PCM_S8", (None, 16): "PCM_16",
                      (None, 24): "PCM_24"}),
    "ogg": ("OGG", {(None, None): "VORBIS", ("VORBIS", None): "VORBIS", ("OPUS", None): "OPUS"}),
    "opus": ("OGG", {(None, None): "OPUS", ("OPUS", None): "OPUS"}),
    "mp3": ("MP3", {(None, None): "MPEG_LAYER_III", ("MP3", None): "MPEG_LAYER_III"}),
    "aiff": ("AIFF", {(None, None): "PCM_16", (None, 8): "PCM_S8", (None, 16): "PCM_16",
                      (None, 24): "PCM_24", (None, 32): "PCM_32", ("PCM_F", None): "FLOAT",
                      ("PCM_F", 32): "FLOAT", ("PCM_F", 64): "DOUBLE", ("ULAW", None): "ULAW",
                      ("ALAW", None): "ALAW"}),
    "sph": ("NIST", {(None, None): "PCM_32", (None, 8): "PCM_S8", (None, 16): "PCM_16",
                     (None, 24): "PCM_24", (None, 32): "PCM_32", ("ULAW", None): "ULAW",
                     ("ALAW", None): "ALAW"}),
}  # fmt: skip
FORMATS |= {"vorbis": FORMATS["ogg"], "aif": FORMATS["aiff"], "nist": FORMATS["sph"]}


def subtype_of(kind):
    """libsndfile's names of a format and of its usual encoding."""
    name, subtypes = FORMATS[kind]
    return name, subtypes[None, None]


# How a compression level of a format is one of libsndfile's, from 0 to 1.
_LEVELS = {"FLAC": lambda level: level / 8, "OGG": lambda quality: 1 - quality / 10}


def _wav_encoding(dtype, encoding, bits):
    """(encoding, bits) of a WAV file: those asked for, or the usual ones for a dtype."""
    if encoding is None and bits is None:
        if dtype not in _WAV_OF_DTYPE:
            names = ", ".join(kind.name for kind in _WAV_OF_DTYPE)
            raise DtypeError(f"save: expected samples of {names}, got {dtype}")
        return _WAV_OF_DTYPE[dtype]
    encoding = encoding or ("PCM_U" if bits == 8 else "PCM_S")
    if encoding not in _BITS or bits not in (None, *_BITS[encoding]):
        known = "; ".join(f"{name} of {listed} bits" for name, listed in _BITS.items())
        raise ArgumentError(f"save: expected for WAV one of {known}, got {encoding} of {bits} bits")
    return encoding, bits or _BITS[encoding][0]


def save(
    uri, src, sample_rate, channels_first=True, format=None, encoding=None, bits_per_sample=None,
    buffer_size=4096, backend=None, compression=None,
):  # fmt: skip
    """Write samples (channels, frames) to a sound file, a path or a file object.

    The format is `format`, or the path's ending: wav, flac, ogg, opus, mp3, aiff or sph. WAV files
    hold the samples in their own dtype unless `encoding` (PCM_S, PCM_U, PCM_F, ULAW, ALAW) or
    `bits_per_sample` says otherwise. `compression` is FLAC's level from 0 to 8, or OGG's quality
    from 0 to 10. A file with the same path is replaced once the new one is whole.
    """
    name, to_object = name_of(uri), hasattr(uri, "write")
    if src.ndim != 2:
        raise ShapeError(f"save: expected (channels, frames), got {describe(src)}")
    if not isinstance(sample_rate, int) or sample_rate < 1:
        raise ArgumentError(f"save: expected a sample rate above 0 in Hz, got {sample_rate!r}")
    if format is None and to_object:
        raise ArgumentError("save: expected format with a file object, got none")
    kind = (format or os.path.splitext(name)[1][1:]).lower()
    if kind != "wav" and kind not in FORMATS:
        names = ", ".join(["wav", *FORMATS])
        raise ArgumentError(f"{name}: expected a format of {names}, got {kind!r}")
    write = _writer(kind, src.dtype, encoding, bits_per_sample, compression)
    samples = src.detach().cpu().numpy()
    samples = samples.T if channels_first else samples
    if to_object:
        write(uri, samples, sample_rate)
        return
    partial = f"{name}.partial"
    try:
        with open(partial, "wb") as file:
            write(file, samples, sample_rate)
        os.replace(partial, name)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(partial)


def _writer(kind, dtype, encoding, bits, compression):
    """A function (file, samples, sample rate) that writes a format."""
    if kind == "wav":
        if compression is not None:
            raise ArgumentError(f"save: expected no compression for WAV, got {compression}")
        pair = _wav_encoding(dtype, encoding, bits)
        return lambda file, samples, rate: _wav.write(file, samples, rate, *pair)
    name, subtypes = FORMATS[kind]
    asked = (None if encoding == "PCM_S" else encoding and encoding.upper(), bits)
    if asked not in subtypes:
        known = ", ".join(
            f"{a or 'PCM_S'} of {b} bits" if b else f"{a}" for a, b in subtypes if a or b
        )
        raise ArgumentError(f"save: expected for {name} {known}, got {encoding} of {bits} bits")
    options = {}
    if compression is not None:
        if name not in _LEVELS or not 0 <= _LEVELS[name](compression) <= 1:
            raise ArgumentError(
                f"save: expected compression from 0 to 8 for FLAC or 0 to 10 for OGG, got "
                f"{compression} for {name}"
            )
        options["compression_level"] = _LEVELS[name](compression)

    def write(file, samples, rate):
        if subtypes[asked] == "VORBIS" and (samples.shape[1] > 255 or rate > 200_000):
            raise ArgumentError(  # libsndfile does not survive these
                f"{name_of(file)}: expected up to 255 channels and 200 kHz for Vorbis, got "
                f"{samples.shape[1]} at {rate} Hz"
            )
        package = soundfile()
        if samples.dtype.kind == "f" and subtypes[asked] not in ("FLOAT", "DOUBLE"):
            check_numbers(samples)
        if samples.dtype.name not in ("int16", "int32", "float32", "float64"):
            samples = as_int32(samples)
        try:
            package.write(file, samples, rate, subtypes[asked], format=name, **options)
        except package.LibsndfileError as error:
            raise AudioFileError(
                f"{name_of(file)}: expected samples that {name} holds, got {samples.shape[1]} "
                f"channels at {rate} Hz: {error.error_string}"
            ) from None

    return write
