"""SQUIM: how good speech sounds, without a reference (Kumar et al., 2023)."""

import math

import tallow
from tallow import nn
from tallow.errors import ArgumentError
from tallowaudio.models._common import check_waveforms
from tallowaudio.models.wav2vec2.sizes import wav2vec2_base

# wideband PESQ of raw scores up to 4.5 (ITU-T P.862.2)
PESQ_RANGE = (1.0, 0.999 + 4.0 / (1 + math.exp(-1.3669 * 4.5 + 3.8224)))


class RangeSigmoid(nn.Module):
    """A sigmoid between the two numbers of `val_range`."""

    def __init__(self, val_range=(0.0, 1.0)):
        super().__init__()
        self.val_range = val_range

    def forward(self, x):
        low, high = self.val_range
        return x.sigmoid() * (high - low) + low


class Encoder(nn.Module):
    """Learnt features of waveforms: (N, time) -> (N, feat_dim, frames)."""

    def __init__(self, feat_dim=512, win_len=32):
        super().__init__()
        self.conv1d = nn.Conv1d(1, feat_dim, win_len, stride=win_len // 2, bias=False)

    def forward(self, x):
        return self.conv1d(x[:, None]).relu()


class SingleRNN(nn.Module):
    """A recurrent network both ways over (N, time, input_size), projected back to it."""

    def __init__(self, rnn_type, input_size, hidden_size):
        super().__init__()
        if rnn_type not in ("LSTM", "GRU", "RNN"):
            raise ArgumentError(f"rnn_type: expected 'LSTM', 'GRU' or 'RNN', got {rnn_type!r}")
        kind = getattr(nn, rnn_type)
        self.rnn = kind(input_size, hidden_size, batch_first=True, bidirectional=True)
        self.proj = nn.Linear(hidden_size * 2, input_size)

    def forward(self, x):
        return self.proj(self.rnn(x)[0])


class DPRNN(nn.Module):
    """Recurrent networks within and across overlapping chunks: (N, feat_dim, frames) -> (N, frames,
    d_model).

    Luo et al., "Dual-path RNN: Efficient Long Sequence Modeling", 2020.
    """

    def __init__(
        self, feat_dim=64, hidden_dim=128, num_blocks=6, rnn_type="LSTM", d_model=256,
        chunk_size=100, chunk_stride=50,
    ):  # fmt: skip
        super().__init__()
        count = range(num_blocks)
        self.row_rnn = nn.ModuleList(SingleRNN(rnn_type, feat_dim, hidden_dim) for _ in count)
        self.col_rnn = nn.ModuleList(SingleRNN(rnn_type, feat_dim, hidden_dim) for _ in count)
        self.row_norm = nn.ModuleList(nn.GroupNorm(1, feat_dim, eps=1e-8) for _ in count)
        self.col_norm = nn.ModuleList(nn.GroupNorm(1, feat_dim, eps=1e-8) for _ in count)
        self.conv = nn.Sequential(nn.Conv2d(feat_dim, d_model, 1), nn.PReLU())
        self.chunk_size = chunk_size
        self.chunk_stride = chunk_stride

    def _chunks(self, x):
        """(N, dim, frames) -> chunks (N, dim, chunk_size, count), every other one a stride late;
        and how many frames were added.
        """
        size, stride = self.chunk_size, self.chunk_stride
        rest = size - (stride + x.shape[2] % size) % size
        x = nn.functional.pad(x, (stride, rest + stride))
        early = x[..., : x.shape[2] - stride].unflatten(2, (-1, size))
        late = x[..., stride:].unflatten(2, (-1, size))
        return tallow.stack([early, late], 3).flatten(2, 3).transpose(2, 3), rest

    def _merged(self, x, rest):
        """The frames (N, dim, frames) of chunks, each the sum of the two that hold it."""
        stride = self.chunk_stride
        pairs = x.transpose(2, 3).unflatten(2, (-1, 2))
        early, late = (pairs[:, :, :, i].flatten(2) for i in range(2))
        x = early[..., stride:] + late[..., : late.shape[2] - stride]
        return x[..., : x.shape[2] - rest]

    def forward(self, x):
        x, rest = self._chunks(x)
        layers = self.row_rnn, self.row_norm, self.col_rnn, self.col_norm
        for row_rnn, row_norm, col_rnn, col_norm in zip(*layers, strict=True):
            rows = x.permute(0, 3, 2, 1)  # (N, count, chunk_size, dim)
            found = row_rnn(rows.flatten(0, 1)).reshape(rows.shape)
            x = x + row_norm(found.permute(0, 3, 2, 1))
            columns = x.permute(0, 2, 3, 1)  # (N, chunk_size, count, dim)
            found = col_rnn(columns.flatten(0, 1)).reshape(columns.shape)
            x = x + col_norm(found.permute(0, 3, 1, 2))
        return self._merged(self.conv(x), rest).transpose(1, 2)


class AutoPool(nn.Module):
    """A mean over `pool_dim` that weighs large values more, by how much is learnt."""

    def __init__(self, pool_dim=1):
        super().__init__()
        self.pool_dim = pool_dim
        self.alpha = nn.Parameter(tallow.ones(1))

    def forward(self, x):
        return (x * (x * self.alpha).softmax(self.pool_dim)).sum(self.pool_dim)


class SquimObjective(nn.Module):
    """STOI, PESQ and SI-SDR (dB) of speech (N, time) at 16 kHz, three tensors (N,).

    Kumar et al., "TorchAudio-Squim: Reference-less Speech Quality and Intelligibility Measures",
    2023.
    """

    def __init__(self, encoder, dprnn, branches):
        super().__init__()
        self.encoder = encoder
        self.dprnn = dprnn
        self.branches = branches

    def forward(self, x):
        check_waveforms("SquimObjective", x, shortest=self.encoder.conv1d.kernel_size[0])
        x = x / (x.square().mean(1, keepdim=True).sqrt() * 20)
        x = self.dprnn(self.encoder(x))
        return [branch(x).squeeze(1) for branch in self.branches]


def _branch(d_model, nhead, *last):
    head = nn.Sequential(nn.Linear(d_model, d_model), nn.PReLU(), nn.Linear(d_model, 1), *last)
    layer = nn.TransformerEncoderLayer(d_model, nhead, d_model * 4, 0.0, batch_first=True)
    return nn.Sequential(layer, AutoPool(), head)


def squim_objective_model(
    feat_dim, win_len, d_model, nhead, hidden_dim, num_blocks, rnn_type, chunk_size,
    chunk_stride=None,
):  # fmt: skip
    """A `SquimObjective` of any size; `win_len` in samples, chunks in frames of half of that."""
    stride = chunk_size // 2 if chunk_stride is None else chunk_stride
    branches = [
        _branch(d_model, nhead, RangeSigmoid()),
        _branch(d_model, nhead, RangeSigmoid(PESQ_RANGE)),
        _branch(d_model, nhead),
    ]
    dprnn = DPRNN(feat_dim, hidden_dim, num_blocks, rnn_type, d_model, chunk_size, stride)
    return SquimObjective(Encoder(feat_dim, win_len), dprnn, nn.ModuleList(branches))


def squim_objective_base():
    """The `SquimObjective` of `SQUIM_OBJECTIVE`."""
    return squim_objective_model(256, 64, 256, 4, 256, 2, "LSTM", 71)


class AttPool(nn.Module):
    """A mean over time of (N, time, dim) by learnt shares, projected to (N, att_dim)."""

    def __init__(self, input_dim, att_dim):
        super().__init__()
        self.linear1 = nn.Linear(input_dim, 1)
        self.linear2 = nn.Linear(input_dim, att_dim)

    def forward(self, x):
        shares = self.linear1(x).softmax(1)
        return self.linear2((shares * x).sum(1))


class Predictor(nn.Module):
    """The expected value of a score among `att_dim` from 0 to 4: (N, time, dim) -> (N,)."""

    def __init__(self, input_dim, att_dim):
        super().__init__()
        self.att_pool_layer = AttPool(input_dim, att_dim)
        self.att_dim = att_dim

    def forward(self, x):
        shares = self.att_pool_layer(x).softmax(1)
        return (shares * tallow.linspace(0, 4, self.att_dim, device=x.device)).sum(1)


class SquimSubjective(nn.Module):
    """The mean opinion, 1 to 5, of speech (N, time) at 16 kHz, beside any clean speech (M, time).

    Manocha and Kumar, "Speech quality assessment through MOS using non-matching references", 2022.
    """

    def __init__(self, ssl_model, projector, predictor):
        super().__init__()
        self.ssl_model = ssl_model
        self.projector = projector
        self.predictor = predictor

    def _features(self, waveform):
        return self.projector(self.ssl_model.extract_features(waveform)[0][-1])

    def forward(self, waveform, reference):
        samples = waveform.shape[-1]
        times = samples // reference.shape[-1] + 1
        reference = reference.repeat(1, times)[:, :samples]
        both = self._features(reference), self._features(waveform)
        return 5 - self.predictor(tallow.cat(both, 2))


def squim_subjective_model(ssl_type, feat_dim, proj_dim, att_dim):
    """A `SquimSubjective` over features of `ssl_type`, as "wav2vec2_base", `feat_dim` wide."""
    if ssl_type != "wav2vec2_base":
        raise ArgumentError(f"ssl_type: expected 'wav2vec2_base', got {ssl_type!r}")
    projector, predictor = nn.Linear(feat_dim, proj_dim), Predictor(proj_dim * 2, att_dim)
    return SquimSubjective(wav2vec2_base(), projector, predictor)


def squim_subjective_base():
    """The `SquimSubjective` of `SQUIM_SUBJECTIVE`."""
    return squim_subjective_model("wav2vec2_base", 768, 32, 5)
