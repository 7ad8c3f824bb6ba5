"""Trees of tensors: tuples, named tuples, lists and dicts, nested; everything else is a leaf.

`NODES` holds further types of nodes, each with a function of the node that gives its parts and
whatever else it is made of, and one of these two that makes the node again.
"""

NODES = {}


def leaves(tree):
    """The leaves from left to right, as a list."""
    if type(tree) in NODES:
        tree = NODES[type(tree)][0](tree)[0]
    elif isinstance(tree, dict):
        tree = tree.values()
    elif not isinstance(tree, tuple | list):
        return [tree]
    return [leaf for part in tree for leaf in leaves(part)]


def rebuild(tree, values):
    """A tree of the same form whose leaves come from an iterator."""
    if type(tree) in NODES:
        flatten, unflatten = NODES[type(tree)]
        parts, rest = flatten(tree)
        return unflatten([rebuild(part, values) for part in parts], rest)
    if isinstance(tree, dict):
        made = [(key, rebuild(part, values)) for key, part in tree.items()]
        return type(tree)(made)
    if not isinstance(tree, tuple | list):
        return next(values)
    parts = [rebuild(part, values) for part in tree]
    return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)


def tree_map(function, tree):
    """A tree of the same form with `function(leaf)` for each leaf."""
    return rebuild(tree, map(function, leaves(tree)))


def spread(prefix, tree):
    """For each leaf of `tree` the leaf of `prefix` above it; None if the two do not fit.

    `prefix` is a tree that ends sooner: `spread(0, (x, y))` is `[0, 0]`.
    """
    if not isinstance(prefix, tuple | list | dict):
        return [prefix] * len(leaves(tree))
    if type(prefix) is not type(tree) or len(prefix) != len(tree):
        return None
    if isinstance(tree, dict):
        pairs = [(prefix.get(key), part) for key, part in tree.items()]
    else:
        pairs = zip(prefix, tree, strict=True)
    parts = [spread(*pair) for pair in pairs]
    return None if None in parts else [leaf for part in parts for leaf in part]
