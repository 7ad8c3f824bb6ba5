"""Pictures and videos in files and in bytes."""

from tallowvision.io.image import (
    ImageReadMode,
    decode_gif,
    decode_image,
    decode_jpeg,
    decode_png,
    decode_webp,
    encode_jpeg,
    encode_png,
    read_file,
    read_image,
    write_file,
    write_jpeg,
    write_png,
)
from tallowvision.io.video import (
    VideoFileError,
    VideoReader,
    read_video,
    read_video_timestamps,
    write_video,
)

__all__ = [
    "ImageReadMode", "VideoFileError", "VideoReader", "decode_gif", "decode_image", "decode_jpeg",
    "decode_png", "decode_webp", "encode_jpeg", "encode_png", "read_file", "read_image",
    "read_video", "read_video_timestamps", "write_file", "write_jpeg", "write_png", "write_video",
]  # fmt: skip
