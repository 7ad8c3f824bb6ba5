"""Samples as trees: dicts, lists and tuples of pictures, labels and whatever else."""

from collections import OrderedDict, defaultdict

_MAPPINGS = (dict, OrderedDict, defaultdict)


def flatten(tree):
    """The leaves of a tree, depth first, and the function that makes the tree of other leaves."""
    kind = type(tree)
    if kind in _MAPPINGS:
        children, keys = list(tree.values()), list(tree)
    elif kind in (list, tuple) or (isinstance(tree, tuple) and hasattr(tree, "_fields")):
        children, keys = tree, None
    else:
        return [tree], _only
    parts = [flatten(child) for child in children]

    def rebuild(leaves):
        made, start = [], 0
        for part, build in parts:
            made.append(build(leaves[start : start + len(part)]))
            start += len(part)
        if keys is not None:
            return _mapping(tree, zip(keys, made, strict=True))
        return kind(*made) if hasattr(kind, "_fields") else kind(made)

    return [leaf for part, _ in parts for leaf in part], rebuild


def _only(leaves):
    return leaves[0]


def _mapping(like, items):
    if isinstance(like, defaultdict):
        return defaultdict(like.default_factory, items)
    return type(like)(items)
