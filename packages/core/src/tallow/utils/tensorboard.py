"""Curves, pictures and histograms for TensorBoard. Needs the extra `tallow[tensorboard]`."""

import io
import os
import socket
import struct
import time
import wave
import zlib
from importlib import import_module
from typing import Any

import numpy as np

from tallow.errors import ArgumentError
from tallow.tensor import Tensor

__all__ = ["SummaryWriter"]


def _package(name):
    """A module of the tensorboard package; ImportError that names the extra if it is missing."""
    try:
        return import_module(f"tensorboard.{name}")
    except ImportError as error:
        raise ImportError(
            "SummaryWriter: expected the tensorboard package, got none; "
            "pip install 'tallow[tensorboard]'"
        ) from error


class SummaryWriter:
    """Writes events into a folder that `tensorboard --logdir` shows.

    `log_dir` is by default runs/DATE_HOST with `comment` after it. Values may be tensors, arrays or
    numbers. `flush_secs` is how long events may wait before they are written. Raises ImportError
    where the tensorboard package is missing.

    with SummaryWriter("runs/first") as writer:
        writer.add_scalar("loss", 0.5, step)
    """

    def __init__(
        self,
        log_dir: str | os.PathLike | None = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        filename_suffix: str = "",
    ) -> None:
        if log_dir is None:
            name = time.strftime("%b%d_%H-%M-%S_") + socket.gethostname() + comment
            log_dir = os.path.join("runs", name)
        self.log_dir = os.fspath(log_dir)
        self._events = _package("compat.proto.event_pb2")
        self._summaries = _package("compat.proto.summary_pb2")
        self._options = (max_queue, flush_secs, filename_suffix)
        self._files: dict[str, Any] = {}
        if purge_step is not None:  # events of this step and later, of an earlier run, are dropped
            session = self._events.SessionLog(status=self._events.SessionLog.START)
            self._write(self.log_dir, {"session_log": session}, purge_step, None)

    def get_logdir(self) -> str:
        """The folder that is written to."""
        return self.log_dir

    # What is shown --------------------------------------------------------------------------------

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> None:
        """A point of the curve `tag`."""
        value = self._value(tag, simple_value=float(_array(scalar_value).reshape(())))
        self._add(value, global_step, walltime)

    def add_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: dict[str, Any],
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """Points of several curves in one chart, each in a folder of its own below `log_dir`."""
        for tag, number in tag_scalar_dict.items():
            folder = os.path.join(self.log_dir, f"{main_tag}_{tag}".replace("/", "_"))
            value = self._value(main_tag, simple_value=float(_array(number).reshape(())))
            self._add(value, global_step, walltime, folder)

    def add_histogram(
        self,
        tag: str,
        values: Any,
        global_step: int | None = None,
        bins: Any = 30,
        walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:
        """How values, of any shape, are spread. `bins` are a number of bins, or their edges."""
        x = _array(values).astype(np.float64).ravel()
        if not x.size:
            raise ArgumentError("add_histogram: expected values, got none")
        counts, edges = np.histogram(x, 30 if isinstance(bins, str) else bins)
        histogram = self._summaries.HistogramProto(
            min=x.min(), max=x.max(), num=x.size, sum=x.sum(), sum_squares=x @ x,
            bucket_limit=edges[1:], bucket=counts,
        )  # fmt: skip
        self._add(self._value(tag, histo=histogram), global_step, walltime)

    def add_image(
        self,
        tag: str,
        img_tensor: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        dataformats: str = "CHW",
    ) -> None:
        """A picture of 1, 3 or 4 channels, floats from 0 to 1 or uint8; `dataformats`: its dims."""
        pixels = _pixels(_array(img_tensor), dataformats)
        height, width, channels = pixels.shape
        image = self._summaries.Summary.Image(
            height=height, width=width, colorspace=channels, encoded_image_string=_png(pixels)
        )
        self._add(self._value(tag, image=image), global_step, walltime)

    def add_images(
        self,
        tag: str,
        img_tensor: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        dataformats: str = "NCHW",
    ) -> None:
        """A batch of pictures, side by side."""
        images = np.moveaxis(_array(img_tensor), dataformats.index("N"), 0)
        layout = dataformats.replace("N", "")
        row = np.concatenate([_pixels(image, layout) for image in images], axis=1)
        self.add_image(tag, row, global_step, walltime, "HWC")

    def add_figure(
        self,
        tag: str,
        figure: Any,
        global_step: int | None = None,
        close: bool = True,
        walltime: float | None = None,
    ) -> None:
        """A figure of matplotlib's, which is closed afterwards unless told."""
        from matplotlib import pyplot
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        self.add_image(tag, np.asarray(canvas.buffer_rgba()), global_step, walltime, "HWC")
        if close:
            pyplot.close(figure)

    def add_audio(
        self,
        tag: str,
        snd_tensor: Any,
        global_step: int | None = None,
        sample_rate: int = 44100,
        walltime: float | None = None,
    ) -> None:
        """A sound of one channel, (L,) or (1, L), with values from -1 to 1; `sample_rate` in Hz."""
        samples = (_array(snd_tensor).ravel().clip(-1, 1) * 32767).astype("<i2")
        stored = io.BytesIO()
        with wave.open(stored, "wb") as file:
            file.setparams((1, 2, sample_rate, len(samples), "NONE", ""))
            file.writeframes(samples.tobytes())
        audio = self._summaries.Summary.Audio(
            sample_rate=sample_rate, num_channels=1, length_frames=len(samples),
            encoded_audio_string=stored.getvalue(), content_type="audio/wav",
        )  # fmt: skip
        self._add(self._value(tag, audio=audio), global_step, walltime)

    def add_text(
        self,
        tag: str,
        text_string: str,
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """A text, which TensorBoard reads as Markdown."""
        tensors = _package("compat.proto.tensor_pb2")
        text = tensors.TensorProto(dtype="DT_STRING", string_val=[text_string.encode()])
        text.tensor_shape.dim.add().size = 1
        plugin = self._summaries.SummaryMetadata.PluginData(plugin_name="text")
        metadata = self._summaries.SummaryMetadata(plugin_data=plugin)
        value = self._value(f"{tag}/text_summary", tensor=text, metadata=metadata)
        self._add(value, global_step, walltime)

    def add_hparams(
        self,
        hparam_dict: dict[str, Any],
        metric_dict: dict[str, Any],
        hparam_domain_discrete: Any = None,
        run_name: str | None = None,
        global_step: int | None = None,
    ) -> None:
        """The settings of a run (numbers, strings, bools) and what it reached, for comparison."""
        summaries = _package("plugins.hparams.summary_v2")
        folder = os.path.join(self.log_dir, run_name or str(time.time()))
        event = {"summary": summaries.hparams_pb(hparam_dict)}
        self._write(folder, event, global_step, None)
        for tag, number in metric_dict.items():
            self._add(self._value(tag, simple_value=float(number)), global_step, None, folder)

    # Writing --------------------------------------------------------------------------------------

    def _value(self, tag, **content):
        return self._summaries.Summary.Value(tag=tag, **content)

    def _add(self, value, step, walltime, folder=None):
        summary = self._summaries.Summary(value=[value])
        self._write(folder or self.log_dir, {"summary": summary}, step, walltime)

    def _write(self, folder, content, step, walltime):
        if folder not in self._files:
            writer = _package("summary.writer.event_file_writer").EventFileWriter
            self._files[folder] = writer(folder, *self._options)
        event = self._events.Event(
            wall_time=time.time() if walltime is None else walltime,
            step=0 if step is None else int(step), **content,
        )  # fmt: skip
        self._files[folder].add_event(event)

    def flush(self) -> None:
        """Write what waits."""
        for file in self._files.values():
            file.flush()

    def close(self) -> None:
        """Write what waits, and close the files; adding something opens new ones."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def __enter__(self):
        return self

    def __exit__(self, *error) -> None:
        self.close()


def _array(value):
    """A number, array or tensor as an array on the host."""
    if not isinstance(value, Tensor):
        return np.asarray(value)
    value = value.detach().cpu()
    return (value.float() if value.dtype.is_floating_point else value).numpy()


def _pixels(image, layout):
    """A picture whose dims are `layout` ("CHW", "HW", ...) as uint8 (H, W, C)."""
    if image.ndim != len(layout):
        raise ArgumentError(f"add_image: expected dims {layout}, got shape {image.shape}")
    if "C" not in layout:
        image, layout = image[..., None], f"{layout}C"
    image = image.transpose([layout.index(axis) for axis in "HWC"])
    if image.dtype != np.uint8:
        image = (image * 255).clip(0, 255).astype(np.uint8)
    return image


def _png(pixels):
    """Pixels (H, W, C) of 1, 3 or 4 channels in a PNG file (W3C, "Portable Network Graphics")."""
    height, width, channels = pixels.shape
    kinds = {1: 0, 3: 2, 4: 6}
    if channels not in kinds:
        raise ArgumentError(f"add_image: expected 1, 3 or 4 channels, got {channels}")
    header = struct.pack(">IIBBBBB", width, height, 8, kinds[channels], 0, 0, 0)
    rows = np.pad(pixels.reshape(height, -1), ((0, 0), (1, 0)))  # before each row: no filter
    parts = {b"IHDR": header, b"IDAT": zlib.compress(rows.tobytes()), b"IEND": b""}
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts.items()
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
