"""From the memory of one device to that of another."""

from tallow import backend
from tallow.autograd.op import op


@op
def transfer(x, *, source, target, non_blocking=False):
    """The values of x, which is on device `source`, on device `target`.

    `non_blocking`: what leaves pinned memory may do so later.
    """
    where = backend.for_device(target)
    if where.between is not None and where is backend.for_array(x):
        return where.between(x, target.index)
    host = backend.for_array(x).to_host(x)
    return where.from_host(host, target.index, non_blocking)


transfer.vjp(lambda g, source, target: transfer(g, source=target, target=source))
