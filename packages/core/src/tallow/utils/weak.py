"""Dictionaries whose keys are told apart by identity, and stay only as long as others hold them."""

import weakref
from collections.abc import MutableMapping

__all__ = ["TensorWeakRef", "WeakIdKeyDictionary", "WeakTensorKeyDictionary"]


class WeakIdKeyDictionary(MutableMapping):
    """A dictionary for keys that compare elementwise, such as tensors: by identity, and weakly.

    >>> import tallow
    >>> from tallow.utils.weak import WeakIdKeyDictionary
    >>> x = tallow.ones(2)
    >>> notes = WeakIdKeyDictionary({x: "first"})
    >>> notes[x], tallow.ones(2) in notes
    ('first', False)
    >>> del x
    >>> len(notes)
    0
    """

    def __init__(self, dict=None):
        self._items = {}  # the key's id -> a reference to it, and the value
        self.update(dict or {})

    def __setitem__(self, key, value):
        number, items = id(key), self._items
        self._items[number] = weakref.ref(key, lambda gone: items.pop(number, None)), value

    def __getitem__(self, key):
        return self._items[id(key)][1]

    def __delitem__(self, key):
        del self._items[id(key)]

    def __contains__(self, key):
        return id(key) in self._items

    def __iter__(self):
        keys = [reference() for reference, _ in self._items.values()]
        return iter([key for key in keys if key is not None])

    def __len__(self):
        return len(self._items)


WeakTensorKeyDictionary = WeakIdKeyDictionary


class TensorWeakRef:
    """A weak reference to a tensor; called it gives the tensor, None once that is gone."""

    def __init__(self, tensor):
        self.ref = weakref.ref(tensor)

    def __call__(self):
        return self.ref()
