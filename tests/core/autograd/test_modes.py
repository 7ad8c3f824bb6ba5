"""`no_grad` and its kin, and `detect_anomaly`."""

import threading

import pytest

import tallow
from tallow.autograd import anomaly
from tallow.errors import GradientError

MODES = """
x=T([2.],requires_grad=True)
with torch.no_grad():
    y=x*2
    with torch.enable_grad():
        z=x*2
    w=x*2
(y.requires_grad,z.requires_grad,w.requires_grad)

x=T([2.],requires_grad=True)
@torch.no_grad()
def f(): return x*2
@torch.no_grad
def g(): return x*2
@torch.enable_grad()
def h(): return x*2
with torch.no_grad():
    k=h()
(f().requires_grad,g().requires_grad,k.requires_grad,f.__name__)

x=T([2.],requires_grad=True)
@torch.no_grad()
def f():
    yield (x*2).requires_grad
    yield (x*2).requires_grad
it=f(); a=next(it); b=torch.is_grad_enabled(); c=next(it)
(a,b,c,torch.is_grad_enabled())

x=T([2.],requires_grad=True)
torch.set_grad_enabled(False); y=x*2; torch.set_grad_enabled(True); z=x*2
(y.requires_grad,z.requires_grad)

with torch.set_grad_enabled(False):
    a=torch.is_grad_enabled()
@torch.set_grad_enabled(False)
def f(): return torch.is_grad_enabled()
(a,torch.is_grad_enabled(),f(),torch.is_grad_enabled())

with torch.inference_mode(False):
    a=torch.is_grad_enabled()
a

x=T([2.],requires_grad=True)
with torch.inference_mode():
    y=x*2; y.add_(1); a=torch.is_grad_enabled()
(y.requires_grad,a,y.tolist(),torch.is_grad_enabled())

try:
    with torch.no_grad():
        raise ValueError
except ValueError:
    pass
torch.is_grad_enabled()

class C:
    @torch.no_grad()
    def f(self): return torch.is_grad_enabled()
    @staticmethod
    @torch.no_grad()
    def s(): return torch.is_grad_enabled()
(C().f(),C.s())

import threading
r=[]
with torch.no_grad():
    t=threading.Thread(target=lambda: r.append(torch.is_grad_enabled())); t.start(); t.join()
r

x=T([2.],requires_grad=True)
with torch.no_grad():
    y=x*2; y.requires_grad_(); z=y*2
(y.requires_grad,z.requires_grad,y.is_leaf)

x=T([2.],requires_grad=True); y=x*3
with torch.no_grad():
    y.backward()
x.grad

x=T([2.],requires_grad=True); y=x**3
with torch.no_grad():
    y.backward(create_graph=True)
(x.grad.requires_grad, torch.is_grad_enabled())

x=T([2.],requires_grad=True)
with torch.no_grad():
    a=torch.nn.Parameter(x*2)
(a.requires_grad,a.is_leaf)

with torch.autograd.set_grad_enabled(False):
    a=torch.is_grad_enabled()
a

x=T([0.],requires_grad=True)
with torch.autograd.detect_anomaly():
    y=x.sqrt()*0
    y.backward()
x.grad

x=T([0.],requires_grad=True)
with torch.autograd.detect_anomaly(check_nan=False):
    y=x.sqrt()*0
    y.backward()
x.grad.isnan().tolist()

x=T([1.],requires_grad=True)
with torch.autograd.set_detect_anomaly(True):
    y=x.sqrt(); y.backward()
x.grad
"""


def test_modes(both, snippet):
    both(snippet)


def test_a_mode_within_itself():
    mode = tallow.no_grad()
    with mode:
        with mode:
            assert not tallow.is_grad_enabled()
        assert not tallow.is_grad_enabled()
    assert tallow.is_grad_enabled()


class TestGenerators:
    """The mode holds while the generator runs and not while its consumer does."""

    def make(self, log):
        @tallow.no_grad()
        def generator():
            try:
                while True:
                    try:
                        log.append(("sent", (yield tallow.is_grad_enabled())))
                    except ValueError:
                        log.append(("thrown", tallow.is_grad_enabled()))
            finally:
                log.append(("closed", tallow.is_grad_enabled()))

        return generator()

    def test_values_sent(self):
        log = []
        generator = self.make(log)
        assert next(generator) is False and tallow.is_grad_enabled()
        assert generator.send(5) is False and tallow.is_grad_enabled()
        assert log == [("sent", 5)]

    def test_exceptions_thrown(self):
        log = []
        generator = self.make(log)
        next(generator)
        assert generator.throw(ValueError) is False and tallow.is_grad_enabled()
        generator.close()
        assert log == [("thrown", False), ("closed", False)] and tallow.is_grad_enabled()

    def test_results(self):
        @tallow.no_grad()
        def inner():
            yield 1
            return 2

        def outer():
            result = yield from inner()
            yield result

        assert list(outer()) == [1, 2]


def test_classes_are_refused():
    with pytest.raises(
        TypeError, match="no_grad: expected a function, got a class; decorate its m"
    ):

        @tallow.no_grad()
        class Whole:
            pass


def test_modes_of_threads_do_not_mix():
    inside, leave = threading.Event(), threading.Event()

    def work():
        with tallow.no_grad():
            inside.set()
            leave.wait()

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()
    x = tallow.ones(1, requires_grad=True)
    recorded = (x * 2).requires_grad
    leave.set()
    thread.join()
    assert recorded


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NumPy, about the NaN that is looked for
class TestAnomaly:
    def test_nan_tells_its_operation_and_place(self):
        x = tallow.zeros(1, requires_grad=True)
        with tallow.autograd.detect_anomaly():
            y = x.sqrt() * 0
            with pytest.raises(GradientError, match="expected numbers, got NaN from sqrt") as error:
                y.backward()
        (note,) = error.value.__notes__
        assert "which was called here" in note and "y = x.sqrt() * 0" in note

    def test_nan_given(self):
        x = tallow.ones(1, requires_grad=True)
        with (
            tallow.autograd.detect_anomaly(),
            pytest.raises(GradientError, match="got NaN from the gradient that was given"),
        ):
            (x * 2).backward(tallow.tensor([float("nan")]))

    def test_errors_tell_their_place(self):
        class Wrong(tallow.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 2

            @staticmethod
            def backward(ctx, g):
                return g * 2

        x = tallow.ones(2, requires_grad=True)
        with tallow.autograd.detect_anomaly():
            y = x.exp()
            y.add_(1)
            with pytest.raises(GradientError) as error:
                y.sum().backward()
        assert "y = x.exp()" in error.value.__notes__[0]

    def test_gradients_are_as_ever(self):
        x = tallow.tensor([1.0, 2.0], requires_grad=True)
        with tallow.autograd.detect_anomaly():
            y = x.sort().values
            (g,) = tallow.autograd.grad((y * y).sum(), x, create_graph=True)
            g.sum().backward()
        assert g.tolist() == [2, 4] and x.grad.tolist() == [2, 2]

    def test_settings_are_restored(self):
        assert not anomaly.is_anomaly_enabled()
        with tallow.autograd.detect_anomaly(check_nan=False):
            assert anomaly.is_anomaly_enabled() and not anomaly.is_anomaly_check_nan_enabled()
            with tallow.autograd.set_detect_anomaly(False):
                assert not anomaly.is_anomaly_enabled()
            assert anomaly.is_anomaly_enabled()
        assert not anomaly.is_anomaly_enabled() and anomaly.is_anomaly_check_nan_enabled()
        tallow.autograd.set_detect_anomaly(True)
        assert anomaly.is_anomaly_enabled()
        tallow.autograd.set_detect_anomaly(False)
        assert not anomaly.is_anomaly_enabled()

    def test_nothing_is_kept_when_it_is_off(self):
        with tallow.autograd.detect_anomaly():
            watched = (tallow.ones(1, requires_grad=True) * 2).grad_fn
        plain = (tallow.ones(1, requires_grad=True) * 2).grad_fn
        assert watched.trace and not hasattr(plain, "trace")
