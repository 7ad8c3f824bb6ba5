"""tallow.fft, stft and windows against PyTorch; properties of transforms."""

import numpy as np
import pytest

import tallow


@pytest.fixture(scope="module")
def parity(parity):
    return parity.everywhere()


RNG = np.random.default_rng(0)
REAL = RNG.standard_normal((4, 5, 6))
COMPLEX = REAL + 1j * RNG.standard_normal((4, 5, 6))
NORMS = [None, "backward", "ortho", "forward"]
NAMES = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]


def operands(name):
    return [REAL] if name in ("rfft", "ihfft") else [REAL, COMPLEX]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", NAMES)
def test_along_one_dim(parity, name, norm):
    for x in operands(name):
        for n, dim in [(None, -1), (3, -1), (8, 0), (5, 1), (1, 2)]:
            parity(f"torch.fft.{name}(x, n, dim, norm)", x=x, n=n, dim=dim, norm=norm)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", NAMES)
def test_over_several_dims(parity, name, norm):
    sizes = [
        (None, None),
        ((4,), None),
        ((4, 7), (0, -1)),
        ((3, -1), (1, 2)),
        (None, (2, 0)),
        (5, 1),
    ]
    for x in operands(name):
        for s, dim in sizes:
            parity(f"torch.fft.{name}n(x, s, dim, norm)", x=x, s=s, dim=dim, norm=norm)
        parity(f"torch.fft.{name}2(x, norm=norm)", x=x, norm=norm)


@pytest.mark.parametrize("dtype", ["bool", "int32", "float32", "float64", "complex64"])
@pytest.mark.parametrize("name", ["fft", "irfft", "fftn"])
def test_dtypes(parity, name, dtype):
    parity(f"torch.fft.{name}(x)", x=np.ones((3, 4)).astype(dtype), gradients=False)


@pytest.mark.parametrize(
    "source",
    [
        "torch.fft.fftfreq(7)", "torch.fft.fftfreq(8, 0.5)", "torch.fft.fftfreq(0)",
        "torch.fft.rfftfreq(7, d=2.0, dtype=torch.float64)", "torch.fft.rfftfreq(8)",
        "torch.fft.fftshift(x)", "torch.fft.fftshift(x, dim=1)",
        "torch.fft.ifftshift(x, dim=(0, 1))", "torch.fft.fft(x.transpose(0, 2)[::2])",
        "torch.fft.fftn(x, dim=())",
        "torch.fft.rfft(x, out=torch.empty(0, dtype=torch.complex128))",
    ],
)  # fmt: skip
def test_frequencies_and_forms(parity, source):
    parity(source, x=REAL, gradients="out=" not in source)


@pytest.mark.parametrize(
    "source",
    [
        "torch.fft.fft(x, n=0)", "torch.fft.fft(x, n=-1)", "torch.fft.irfft(x[..., :1])",
        "torch.fft.fft(x, norm='none')", "torch.fft.fftn(x, dim=(0, 0))", "torch.fft.fft(x, dim=3)",
        "torch.fft.fftn(x, s=(2, 3), dim=(0,))", "torch.fft.fftn(x, s=(1, 1, 1, 1))",
        "torch.fft.fft(torch.tensor(1.0))", "torch.fft.rfft(torch.complex(x, x))",
        "torch.fft.rfftn(x, dim=())", "torch.fft.irfftn(x, dim=())", "torch.fft.fft(x.half())",
        "torch.fft.fft([1.0])", "torch.fft.fftfreq(3, dtype=torch.int64)",
        "torch.fft.fftshift(x, 3)",
    ],
)  # fmt: skip
def test_errors(parity, source):
    parity.fails(source, x=REAL)


def test_single_precision_stays():
    assert tallow.fft.rfft(tallow.ones(4)).dtype is tallow.complex64
    assert tallow.fft.irfft(tallow.fft.rfft(tallow.ones(4))).dtype is tallow.float32


@pytest.mark.parametrize(
    "source",
    [
        "torch.autograd.grad((torch.fft.rfft(x).abs() ** 3).sum(), x, create_graph=True)[0]",
        "torch.autograd.grad((torch.fft.irfft(x) ** 3).sum(), x, create_graph=True)[0]",
        "torch.autograd.grad((torch.fft.fft2(x).abs() ** 3).sum(), x, create_graph=True)[0]",
    ],
)
def test_second_order(parity, source):
    parity(source, x=REAL, factor=100)


# Short-time transforms

SIGNAL = RNG.standard_normal((2, 50))
WINDOW = RNG.uniform(0.5, 1, 12)

STFT = [
    "torch.stft(x, 12, window=w, return_complex=True)",
    "torch.stft(x[0], 12, window=w, return_complex=True)",
    "torch.stft(x, 12, 5, window=w, center=False, return_complex=True)",
    "torch.stft(x, 15, 4, 12, window=w, normalized=True, return_complex=True)",
    "torch.stft(x, 15, win_length=12, return_complex=True, pad_mode='constant')",
    "torch.stft(x, 12, window=w, return_complex=True, pad_mode='replicate')",
    "torch.stft(x, 12, 30, window=w, return_complex=True, pad_mode='circular')",
    "torch.stft(x, 12, window=w, onesided=False, return_complex=True)",
    "torch.stft(x, 12, window=w, return_complex=False)",
    "torch.stft(torch.complex(x, 2 * x), 12, window=w)",
    "torch.stft(x, 16, 4, 12, window=w, center=False, align_to_window=True, return_complex=True)",
    "x.stft(12, window=w, return_complex=True)",
]


@pytest.mark.parametrize("source", STFT)
def test_stft(parity, source):
    parity(source, x=SIGNAL, w=WINDOW)


ISTFT = [
    "torch.istft(z, 12, window=w)",
    "torch.istft(z[0], 12, window=w)",
    "torch.istft(z, 13, 4, 12, window=w, normalized=True)",
    "torch.istft(z, 12, 4, window=w, length=20)",
    "torch.istft(z, 12, 4, window=w, length=60)",
    "torch.istft(z, 12, window=w, center=False)",
    "torch.istft(z, 7, 3, window=w[:7], onesided=False)",
    "torch.istft(z, 7, 3, window=w[:7], onesided=False, return_complex=True)",
    "torch.istft(z, 12)",
    "z.istft(12, window=w)",
]


@pytest.mark.parametrize("source", ISTFT)
def test_istft(parity, source):
    z = RNG.standard_normal((2, 7, 9)) + 1j * RNG.standard_normal((2, 7, 9))
    parity(source, z=z, w=WINDOW, factor=10)


def test_istft_inverts_stft():
    x = tallow.tensor(SIGNAL)
    how = {"n_fft": 16, "hop_length": 4, "window": tallow.hann_window(16, dtype=tallow.float64)}
    spectrum = tallow.stft(x, **how, return_complex=True)
    tallow.testing.assert_close(tallow.istft(spectrum, **how, length=50), x)


@pytest.mark.parametrize(
    "source",
    [
        "torch.stft(x, 8)", "torch.stft(x, 100, return_complex=True)",
        "torch.stft(x, 8, 0, return_complex=True)", "torch.stft(x, 8, 2, 9, return_complex=True)",
        "torch.stft(x, 8, window=torch.ones(7), return_complex=True)",
        "torch.stft(x[None], 8, return_complex=True)",
        "torch.stft(x.long(), 8, return_complex=True)",
        "torch.stft(torch.complex(x, x), 8, onesided=True)",
        "torch.stft(x, 8, pad_mode='mirror', return_complex=True)",
        "torch.stft(x, 60, center=False, return_complex=True)",
        "torch.stft(x, 8, center=True, align_to_window=True, return_complex=True)",
        "torch.istft(x, 8)", "torch.istft(torch.complex(x, x), 12)",
        "torch.istft(torch.complex(x[:, :3], x[:, :3]), 2, 3)",
        "torch.istft(torch.zeros(5, 0, dtype=torch.complex64), 8)",
        "torch.istft(torch.zeros(5, 3, dtype=torch.complex64), 8, return_complex=True)",
        "torch.istft(torch.ones(5, 3, dtype=torch.complex64), 8, center=False, "
        "window=torch.hann_window(8))",
    ],
)  # fmt: skip
def test_stft_errors(parity, source):
    parity.fails(source, x=SIGNAL)


# Windows


@pytest.mark.parametrize("length", [0, 1, 2, 7, 8])
@pytest.mark.parametrize("name", ["hann", "hamming", "blackman", "bartlett", "kaiser"])
def test_windows(parity, name, length):
    for periodic in (True, False):
        parity(f"torch.{name}_window({length}, {periodic}, dtype=torch.float64)")
    parity(f"torch.{name}_window({length})")


@pytest.mark.parametrize("sym", [True, False])
@pytest.mark.parametrize(
    "call",
    [
        "bartlett({})", "blackman({})", "cosine({})", "exponential({}, tau=2.0)",
        "gaussian({}, std=2.5)", "general_cosine({}, a=[0.4, 0.3, 0.2])",
        "general_hamming({}, alpha=0.6)", "hamming({})", "hann({})", "kaiser({}, beta=5.0)",
        "nuttall({})",
    ],
)  # fmt: skip
def test_signal_windows(parity, call, sym):
    for length in (0, 1, 2, 9):
        made = call.replace("{}", str(length))[:-1]
        parity(f"torch.signal.windows.{made}, sym={sym}, dtype=torch.float64)")
        parity(f"torch.signal.windows.{made}, sym={sym})")


@pytest.mark.parametrize(
    "source",
    [
        "torch.hann_window(-1)", "torch.hann_window(3, dtype=torch.int64)",
        "torch.signal.windows.hann(-1)", "torch.signal.windows.hann(3, dtype=torch.float16)",
        "torch.signal.windows.kaiser(3, beta=-1)", "torch.signal.windows.gaussian(3, std=0)",
        "torch.signal.windows.exponential(3, tau=0)",
        "torch.signal.windows.exponential(3, center=1.0)",
        "torch.signal.windows.general_cosine(3, a=[])",
    ],
)  # fmt: skip
def test_window_errors(parity, source):
    parity.fails(source)
