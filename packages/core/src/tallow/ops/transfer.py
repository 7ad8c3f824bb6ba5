"""From the memory of one device to that of another."""

from tallow import backend
from tallow.autograd.op import op


@op
def transfer(x, *, source, target):
    """The values of x, which is on device `source`, on device `target`."""
    where = backend.for_device(target)
    return where.from_host(backend.for_array(x).to_host(x), target.index)


transfer.vjp(lambda g, source, target: transfer(g, source=target, target=source))
