"""Images read and written: modes, EXIF, frames, broken and hostile files."""

import io as pyio
import struct
import zlib

import numpy as np
import PIL.Image
import pytest

import tallow
from tallow.errors import TallowError
from tallowvision import io
from tallowvision._pil import ImageFileError
from tallowvision.io import ImageReadMode

LEVELS = np.arange(60, dtype=np.uint8).reshape(4, 5, 3) * 4


def picture(mode="RGB"):
    return PIL.Image.fromarray(LEVELS).convert(mode)


def encoded(image, format, **options):
    made = pyio.BytesIO()
    image.save(made, format, **options)
    return made.getvalue()


@pytest.mark.parametrize(
    ("mode", "channels"), [("RGB", 3), ("L", 1), ("RGBA", 4), ("LA", 2), ("1", 1), ("P", 3)]
)
def test_channels_of_the_file(tmp_path, mode, channels):
    picture(mode).save(tmp_path / "a.png")
    found = io.read_image(tmp_path / "a.png")
    assert found.dtype is tallow.uint8 and tuple(found.shape) == (channels, 4, 5)
    if mode in ("RGB", "L", "RGBA", "LA"):
        expected = np.atleast_3d(np.asarray(picture(mode))).transpose(2, 0, 1)
        np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.parametrize("mode", list(ImageReadMode)[1:])
@pytest.mark.parametrize("source", ["RGB", "L", "RGBA", "P"])
def test_channels_asked_for(mode, source):
    content = encoded(picture(source), "png")
    found = io.decode_image(content, mode)
    channels = {"GRAY": 1, "GRAY_ALPHA": 2, "RGB": 3, "RGB_ALPHA": 4}[mode.name]
    assert found.shape[0] == channels
    assert tallow.equal(found, io.decode_image(content, mode.name.lower()))


def test_sixteen_bits(tmp_path):
    deep = np.array([[0, 256, 40000, 65535]], np.uint16)
    PIL.Image.fromarray(deep).save(tmp_path / "a.png")
    assert io.read_image(tmp_path / "a.png").tolist() == [deep.tolist()]
    assert io.read_image(tmp_path / "a.png", "GRAY").tolist() == [[[0, 1, 156, 255]]]
    assert io.read_image(tmp_path / "a.png", "RGB").shape == (3, 1, 4)


@pytest.mark.parametrize("format", ["webp", "bmp", "gif", "tiff"])
def test_other_formats(tmp_path, format):
    options = {"lossless": True} if format == "webp" else {}
    (tmp_path / "a").write_bytes(
        encoded(picture("L" if format == "gif" else "RGB"), format, **options)
    )
    found = io.read_image(tmp_path / "a", "GRAY" if format == "gif" else "RGB")
    if format == "gif":
        assert found.shape == (1, 4, 5)
    else:
        np.testing.assert_array_equal(found.numpy().transpose(1, 2, 0), LEVELS)


def test_frames_of_a_gif():
    frames = [picture("L").point(lambda level, n=n: level // n) for n in (1, 2, 3)]
    content = encoded(frames[0], "gif", save_all=True, append_images=frames[1:], duration=40)
    assert io.decode_gif(content).shape == (3, 3, 4, 5)
    assert io.decode_gif(encoded(frames[0], "gif")).shape == (3, 4, 5)


def test_orientation():
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    content = encoded(picture(), "png", exif=exif)
    assert io.decode_png(content).shape == (3, 4, 5)
    turned = io.decode_png(content, apply_exif_orientation=True)
    np.testing.assert_array_equal(turned.numpy().transpose(1, 2, 0), np.rot90(LEVELS, -1))


def test_round_trips(tmp_path):
    image = tallow.from_numpy(LEVELS.transpose(2, 0, 1).copy())
    for level in (0, 9):
        io.write_png(image, tmp_path / "a.png", level)
        assert tallow.equal(io.read_image(tmp_path / "a.png"), image)
        assert tallow.equal(io.decode_png(io.read_file(tmp_path / "a.png")), image)
    io.write_jpeg(image[:1], str(tmp_path / "a.jpg"), quality=100)
    assert (io.read_image(tmp_path / "a.jpg").int() - image[:1].int()).abs().max() <= 4
    both = io.decode_jpeg(io.encode_jpeg([image, image[:1]]))
    assert [x.shape[0] for x in both] == [3, 1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "a.png"]


def bomb():
    """A PNG file of a few bytes that claims to have 40,000 x 40,000 pixels."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 40000, 40000, 8, 2, 0, 0, 0)), (b"IDAT", b"")]
    parts = [b"\x89PNG\r\n\x1a\n"]
    for tag, body in chunks:
        parts.append(struct.pack(">I", len(body)) + tag + body)
        parts.append(struct.pack(">I", zlib.crc32(tag + body)))
    return b"".join(parts)


NOISE = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8))
BROKEN = [b"", b"<html>", encoded(NOISE, "png")[:5000], encoded(NOISE, "jpeg")[:1000],
          encoded(NOISE, "bmp")[:5000], encoded(NOISE, "webp")[:900], bomb()]  # fmt: skip


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_broken_files_are_named(tmp_path, number):
    (tmp_path / "a.png").write_bytes(BROKEN[number])
    with pytest.raises(ImageFileError, match="a.png: expected a whole image, got") as caught:
        io.read_image(tmp_path / "a.png")
    assert isinstance(caught.value, RuntimeError)
    with pytest.raises(ImageFileError, match="decode_image: expected a whole image, got"):
        io.decode_image(BROKEN[number])


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        io.read_image(tmp_path / "none.png")


ERRORS = [
    (lambda x: io.decode_png(encoded(picture(), "jpeg")), RuntimeError, "expected png, got JPEG"),
    (lambda x: io.decode_image(x), TypeError, r"expected a uint8 tensor \(N\), got uint8"),
    (lambda x: io.decode_image("a.png"), TypeError, "got str"),
    (lambda x: io.decode_image(b"", "CMYK"), ValueError, "UNCHANGED, GRAY, .*got 'CMYK'"),
    (lambda x: io.encode_png(x.float()), TypeError, "encode_png: expected a uint8 tensor"),
    (lambda x: io.encode_png(x[:2]), RuntimeError, "1 or 3 channels"),
    (lambda x: io.encode_jpeg(x[0]), RuntimeError, "1 or 3 channels"),
    (lambda x: io.encode_jpeg(x, 0), ValueError, "quality from 1 to 100, got 0"),
    (lambda x: io.encode_png(x, 10), ValueError, "from 0 to 9, got 10"),
    (lambda x: io.write_file("a", x), TypeError, "expected a uint8 tensor"),
]


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors(number):
    call, error, message = ERRORS[number]
    with pytest.raises(error, match=message) as caught:
        call(tallow.from_numpy(LEVELS.transpose(2, 0, 1).copy()))
    assert isinstance(caught.value, TallowError)
