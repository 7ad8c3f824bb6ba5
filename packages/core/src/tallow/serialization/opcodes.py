"""An interpreter of pickle's opcodes that builds data and calls nothing else.

It knows the binary opcodes (protocols 2 to 5), which is what PyTorch writes. What a file names is
looked up with `find` (see `globals`), so that the worst it can ask for is a placeholder; beside it
classes and functions that the caller has allowed are built and called (see `trusted`). Work and
depth are bounded by the length of the file.

Reference: the comments in Python's pickletools, which define every opcode.
"""

import math
import struct
from collections import Counter, OrderedDict, defaultdict

import numpy as np

from tallow.errors import CheckpointError, TallowError
from tallow.serialization.globals import hashable, set_attributes
from tallow.serialization.placeholder import Global, Placeholder
from tallow.serialization.trusted import Names, append_items, set_state
from tallow.tensor import Tensor

DEPTH = 500  # containers inside each other; Python's own functions recurse into them
WORK = 1 << 20  # items that builders may copy, beside a few for each byte of the file
DIGITS = 128  # bytes of an int
LINE = 1024  # bytes of the name of a module or class

U8, U16, U32, U64 = map(struct.Struct, ("<B", "<H", "<I", "<Q"))
I32, F64 = map(struct.Struct, ("<i", ">d"))

SIZED = (list, tuple, dict, set, frozenset, str, bytes, bytearray)

# What our builders raise for arguments that are none of what they take.
MALFORMED = (TallowError, ArithmeticError, AttributeError, TypeError, ValueError, struct.error)

HANDLERS = {}


def opcode(code):
    def register(handler):
        HANDLERS[ord(code)] = handler
        return handler

    return register


class Interpreter:
    """Runs one pickle. `load_storage` is called with the persistent ids that stand in it.

    `names` are the classes and functions that it may name beside those of data.
    """

    def __init__(self, data, name, load_storage, start=0, names=None):
        self.data = data
        self.name = name
        self.load_storage = load_storage
        self.names = names or Names()
        self.made = {}  # id -> object of a class that `names` knows: only these are given a state
        self.position = start
        self.stack = []
        self.marks = []
        self.memo = {}
        self.work = 8 * len(data) + WORK
        self.done = False

    def run(self):
        """The object that the pickle describes; CheckpointError if it is none that we build."""
        data, begin = self.data, self.position
        try:
            while not self.done:
                begin = self.position
                handler = HANDLERS[data[begin]]
                self.position = begin + 1
                handler(self)
            result = self.stack.pop()
            if not self.names.trusted:
                check_nesting(result)
        except CheckpointError:
            raise
        except KeyError as error:
            problem = f"expected what was stored before, got {error}"
            if self.position == begin:
                problem = f"expected an opcode of pickle protocols 2 to 5, got {data[begin]:#04x}"
            raise self._failure(problem, begin) from None
        except IndexError:
            raise self._failure("expected more, got the end", begin) from None
        except MALFORMED as error:
            raise self._failure(str(error), begin) from None
        return result

    def _failure(self, problem, position):
        return CheckpointError(f"load: {problem}; in {self.name}, byte {position} of its pickle")

    def take(self, count):
        """The next `count` bytes."""
        end = self.position + count
        if count < 0 or end > len(self.data):
            raise ValueError(f"expected {count} bytes more, got {len(self.data) - self.position}")
        piece = bytes(self.data[self.position : end])
        self.position = end
        return piece

    def number(self, form):
        """The next number, by a `Struct` of one."""
        value = form.unpack_from(self.data, self.position)[0]
        self.position += form.size
        return value

    def line(self):
        """The text up to the end of the line."""
        text, end, _ = bytes(self.data[self.position : self.position + LINE]).partition(b"\n")
        if not end:
            raise ValueError(f"expected a name of fewer than {LINE} bytes")
        self.position += len(text) + 1
        return text.decode()

    def push(self, value):
        self.stack.append(value)

    def since_mark(self):
        """What was pushed since the last mark, taken off the stack."""
        mark = self.marks.pop()
        items = self.stack[mark:]
        del self.stack[mark:]
        return items

    def top(self, kinds):
        """The object on top of the stack, which has to be of some kinds (or a placeholder)."""
        value = self.stack[-1]
        if not isinstance(value, kinds):
            raise TypeError(f"expected {kinds} to change, got {type(value).__name__}")
        return value

    def is_made(self, value):
        """Is it an object of a class that `names` knows?"""
        return self.made.get(id(value), self) is value

    def make(self, function, *args):
        """Push an object of a class that `names` knows, made by a function of it."""
        made = run(function, *args)
        self.made[id(made)] = made
        self.push(made)

    def hashable(self, key):
        """`key`, if it may be hashed."""
        return key if self.names.trusted else hashable(key)

    def spend(self, *values):
        """Account for work on values, so that a short file cannot ask for much of it."""
        self.work -= 1 + sum(len(value) for value in values if isinstance(value, SIZED))
        if self.work < 0:
            raise ValueError("expected work in proportion to the file, got more")


def run(function, *args):
    """Call what is not ours: whatever it raises is the file's fault."""
    try:
        return function(*args)
    except Exception as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


# Values

for _code, _value in {"N": None, "\x88": True, "\x89": False, ")": ()}.items():
    opcode(_code)(lambda m, value=_value: m.push(value))

for _code, _kind in {"]": list, "}": dict, "\x8f": set}.items():
    opcode(_code)(lambda m, kind=_kind: m.push(kind()))

for _code, _form in {"K": U8, "M": U16, "J": I32, "G": F64}.items():
    opcode(_code)(lambda m, form=_form: m.push(m.number(form)))


def _old_text(data):
    """A string of Python 2, which says nothing about its encoding."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin1")


def _text(data):
    return data.decode("utf-8", "surrogatepass")


for _code, _form, _kind in (
    ("U", U8, _old_text), ("T", I32, _old_text),
    ("\x8c", U8, _text), ("X", U32, _text), ("\x8d", U64, _text),
    ("C", U8, bytes), ("B", U32, bytes), ("\x8e", U64, bytes), ("\x96", U64, bytearray),
):  # fmt: skip
    opcode(_code)(lambda m, form=_form, kind=_kind: m.push(kind(m.take(m.number(form)))))

for _code, _form in {"\x8a": U8, "\x8b": I32}.items():
    opcode(_code)(lambda m, form=_form: m.push(_integer(m, m.number(form))))


def _integer(m, size):
    if size > DIGITS:
        raise ValueError(f"expected an int of at most {DIGITS} bytes, got {size}")
    return int.from_bytes(m.take(size), "little", signed=True)


# The stack and the memo


@opcode("\x80")
def protocol(m):
    version = m.number(U8)
    if not 2 <= version <= 5:
        raise ValueError(f"expected pickle protocol 2 to 5, got {version}")


@opcode("\x95")
def frame(m):
    m.number(U64)


@opcode(".")
def stop(m):
    m.done = True


@opcode("(")
def mark(m):
    m.marks.append(len(m.stack))


@opcode("0")
def pop(m):
    m.stack.pop()


@opcode("1")
def pop_mark(m):
    m.since_mark()


@opcode("2")
def duplicate(m):
    m.push(m.stack[-1])


@opcode("\x94")
def memoize(m):
    m.memo[len(m.memo)] = m.stack[-1]


for _put, _get, _form in (("q", "h", U8), ("r", "j", U32)):
    opcode(_put)(lambda m, form=_form: m.memo.__setitem__(m.number(form), m.stack[-1]))
    opcode(_get)(lambda m, form=_form: m.push(m.memo[m.number(form)]))


# Containers


@opcode("t")
def tuple_since_mark(m):
    m.push(tuple(m.since_mark()))


for _code, _count in {"\x85": 1, "\x86": 2, "\x87": 3}.items():

    @opcode(_code)
    def tuple_of_few(m, count=_count):
        if len(m.stack) < count:
            raise IndexError
        m.stack[-count:] = [tuple(m.stack[-count:])]


@opcode("l")
def list_since_mark(m):
    m.push(m.since_mark())


@opcode("d")
def dict_since_mark(m):
    items = m.since_mark()
    m.push({})
    _set_items(m, items)


@opcode("\x91")
def frozenset_since_mark(m):
    m.push(frozenset(map(m.hashable, m.since_mark())))


@opcode("a")
def append(m):
    _extend(m, [m.stack.pop()])


@opcode("e")
def extend(m):
    _extend(m, m.since_mark())


def _extend(m, items):
    if m.is_made(m.stack[-1]):
        return run(append_items, m.stack[-1], items)
    target = m.top((list, Placeholder))
    if isinstance(target, Placeholder):
        if not isinstance(target.items, list):
            target.items = []
        target = target.items
    target.extend(items)


@opcode("\x90")
def add_items(m):
    items = m.since_mark()
    if m.is_made(m.stack[-1]):
        for item in items:
            m.stack[-1].add(item)
    else:
        m.top(set).update(map(m.hashable, items))


@opcode("s")
def set_item(m):
    value = m.stack.pop()
    _set_items(m, [m.stack.pop(), value])


@opcode("u")
def set_items(m):
    _set_items(m, m.since_mark())


def _set_items(m, items):
    target = m.stack[-1] if m.is_made(m.stack[-1]) else m.top((dict, Placeholder))
    if isinstance(target, Placeholder):
        if not isinstance(target.items, dict):
            target.items = {}
        target = target.items
    for key, value in zip(items[::2], items[1::2], strict=True):
        target[m.hashable(key)] = value


# Objects


@opcode("c")
def global_by_lines(m):
    module = m.line()
    m.push(m.names.find(module, m.line()))


@opcode("\x93")
def global_by_stack(m):
    name = m.stack.pop()
    module = m.stack.pop()
    if not isinstance(module, str) or not isinstance(name, str):
        raise TypeError("expected the name of a class as text")
    m.push(m.names.find(module, name))


@opcode("Q")
def persistent(m):
    m.push(m.load_storage(m.stack.pop()))


@opcode("R")
def reduce(m):
    args = m.stack.pop()
    function = m.stack.pop()
    if m.names.knows(function):
        m.make(m.names.call, function, args)
    else:
        _call(m, function, args)


@opcode("\x81")
def new_object(m):
    """`cls.__new__(cls, *args)`, which our builders do not tell from `cls(*args)`."""
    _new_object(m, {})


@opcode("\x92")
def new_object_with_keywords(m):
    _new_object(m, m.stack.pop())


def _new_object(m, keywords):
    args = m.stack.pop()
    cls = m.stack.pop()
    if m.names.knows(cls):
        m.make(m.names.new, cls, args, keywords)
        return
    _call(m, cls, args)
    if keywords:
        m.top(Placeholder).state = keywords


def _call(m, function, args):
    if not isinstance(function, Global) or not isinstance(args, tuple):
        raise TypeError(f"expected a class and its arguments, got {type(function).__name__}")
    m.spend(*args)
    try:
        m.push(function(*args))
    except TypeError as error:
        raise TypeError(
            f"expected the arguments of {function.path}, got others ({error})"
        ) from None


@opcode("b")
def build(m):
    state = m.stack.pop()
    if m.is_made(m.stack[-1]) and not isinstance(m.stack[-1], np.dtype | np.ndarray):
        return run(set_state, m.stack[-1], state)
    m.spend(state, *(state if isinstance(state, tuple) else ()))
    target = m.top((Placeholder, Tensor, np.ndarray, np.dtype, OrderedDict, Counter, defaultdict))
    if isinstance(target, Placeholder):
        target.state = state
    elif isinstance(target, np.ndarray):
        _fill_array(target, *state)
    elif isinstance(target, np.dtype):
        _set_byte_order(target, *state)
    else:
        set_attributes(target, state)


def _fill_array(array, version, shape, dtype, fortran, content):
    if not isinstance(dtype, np.dtype) or not isinstance(content, bytes):
        raise TypeError("expected the dtype and the bytes of an array")
    if not all(isinstance(n, int) and n >= 0 for n in shape):
        raise ValueError(f"expected the shape of an array, got {shape}")
    if math.prod(shape) * dtype.itemsize != len(content):
        raise ValueError(f"expected an array of {len(content)} bytes, got its shape as {shape}")
    array.__setstate__((version, shape, dtype, fortran, content))


def _set_byte_order(dtype, version, order, base, names, fields, *rest):
    """Of a dtype's state only the order: what else is in it, NumPy believes without a look."""
    if version != 3 or order not in ("<", ">", "=", "|") or (base, names, fields) != (None,) * 3:
        raise ValueError("expected the state of a dtype of numbers")
    own = dtype.__reduce__()[2]
    dtype.__setstate__((version, order, *own[2:]))


# The result as a whole


def check_nesting(root):
    """Raise ValueError for containers in themselves, or in each other deeper than DEPTH."""
    done, open_ids, path = set(), set(), [(root, iter(_children(root)))]
    while path:
        value, children = path[-1]
        open_ids.add(id(value))
        for child in children:
            if id(child) in open_ids:
                raise ValueError(
                    f"expected data, got a {type(child).__name__} that contains itself"
                )
            if id(child) not in done and (below := _children(child)):
                path.append((child, iter(below)))
                break
        else:
            path.pop()
            open_ids.discard(id(value))
            done.add(id(value))
        if len(path) > DEPTH:
            raise ValueError(f"expected containers at most {DEPTH} deep, got more")


def _children(value):
    """The containers and placeholders directly in a value."""
    if isinstance(value, dict):
        parts = [*value.values(), *getattr(value, "__dict__", {}).values()]
    elif isinstance(value, list | tuple):
        parts = value
    elif isinstance(value, Placeholder):
        parts = (value.args, value.state, value.items)
    elif isinstance(value, Tensor):
        parts = value.__dict__.values()
    else:
        return ()
    return [part for part in parts if isinstance(part, dict | list | tuple | Placeholder | Tensor)]
