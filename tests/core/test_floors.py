"""Core's floors: imports point downward, and gradient rules are written with operators and ops."""

import ast
import builtins
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import tallow

SOURCE = Path(tallow.__file__).parent
FLOORS = [
    """
    device dtypes errors func.tree futures info kernels.loading layout left_out names return_types
    size
    """,
    "backend generator rejection",
    "tensor autograd.modes",
    "autograd",
    "ops",
    "kernels",
    """
    activations attributes casting changes complex_parts conversion copies creation cuda diagonals
    distributed drawing elementwise fft foreach formatting graph indexing joining legacy linalg
    logic masked math matrices methods ordering products promotion random reductions running
    scattering seeding settings shaping shortcuts signal special spectral statistics
    """,
    "nn.functional",
    "nn",
    """
    __main__ _C __config__ _dynamo _functorch _higher_order_ops _inductor _utils accelerator amp
    autograd.forward_ad autograd.functional backends compiler cpu cuda.amp demo distributed.optim
    distributed.run distributions func fx hub imitation jit library mps multiprocessing onnx
    optim overrides own_forms profiler quasirandom serialization sparse types utils xpu
    """,
    "array_api testing version",
]
FLOOR_OF = {f"tallow.{name}": n for n, names in enumerate(FLOORS) for name in names.split()}
FLOOR_OF["tallow"] = 10  # the names together: for users

# The compiled module, and where kernels for what is above them are entered. Kernels themselves
# nobody imports statically.
KERNEL_TABLES = {f"tallow.kernels.{name}" for name in ("chain", "loading", "updates")}


def module_name(path):
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {module_name(path): ast.parse(path.read_text()) for path in SOURCE.rglob("*.py")}


def floor(module):
    """The floor of a module, which may be that of the package it is in; None if it has none."""
    while module not in FLOOR_OF and module.count(".") > 1:
        module = module.rpartition(".")[0]
    return FLOOR_OF.get(module)


def imported(tree):
    """The modules of tallow that a module imports, at its top or inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in TREES else node.module for name in inside]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "tallow")


@pytest.mark.parametrize("module", sorted(TREES))
def test_imports_point_downward(module):
    assert floor(module) is not None, f"{module} is on no floor: enter it in FLOORS"
    for target in imported(TREES[module]):
        if module == "tallow" or module.startswith("tallow.testing"):
            continue
        assert (floor(target) or 0) <= floor(module), (
            f"{module} (floor {floor(module)}) imports {target} (floor {floor(target)})"
        )


@pytest.mark.parametrize("module", sorted(TREES))
def test_kernels_are_not_imported_statically(module):
    if not module.startswith("tallow.kernels"):
        kernels = {name for name in imported(TREES[module]) if name.startswith("tallow.kernels")}
        assert kernels <= KERNEL_TABLES


# Gradient rules

# What of an array a rule may not touch: it reads shapes, and computes with operators and ops.
VALUES = {name for name in dir(np.ndarray) if name[0] != "_"} - {"dtype", "ndim", "shape"}


def given_rules(tree):
    """The gradient rules in a module: what `vjp` and `joint_vjp` are given."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("vjp", "joint_vjp"):
            yield from node.args
        elif isinstance(node, ast.FunctionDef):
            if any(getattr(d, "attr", "") == "joint_vjp" for d in node.decorator_list):
                yield node


def function_at(module, name):
    """The function that a name in a module stands for, and the module and the tree it is in."""
    function = getattr(import_module(module), name, getattr(builtins, name, None))
    home = getattr(function, "__module__", None)
    found = [
        node
        for node in ast.walk(TREES.get(home, ast.Module([])))
        if isinstance(node, ast.FunctionDef) and node.name == getattr(function, "__name__", "")
    ]
    return function, home, found


def faults(module, node, seen, helper=False):
    """What is wrong with a rule and with the helpers it calls, as texts."""
    if isinstance(node, ast.Name):  # a function by its name
        node = ast.Module([ast.Expr(ast.Call(node, [], []))])
    for part in ast.walk(node):
        where = f"{module}:{getattr(part, 'lineno', 0)}"
        if isinstance(part, ast.Name) and part.id in ("np", "xp", "numpy", "cupy"):
            yield f"{where}: {part.id}; write an op"
        elif isinstance(part, ast.Attribute) and part.attr in VALUES:
            if not is_shape(part.value):
                yield f"{where}: .{part.attr} of an array; write an op"
        assigned = isinstance(getattr(part, "ctx", None), ast.Store | ast.Del)
        changes = assigned and isinstance(part, ast.Subscript | ast.Attribute)
        if not helper and (changes or isinstance(part, ast.AugAssign)):  # helpers count and list
            yield f"{where}: {ast.unparse(part)} is in place"
    yield from helper_faults(module, node, seen)


def helper_faults(module, node, seen):
    """What is wrong with the functions that a rule calls, unless they are ops."""
    local = {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
    local |= {part.name for part in ast.walk(node) if isinstance(part, ast.FunctionDef)}
    calls = [part.func for part in ast.walk(node) if isinstance(part, ast.Call)]
    for name in {f.id for f in calls if isinstance(f, ast.Name)} - local:
        function, home, found = function_at(module, name)
        if hasattr(function, "op") or home in ("builtins", "math") or (home, name) in seen:
            continue
        seen.add((home, name))
        if not found:
            yield f"{module}: {name} is no op and no function of tallow"
        for function in found:
            yield from faults(home, function, seen, helper=True)


def is_shape(node):
    """True for an expression that is a part of a shape."""
    return any(
        getattr(n, "attr", getattr(n, "id", "")) in ("shape", "shapes") for n in ast.walk(node)
    )


RULED = [
    m
    for m in sorted(TREES)
    if m.startswith("tallow.ops.") or m in ("tallow.autograd.builtin", "tallow.func.batched")
]


@pytest.mark.parametrize("module", RULED)
def test_rules_are_operators_and_ops(module):
    seen = set()
    assert [
        text for rule in given_rules(TREES[module]) for text in faults(module, rule, seen)
    ] == []


@pytest.mark.parametrize(
    "rule",
    [
        "lambda g, x: g * np.sign(x)",
        "lambda g, x: g * x.sum()",
        "lambda g, x: g.T",
        "lambda g, x: unknown(g)",
        "def rule(g, x):\n    g *= x\n    return g",
        "def rule(g, x):\n    g[0] = 0\n    return g",
    ],
)
def test_the_lint_finds(rule):
    assert list(faults("tallow.ops.elementwise", ast.parse(rule), set()))


def test_every_rule_is_linted():
    written = {
        module: [r for r in given_rules(tree) if isinstance(r, ast.Lambda | ast.FunctionDef)]
        for module, tree in TREES.items()
    }
    assert sum(len(written[module]) for module in RULED) > 100
    assert [module for module in written if written[module] and module not in RULED] == []
