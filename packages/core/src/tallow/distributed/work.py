"""Waiting for what was started: `Work`, the handle of a collective, and the thread behind it.

MPI moves data on only while it is called. So a thread calls it now and then for what runs in the
background, and whoever waits calls it with pauses, which leaves the core to those who compute.
"""

import threading
import time

from tallow.errors import DistributedError

SHORTEST, LONGEST = 2e-5, 1e-3  # seconds between two looks at a request


class Work:
    """A collective that was started with `async_op=True`.

    `request.Test()` says whether it is done; `finish()` is then called once, and `on_timeout(self)`
    makes the error of one that takes more than `timeout` seconds.
    """

    def __init__(self, request, result, timeout, finish=None, on_timeout=None):
        self._request = request
        self._finish = finish
        self._on_timeout = on_timeout
        self._timeout = timeout
        self._lock = threading.Lock()
        self._done = False
        self._result = result

    def is_completed(self):
        """True once the result is there."""
        with self._lock:
            if not self._done and self._request.Test():
                if self._finish is not None:
                    self._finish()
                self._done = True
        return self._done

    is_success = is_completed

    def wait(self, timeout=None):
        """Wait for the result; DistributedError after `timeout`, a timedelta or seconds.

        On a GPU only the current stream waits.
        """
        seconds = getattr(timeout, "total_seconds", lambda: timeout)() or self._timeout
        pause, start = SHORTEST, time.monotonic()
        while not self.is_completed():
            if time.monotonic() - start > seconds:
                raise (
                    self._on_timeout(seconds)
                    if self._on_timeout
                    else DistributedError(f"wait: expected the end within {seconds:g} s, got none")
                )
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST)
        return True

    def result(self):
        """The tensors that the collective wrote, once it is done."""
        self.wait()
        return self._result

    value = result

    def get_future(self):
        """This handle: it has `wait`, `value` and `then`, as PyTorch's futures have."""
        return self

    def then(self, callback):
        """What `callback(self)` returns, to be computed when it is waited for."""
        return Then(self, callback)


class Then:
    """The result of a callback on finished work."""

    def __init__(self, work, callback):
        self._work = work
        self._callback = callback

    def wait(self):
        """The callback's result; it is called once."""
        if self._work is not None:
            self._work.wait()
            self._value = self._callback(self._work)
            self._work = None
        return self._value

    value = wait

    def then(self, callback):
        """What `callback(self)` returns, to be computed when it is waited for."""
        return Then(self, callback)


class Background:
    """A thread that moves started work on, and in between does `idle()` ten times a second."""

    def __init__(self, idle):
        self._idle = idle
        self._works = []
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="tallow.distributed", daemon=True)
        self._thread.start()

    def add(self, work):
        self._works.append(work)
        self._wake.set()

    def stop(self):
        """End the thread, and wait until it has ended."""
        self._stopped = True
        self._wake.set()
        self._thread.join()

    def _run(self):
        last = 0.0
        while not self._stopped:
            self._wake.wait(LONGEST if self._works else 0.1)
            self._wake.clear()
            for work in list(self._works):
                if work.is_completed():
                    self._works.remove(work)
            if time.monotonic() - last > 0.1:
                self._idle()
                last = time.monotonic()
