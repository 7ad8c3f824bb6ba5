"""Pictures of spectrograms, and PNG files, with NumPy alone."""

import os
import struct
import zlib

import numpy as np

# Colours from quiet to loud, black over blue, violet and orange to white: brighter is louder, also
# in grey.
_COLOURS = np.array(
    [[0, 0, 4], [40, 11, 84], [101, 21, 110], [159, 42, 99], [212, 72, 66], [245, 125, 21],
     [250, 193, 39], [252, 255, 200]], np.float64
)  # fmt: skip


def colours(values):
    """Colours (..., 3), uint8, of values: the lowest is dark, the highest bright."""
    low, high = values.min(), values.max()
    share = (values - low) / (high - low) if high > low else np.zeros(values.shape)
    places = np.linspace(0, 1, len(_COLOURS))
    channels = [np.interp(share, places, _COLOURS[:, c]) for c in range(3)]
    return np.stack(channels, -1).round().astype(np.uint8)


def heat_map(spectrogram, height=0):
    """A picture (height, width, 3) of (freq, time), low frequencies at the bottom.

    Each frequency is as many rows as it takes to be `height` pixels high or more.
    """
    rows = max(1, -(-height // spectrogram.shape[0]))
    return colours(spectrogram)[::-1].repeat(rows, 0)


def write_png(path, pixels):
    """A PNG file of pixels (height, width, 3), uint8; it is there once it is whole."""
    height, width = pixels.shape[:2]
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each begins with its filter: none
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    partial = f"{path}.partial"
    with open(partial, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for name, data in chunks:
            file.write(struct.pack(">I", len(data)) + name + data)
            file.write(struct.pack(">I", zlib.crc32(name + data)))
    os.replace(partial, path)
