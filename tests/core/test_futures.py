"""Results that are to come."""

import pytest

from tallow import futures


def test_callbacks_run_when_the_result_is_there():
    first, seen = futures.Future(), []
    first.add_done_callback(lambda done: seen.append(done.value()))
    later = first.then(lambda done: done.wait() + 1).then(lambda done: 2 * done.wait())
    assert not first.done() and not later.done()
    first.set_result(2)
    assert seen == [2] and later.wait() == 6


def test_errors_are_handed_over():
    first = futures.Future()
    later = first.then(lambda done: done.wait())
    first.set_exception(KeyError("lost"))
    with pytest.raises(KeyError, match="lost"):
        later.wait()
    with pytest.raises(TimeoutError):
        futures.Future().value()


def test_all_of_several():
    several = [futures.Future(), futures.Future()]
    both = futures.collect_all(several)
    several[1].set_result("b")
    assert not both.done()
    several[0].set_result("a")
    assert both.wait() == several and futures.wait_all(several) == ["a", "b"]
    assert futures.wait_all([]) == []
