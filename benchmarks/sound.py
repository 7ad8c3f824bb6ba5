"""Networks and a loss for speech, of random weights: cases as those of cases.py.

They are written once for both sides, as tallowaudio's and torchaudio's models are.
"""

from importlib import import_module
from importlib.util import find_spec

from cases import step

CASES = {}


def case(name):
    """Decorator: keep a case under its name."""

    def keep(function):
        CASES[name] = function
        return function

    return keep


def composed(nn, run, **parts):
    """A module of parts whose forward pass is run(module, x)."""

    class Composed(nn.Module):
        def __init__(self):
            super().__init__()
            for name, part in parts.items():
                setattr(self, name, part)

        def forward(self, x):
            return run(self, x)

    return Composed()


def wav2vec2_base(nn):
    """wav2vec 2.0's convolutions, its positions and twelve layers of 768."""
    layers, inputs = [], 1
    for kernel, stride in ((10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2)):
        layers.append(nn.Conv1d(inputs, 512, kernel, stride, bias=False))
        layers += [nn.GELU()] if inputs == 512 else [nn.GroupNorm(512, 512), nn.GELU()]
        inputs = 512
    layer = nn.TransformerEncoderLayer(768, 12, 3072, activation="gelu", batch_first=True)

    def run(self, x):
        x = self.project(self.extract(x).transpose(1, 2))
        x = x + self.place(x.transpose(1, 2))[..., : x.shape[1]].transpose(1, 2)
        return self.score(self.layers(x))

    return composed(
        nn, run, extract=nn.Sequential(*layers),
        project=nn.Sequential(nn.LayerNorm(512), nn.Linear(512, 768)),
        place=nn.Sequential(nn.Conv1d(768, 768, 128, padding=64, groups=16), nn.GELU()),
        layers=nn.TransformerEncoder(layer, 12, enable_nested_tensor=False),
        score=nn.Linear(768, 29),
    )  # fmt: skip


def conformer_layer(nn, dim, heads, hidden, kernel):
    def forward():
        return nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, hidden), nn.SiLU(), nn.Linear(hidden, dim)
        )

    def run(self, x):
        x = x + 0.5 * self.before(x)
        y = self.norm(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        x = x + self.convolve(self.norm2(x).transpose(1, 2)).transpose(1, 2)
        return self.last(x + 0.5 * self.after(x))

    return composed(
        nn, run, before=forward(), after=forward(), norm=nn.LayerNorm(dim),
        attention=nn.MultiheadAttention(dim, heads, batch_first=True), norm2=nn.LayerNorm(dim),
        convolve=nn.Sequential(
            nn.Conv1d(dim, 2 * dim, 1), nn.GLU(1),
            nn.Conv1d(dim, dim, kernel, padding=kernel // 2, groups=dim), nn.BatchNorm1d(dim),
            nn.SiLU(), nn.Conv1d(dim, dim, 1),
        ),
        last=nn.LayerNorm(dim),
    )  # fmt: skip


def conv_tasnet(nn, features, width, hidden, layers, stacks):
    """Conv-TasNet for two voices."""

    def block(dilation):
        return nn.Sequential(
            nn.Conv1d(width, hidden, 1), nn.PReLU(), nn.GroupNorm(1, hidden),
            nn.Conv1d(hidden, hidden, 3, padding=dilation, dilation=dilation, groups=hidden),
            nn.PReLU(), nn.GroupNorm(1, hidden), nn.Conv1d(hidden, width, 1),
        )  # fmt: skip

    def run(self, x):
        heard = self.encode(x)
        y = self.enter(heard)
        for layer in self.blocks:
            y = y + layer(y)
        masks = self.leave(y).reshape(len(x), 2, features, -1)
        return self.decode((masks * heard[:, None]).flatten(0, 1)).reshape(len(x), 2, -1)

    return composed(
        nn, run, encode=nn.Conv1d(1, features, 16, 8, 8, bias=False),
        enter=nn.Sequential(nn.GroupNorm(1, features), nn.Conv1d(features, width, 1)),
        blocks=nn.ModuleList([block(2**i) for _ in range(stacks) for i in range(layers)]),
        leave=nn.Sequential(nn.PReLU(), nn.Conv1d(width, 2 * features, 1), nn.ReLU()),
        decode=nn.ConvTranspose1d(features, 1, 16, 8, 8, bias=False),
    )  # fmt: skip


@case("wav2vec 2.0 base, 10 s of sound: inference")
def wav2vec2_inference(torch):
    torch.manual_seed(0)
    model, x = wav2vec2_base(torch.nn).eval(), torch.randn(1, 1, 160000)

    def run():
        with torch.no_grad():
            model(x)

    return run


@case("Conformer, 4 layers of 144, batch 8 of 200 frames: training step")
def conformer_step(torch):
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(*[conformer_layer(nn, 144, 4, 576, 31) for _ in range(4)])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    x = torch.randn(8, 200, 144)
    return step(torch, model, nn.MSELoss(), optimizer, x, torch.randn(8, 200, 144))


@case("Conv-TasNet, 12 blocks of 128, batch 4 of 1 s: training step")
def conv_tasnet_step(torch):
    torch.manual_seed(0)
    nn = torch.nn
    model = conv_tasnet(nn, 128, 64, 128, 6, 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    x = torch.randn(4, 1, 8000)
    return step(torch, model, nn.MSELoss(), optimizer, x, torch.randn(4, 2, 8000))


@case("CTC loss, 500 frames, batch 16, 32 labels: forward and backward")
def ctc(torch):
    torch.manual_seed(0)
    scores = torch.randn(500, 16, 33).log_softmax(-1).requires_grad_(True)
    targets = torch.randint(1, 33, (16, 60))
    lengths = torch.full((16,), 500), torch.full((16,), 60)

    def run():
        torch.nn.functional.ctc_loss(scores, targets, *lengths).backward()
        scores.grad = None

    return run


# Transforms, where TorchAudio is installed


def audio(torch):
    """The package for sound that belongs to the module."""
    return import_module({"tallow": "tallowaudio", "torch": "torchaudio"}[torch.__name__])


def wave(torch, channels, seconds, rate):
    torch.manual_seed(0)
    return torch.rand(channels, seconds * rate) - 0.5


def mel_spectrogram(torch):
    transform = audio(torch).transforms.MelSpectrogram(16000, n_fft=400, hop_length=160, n_mels=80)
    sound = wave(torch, 1, 60, 16000)
    return lambda: transform(sound)


def resample(torch):
    transform, sound = audio(torch).transforms.Resample(44100, 16000), wave(torch, 1, 60, 44100)
    return lambda: transform(sound)


def lfilter(torch):
    filtered, sound = audio(torch).functional.lfilter, wave(torch, 2, 60, 44100)
    a, b = torch.tensor([1.0, -1.2, 0.5]), torch.tensor([0.1, 0.2, 0.1])
    return lambda: filtered(sound, a, b)


if find_spec("torchaudio"):
    CASES["MelSpectrogram, 60 s at 16 kHz"] = mel_spectrogram
    CASES["Resample, 60 s from 44.1 to 16 kHz"] = resample
    CASES["lfilter of order 2, 60 s of stereo at 44.1 kHz"] = lfilter
