"""SummaryWriter: what TensorBoard reads of what it wrote."""

import io
import sys

import numpy as np
import pytest

import tallow
from tallow.utils.tensorboard import SummaryWriter


def test_the_missing_package_is_named(monkeypatch, tmp_path):
    for name in [name for name in sys.modules if name.split(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ImportError, match=r"expected the tensorboard package.*tallow\[tensorboard"):
        SummaryWriter(tmp_path)


@pytest.fixture
def written(tmp_path):
    """A function that reads back what was written."""
    pytest.importorskip("tensorboard")
    module = "tensorboard.backend.event_processing.event_accumulator"
    accumulator = pytest.importorskip(module).EventAccumulator

    def read(folder=""):
        events = accumulator(str(tmp_path / folder), {"scalars": 0, "histograms": 0, "images": 0})
        return events.Reload()

    return read


def test_curves(written, tmp_path):
    with SummaryWriter(tmp_path) as writer:
        for step in range(3):
            writer.add_scalar("loss", tallow.tensor(1 / (step + 1)), step)
        writer.add_scalars("both", {"train": 1, "test": 2.5}, 4)
        assert writer.get_logdir() == str(tmp_path)
    points = written().Scalars("loss")
    assert [point.step for point in points] == [0, 1, 2]
    assert [point.value for point in points] == pytest.approx([1, 1 / 2, 1 / 3])
    assert written("both_test").Scalars("both")[0].value == 2.5


def test_histogram(written, tmp_path):
    values = tallow.arange(100.0).reshape(10, 10).bfloat16()
    with SummaryWriter(tmp_path) as writer:
        writer.add_histogram("weights", values, 7, bins=4)
        with pytest.raises(ValueError, match="add_histogram: expected values, got none"):
            writer.add_histogram("weights", [])
    event = written().Histograms("weights")[0]
    value = event.histogram_value
    assert (event.step, value.min, value.max, value.num) == (7, 0, 99, 100)
    assert list(value.bucket) == [25, 25, 25, 25] and value.sum == 4950


@pytest.mark.parametrize("layout, shape", [("CHW", (3, 4, 5)), ("HWC", (4, 5, 4)), ("HW", (4, 5))])
def test_image(written, tmp_path, layout, shape):
    image = np.random.default_rng(0).uniform(-0.1, 1.1, shape)
    with SummaryWriter(tmp_path) as writer:
        writer.add_image("picture", tallow.tensor(image), dataformats=layout)
    event = written().Images("picture")[0]
    assert (event.height, event.width) == (4, 5)
    read = pytest.importorskip("PIL.Image").open(io.BytesIO(event.encoded_image_string))
    expected = (image * 255).clip(0, 255).astype(np.uint8)
    expected = expected.transpose(1, 2, 0) if layout == "CHW" else expected
    np.testing.assert_array_equal(np.asarray(read), expected)


def test_images_and_mistakes(written, tmp_path):
    with SummaryWriter(tmp_path) as writer:
        writer.add_images("batch", np.zeros((2, 3, 4, 5)))
        with pytest.raises(ValueError, match=r"expected dims CHW, got shape \(4, 5\)"):
            writer.add_image("flat", np.zeros((4, 5)))
        with pytest.raises(ValueError, match="expected 1, 3 or 4 channels, got 2"):
            writer.add_image("two", np.zeros((2, 4, 5)))
    assert written().Images("batch")[0].width == 10


def test_figure(written, tmp_path):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    with SummaryWriter(tmp_path) as writer:
        writer.add_figure("figure", pyplot.figure(figsize=(2, 1), dpi=50))
    event = written().Images("figure")[0]
    assert (event.width, event.height) == (100, 50) and not pyplot.get_fignums()


def test_sound_text_and_settings(written, tmp_path):
    writer = SummaryWriter(tmp_path)
    writer.add_audio("sound", tallow.tensor([[0.0, 0.5, -1.0]]), sample_rate=8000)
    writer.add_text("note", "all **well**", 3)
    writer.add_hparams({"lr": 0.1, "name": "x"}, {"accuracy": 0.9}, run_name="run")
    writer.close()
    events = written()
    sound = events.Audio("sound")[0]
    assert (sound.sample_rate, sound.length_frames) == (8000, 3)
    text = events.Tensors("note/text_summary")[0]
    assert text.step == 3 and text.tensor_proto.string_val[0] == b"all **well**"
    assert written("run").Scalars("accuracy")[0].value == pytest.approx(0.9)


def test_purged_steps_are_forgotten(written, tmp_path):
    with SummaryWriter(tmp_path) as writer:
        for step in range(4):
            writer.add_scalar("loss", step, step)
    with SummaryWriter(tmp_path, purge_step=2, filename_suffix=".again") as writer:
        writer.add_scalar("loss", 20, 2)
    assert [point.value for point in written().Scalars("loss")] == [0, 1, 20]
