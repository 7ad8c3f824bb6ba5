"""WAV files: PCM of 8 to 32 bits, floats of 32 and 64, A-law and mu-law, with NumPy alone."""

import struct
from dataclasses import dataclass

import numpy as np

from tallowaudio._errors import AudioFileError, name_of
from tallowaudio._samples import LAWS, as_int32, encode_law

# The codes of encodings in a header; 0xFFFE says that the code is further on.
_CODES = {1: "PCM", 3: "PCM_F", 6: "ALAW", 7: "ULAW"}
_EXTENSIBLE = 0xFFFE
_TAIL_OF_ID = bytes.fromhex("000000001000800000aa00389b71")  # of the long form of a code
_UNKNOWN_LENGTH = 0xFFFFFFFF  # left by programs that write into a pipe

_DTYPES = {
    ("PCM_U", 8): "u1", ("PCM_S", 16): "<i2", ("PCM_S", 24): "<i4", ("PCM_S", 32): "<i4",
    ("PCM_F", 32): "<f4", ("PCM_F", 64): "<f8", ("ULAW", 8): "u1", ("ALAW", 8): "u1",
}  # fmt: skip


@dataclass
class Header:
    """What a WAV file says of itself; `start` is where its samples are, `code` its encoding's."""

    sample_rate: int
    num_frames: int
    num_channels: int
    bits_per_sample: int
    encoding: str
    code: int
    start: int

    @property
    def readable(self):
        """True if the samples can be read here."""
        return (self.encoding, self.bits_per_sample) in _DTYPES

    @property
    def frame_size(self):
        """The bytes of one sample of each channel."""
        return self.num_channels * self.bits_per_sample // 8


def is_wav(head):
    """True if the first 12 bytes of a file are those of a WAV file."""
    return head[:4] == b"RIFF" and head[8:12] == b"WAVE"


def read_header(file, name):
    """The header of an open WAV file; AudioFileError says what is wrong with it."""
    end = file.seek(0, 2)
    file.seek(12)
    fields = None
    while True:
        chunk = file.read(8)
        if len(chunk) < 8:
            missing = "samples" if fields else "description of its samples"
            raise AudioFileError(
                f"{name}: expected a whole WAV file, got one that ends before its {missing}"
            )
        tag, size = struct.unpack("<4sI", chunk)
        if tag == b"data":
            break
        if tag == b"fmt ":
            fields = _format(file.read(size), name)
            size = 0
        file.seek(size + size % 2, 1)
    if fields is None:
        raise AudioFileError(f"{name}: expected 'fmt ' before 'data' in a WAV file, got none")
    start = file.tell()
    if size == _UNKNOWN_LENGTH:
        size = end - start
    if size > end - start:
        raise AudioFileError(
            f"{name}: expected {size} bytes of samples, as its header says, got {end - start}; the "
            "file is truncated"
        )
    channels, rate, encoding, bits, code, frame = fields
    return Header(rate, size // frame, channels, bits, encoding, code, start)


def _format(chunk, name):
    """(channels, sample rate, encoding, bits, code, bytes of a frame) of the 'fmt ' chunk."""
    if len(chunk) < 16:
        raise AudioFileError(f"{name}: expected a 'fmt ' chunk of 16 bytes, got {len(chunk)}")
    code, channels, rate, _, frame, bits = struct.unpack_from("<HHIIHH", chunk)
    if code == _EXTENSIBLE and len(chunk) >= 40 and chunk[26:40] == _TAIL_OF_ID:
        (code,) = struct.unpack_from("<H", chunk, 24)
    if not channels or not rate or not frame:
        raise AudioFileError(
            f"{name}: expected channels, a sample rate and a frame size above 0, got {channels}, "
            f"{rate} and {frame}"
        )
    encoding = _CODES.get(code, "UNKNOWN")
    if encoding == "PCM":
        encoding = "PCM_U" if bits == 8 else "PCM_S"
    return channels, rate, encoding, bits if encoding != "UNKNOWN" else 0, code, frame


def read(file, header, offset, count):
    """`count` frames from `offset` on, in the dtype of the file: (frames, channels)."""
    file.seek(header.start + offset * header.frame_size)
    data = file.read(count * header.frame_size)
    if header.bits_per_sample == 24:
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        data = wide
    samples = np.frombuffer(data, _DTYPES[header.encoding, header.bits_per_sample])
    if header.encoding in LAWS:
        samples = LAWS[header.encoding][samples]
    return samples.astype(samples.dtype.newbyteorder("=")).reshape(-1, header.num_channels)


def write(file, samples, sample_rate, encoding, bits):
    """A WAV file of samples (frames, channels) in an encoding that `read` knows."""
    frames, channels = samples.shape
    file.write(header(name_of(file), frames, channels, sample_rate, encoding, bits))
    data = encoded(samples, encoding, bits)
    file.write(data)
    file.write(b"\0" * (len(data) % 2))


def header(name, frames, channels, sample_rate, encoding, bits):
    """What comes before the samples."""
    code = {name: code for code, name in _CODES.items()}.get(encoding, 1)
    frame = channels * bits // 8
    description = struct.pack(
        "<HHIIHH", code, channels, sample_rate, sample_rate * frame, frame, bits
    )
    if code == 1:
        chunks = [b"fmt ", struct.pack("<I", 16), description]
    else:  # all but PCM have the number of frames as well
        chunks = [b"fmt ", struct.pack("<I", 18), description, b"\0\0"]
        chunks += [b"fact", struct.pack("<II", 4, frames)]
    size = frames * frame
    whole = 4 + sum(map(len, chunks)) + 8 + size + size % 2
    if whole >= _UNKNOWN_LENGTH:
        raise AudioFileError(
            f"{name}: expected under 4 GiB of samples in a WAV file, got {whole} bytes; save as "
            "FLAC"
        )
    head = b"RIFF" + struct.pack("<I", whole) + b"WAVE" + b"".join(chunks)
    return head + b"data" + struct.pack("<I", size)


def encoded(samples, encoding, bits):
    """The bytes of samples (frames, channels)."""
    if encoding in LAWS:
        return encode_law(samples, encoding).tobytes()
    dtype = _DTYPES[encoding, bits]
    if encoding == "PCM_F":
        return samples.astype(dtype).tobytes()
    if samples.dtype == np.dtype(dtype) and bits != 24:
        return samples.astype(dtype).tobytes()
    whole = as_int32(samples) >> 32 - bits
    if bits == 8:
        return (whole + 128).astype(np.uint8).tobytes()
    if bits == 24:
        return (
            np.ascontiguousarray(whole.astype("<i4")[..., None]).view(np.uint8)[..., :3].tobytes()
        )
    return whole.astype(dtype).tobytes()
