"""Networks that listen while a sound comes in."""

import pytest

import tallow
from tallowaudio.models import StreamingRecognizer, VoiceDetector

MODELS = {"recognizer": lambda: StreamingRecognizer("-ab", 8, 8), "detector": VoiceDetector}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("samples", [1, 100, 2399, 2400, 2401])
def test_pieces_give_what_the_whole_gives(make, samples):
    tallow.manual_seed(0)
    model, x = make().eval(), tallow.randn(samples)
    with tallow.no_grad():
        whole, frames = model(x[None])
    stream, found = model.stream(), []
    pieces = x.split(333)
    for number, piece in enumerate(pieces, 1):
        found.append(stream(piece, last=number == len(pieces)))
    found = tallow.cat(found)
    assert frames.tolist() == [len(found)] == [whole.shape[1]]
    assert tallow.allclose(found, whole[0], atol=1e-5)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_a_batch_gives_what_each_sound_gives_alone(make):
    tallow.manual_seed(0)
    model, lengths = make().eval(), tallow.tensor([1500, 641])
    batch = tallow.randn(2, 1500) * (tallow.arange(1500) < lengths[:, None])
    with tallow.no_grad():
        together, frames = model(batch, lengths)
        for row, length in enumerate(lengths.tolist()):
            alone, count = model(batch[row : row + 1, :length])
            assert count.item() == frames[row].item() == alone.shape[1]
            assert tallow.allclose(together[row, : alone.shape[1]], alone[0], atol=1e-5)


def test_a_saved_network_is_the_same(tmp_path):
    model = StreamingRecognizer("-xyz", 8, 12).eval()
    path = tmp_path / "model.safetensors"
    model.save(path)
    again = StreamingRecognizer.load(path)
    x = tallow.randn(1, 2000)
    with tallow.no_grad():
        assert again.labels == "-xyz" and tallow.equal(again(x)[0], model(x)[0])
    small = tmp_path / "small.safetensors"
    model.save(small, tallow.float16)
    assert small.stat().st_size < 0.7 * path.stat().st_size
    again = StreamingRecognizer.load(small)
    assert again.head.weight.dtype == tallow.float32
    with tallow.no_grad():
        assert tallow.allclose(again(x)[0], model(x)[0], atol=0.05)
    with pytest.raises(RuntimeError, match="expected a VoiceDetector .* got StreamingRecognizer"):
        VoiceDetector.load(path)
