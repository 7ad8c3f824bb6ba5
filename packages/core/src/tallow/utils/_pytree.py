"""Trees of tuples, named tuples, lists and dicts, under PyTorch's names."""

from collections import ChainMap, OrderedDict, namedtuple
from collections.abc import Callable
from typing import Any, NamedTuple

from tallow.func.tree import NODES, leaves, rebuild

__all__ = [
    "LeafSpec", "PyTree", "TreeSpec", "register_pytree_node", "tree_all", "tree_any",
    "tree_flatten", "tree_leaves", "tree_map", "tree_map_only", "tree_structure", "tree_unflatten",
]  # fmt: skip


class TreeSpec:
    """The form of a tree, without its leaves.

    Also by its parts, as PyTorch's is made: `TreeSpec(type, context, children_specs)` of a node in
    `SUPPORTED_NODES`.
    """

    def __init__(self, tree, context=None, children_specs=None):
        if children_specs is not None:
            parts = [spec._tree for spec in children_specs]
            tree = SUPPORTED_NODES[tree].unflatten_fn(parts, context)
        numbers = iter(range(len(leaves(tree))))
        self._tree = rebuild(tree, numbers)
        self.num_leaves = len(leaves(tree))

    def unflatten(self, values):
        """The tree of this form with these leaves."""
        return rebuild(self._tree, iter(values))

    def __eq__(self, other):
        return isinstance(other, TreeSpec) and self._tree == other._tree

    def __repr__(self):
        return f"TreeSpec({self._tree})"


def LeafSpec():
    """The form of a leaf."""
    return TreeSpec(0)


PyTree = Context = Any
tree_leaves, tree_structure = leaves, TreeSpec


def tree_flatten(tree):
    """The leaves, as a list, and the form."""
    return leaves(tree), TreeSpec(tree)


def tree_unflatten(leaves, treespec):
    """The tree of a form with these leaves.

    >>> from tallow.utils._pytree import tree_flatten, tree_unflatten
    >>> leaves, form = tree_flatten({"a": 1, "b": [2, 3]})
    >>> tree_unflatten([10 * x for x in leaves], form)
    {'a': 10, 'b': [20, 30]}
    """
    return treespec.unflatten(leaves)


def tree_map(func, tree, *rests):
    """A tree of the same form of `func(leaf, ...)`, with the leaves of more trees of that form."""
    return rebuild(tree, map(func, leaves(tree), *map(leaves, rests)))


def tree_map_only(type_or_types, func, tree):
    """A tree of the same form, with `func(leaf)` for the leaves of some types, and the others."""
    return tree_map(lambda x: func(x) if isinstance(x, type_or_types) else x, tree)


def tree_all(pred, tree):
    """True if `pred(leaf)` is for every leaf."""
    return all(map(pred, leaves(tree)))


def tree_any(pred, tree):
    """True if `pred(leaf)` is for a leaf."""
    return any(map(pred, leaves(tree)))


class NodeDef(NamedTuple):
    """How a node comes apart, and how it is made again."""

    flatten_fn: Callable
    unflatten_fn: Callable


def register_pytree_node(cls, flatten_fn, unflatten_fn, **names):
    """Have a class's objects be nodes, too.

    `flatten_fn(node)` is a list of its parts and what else it is made of, and
    `unflatten_fn(parts, rest)` the node. Names for files and for paths make no difference.
    """
    NODES[cls] = NodeDef(flatten_fn, unflatten_fn)


_register_pytree_node = register_pytree_node


def _dict_flatten(tree):
    return [*tree.values()], [*tree]


def _dict_flatten_with_keys(tree):
    return [(MappingKey(key), part) for key, part in tree.items()], [*tree]


def _dict_unflatten(values, keys):
    return dict(zip(keys, values, strict=True))


class SequenceKey(NamedTuple):
    """The way from a list or a tuple to one of its parts."""

    idx: int


class MappingKey(NamedTuple):
    """The way from a dict to one of its parts."""

    key: Any


def _list_flatten(tree):
    return [*tree], None


def _list_flatten_with_keys(tree):
    return [(SequenceKey(i), part) for i, part in enumerate(tree)], None


def tree_is_leaf(tree, is_leaf=None):
    """True if a tree is a leaf: of no type that has parts, or `is_leaf(tree)`."""
    if is_leaf is not None and is_leaf(tree):
        return True
    return type(tree) not in NODES and not isinstance(tree, tuple | list | dict)


def _list_unflatten(values, context):
    return [*values]


def _tuple_unflatten(values, context):
    return tuple(values)


def _namedtuple_flatten(tree):
    return [*tree], type(tree)


def _namedtuple_unflatten(values, kind):
    return kind(*values)


def _ordereddict_unflatten(values, keys):
    return OrderedDict(zip(keys, values, strict=True))


_tuple_flatten, _ordereddict_flatten = _list_flatten, _dict_flatten
SUPPORTED_NODES = ChainMap(NODES, {
    tuple: NodeDef(_tuple_flatten, _tuple_unflatten),
    list: NodeDef(_list_flatten, _list_unflatten),
    dict: NodeDef(_dict_flatten, _dict_unflatten),
    OrderedDict: NodeDef(_ordereddict_flatten, _ordereddict_unflatten),
    namedtuple: NodeDef(_namedtuple_flatten, _namedtuple_unflatten),
})  # fmt: skip


def _get_node_type(tree):
    """The key of a node in `SUPPORTED_NODES`: its type, or `namedtuple` for each of these."""
    return namedtuple if isinstance(tree, tuple) and hasattr(tree, "_fields") else type(tree)
