"""Parts of complex tensors against PyTorch."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def parity(parity):
    return parity.everywhere()


RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 4, 2))
Z = RNG.standard_normal((2, 3, 4)) + 1j * RNG.standard_normal((2, 3, 4))


@pytest.mark.parametrize(
    "source",
    [
        "torch.conj(z)", "torch.conj_physical(z)", "torch.conj_physical(x)", "x.conj()",
        "torch.real(z)", "z.real * 2", "torch.imag(z) * 2", "z.imag", "torch.real(x)",
        "torch.view_as_real(z)", "torch.view_as_real(z.transpose(0, 2))", "torch.isreal(z)",
        "torch.isreal(x)", "torch.view_as_complex(x)",
        "torch.view_as_complex(x.transpose(0, 1)) * 2j",
        "torch.view_as_complex(torch.view_as_real(z) * 3)", "torch.adjoint(z)", "z.mH", "x.mH",
        "z[0].H", "z.mT", "z.is_conj()", "z.is_neg()", "z.resolve_conj()", "z.resolve_neg()",
        "y = z * 1; y.real = x[:2, :3, :1]; y", "y = z * 1; y.imag = x[:2, :3, :1]; y * y",
        "y = z * 1; y.imag.mul_(3); y",
        "y = z * 1; torch.view_as_real(y)[..., 0] = x[:2, :3, :1]; y",
        "y = x * 1; torch.view_as_complex(y)[0] *= 1j; y",
    ],
)  # fmt: skip
def test_values_and_gradients(parity, source):
    parity(source, x=X, z=Z)


@pytest.mark.parametrize(
    "source",
    [
        "torch.imag(x)", "x.imag", "torch.view_as_real(x)", "torch.view_as_complex(x[..., :1])",
        "torch.view_as_complex(x.long())", "torch.view_as_complex(x.transpose(1, 2)[:, :, :2])",
        "torch.view_as_complex(torch.ones(3, 3)[:, 1:])", "x[0, 0].adjoint()", "x.H", "x[0, 0].mH",
        "torch.view_as_complex(torch.tensor(1.0))",
    ],
)  # fmt: skip
def test_errors(parity, source):
    parity.fails(source, x=X)


@pytest.mark.parametrize(
    "function",
    [
        "z * z.conj()", "z.real * z.imag", "torch.view_as_real(z) ** 3",
        "torch.view_as_complex(torch.view_as_real(z) ** 2)", "z.abs() * z.adjoint().sum()",
    ],
)  # fmt: skip
def test_second_order(parity, function):
    total = f"y = torch.view_as_real(({function}) + 0j); total = (y * y).sum(); "
    parity(total + "torch.autograd.grad(total, z, create_graph=True)[0]", z=Z, factor=100)
