"""Results that are to come, which threads and callbacks hand over."""

import concurrent.futures
from typing import Generic, TypeVar

__all__ = ["Future", "collect_all", "wait_all"]


T = TypeVar("T")


class Future(Generic[T]):
    """A result that somebody sets, with functions to call then.

    >>> future = tallow.futures.Future()
    >>> doubled = future.then(lambda done: 2 * done.wait())
    >>> future.set_result(21)
    >>> doubled.wait()
    42
    """

    def __init__(self, *, devices=None):
        self._future = concurrent.futures.Future()

    def done(self):
        """True once there is a result or an error."""
        return self._future.done()

    def wait(self):
        """The result, once it is there; raises the error if it is one."""
        return self._future.result()

    def value(self):
        """The result, which has to be there: TimeoutError if not."""
        return self._future.result(timeout=0)

    def set_result(self, result):
        """Hand over the result."""
        self._future.set_result(result)

    def set_exception(self, result):
        """Hand over an error."""
        self._future.set_exception(result)

    def add_done_callback(self, callback):
        """Call `callback(self)` once this is done, at once if it is."""
        self._future.add_done_callback(lambda _: callback(self))

    def then(self, callback):
        """The Future of `callback(self)`, which is called once this is done."""
        made = Future()

        def go_on(done):
            try:
                made.set_result(callback(done))
            except Exception as error:
                made.set_exception(error)

        self.add_done_callback(go_on)
        return made


def collect_all(futures):
    """The Future of a list of Futures, done once all of them are."""
    made, left = Future(), set(map(id, futures))

    def count(done):
        left.discard(id(done))
        if not left:
            made.set_result(list(futures))

    if not futures:
        made.set_result([])
    for future in futures:
        future.add_done_callback(count)
    return made


def wait_all(futures):
    """The results of Futures, once all are there."""
    return [future.wait() for future in collect_all(futures).wait()]
