"""`python -m tallowvision augment PICTURE --transform NAME ...`: what transforms make of pictures.

A transform is the name of a class of `tallowvision.transforms`, with arguments as in Python:

    --transform RandomResizedCrop(160) --transform ColorJitter(0.4, hue=0.1)
"""

import ast

import tallow
from tallow.errors import ArgumentError, TallowError
from tallowvision import transforms
from tallowvision._pil import to_tensor
from tallowvision.commands import _shared
from tallowvision.utils import make_grid

SIDE = 160  # pixels of the shorter side of a picture in the sheet


def arguments(parser):
    parser.epilog = __doc__.partition("\n\n")[2]
    parser.add_argument("pictures", nargs="+", metavar="PICTURE", help="file, folder or pattern")
    parser.add_argument(
        "-t", "--transform", action="append", required=True, metavar="NAME(ARGUMENTS)",
        help="a class of tallowvision.transforms; several are applied in turn",
    )  # fmt: skip
    parser.add_argument("--count", type=int, default=11, help="results for each picture")
    parser.add_argument("--columns", type=int, default=6, help="pictures in a row of the sheet")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "-o", "--output", metavar="PNG", default="augmented.png",
        help="where to draw it: a file, or a folder for several; augmented.png if not told",
    )  # fmt: skip


def run(options):
    augment = transforms.Compose([parsed(text) for text in options.transform])
    if options.count < 1 or options.columns < 1:
        raise ArgumentError("augment: expected --count and --columns of at least 1")
    tallow.manual_seed(options.seed)
    shrink = transforms.Resize(SIDE)

    def answer(path, picture):
        picture = shrink(picture)
        made = [picture, *(augment(picture) for _ in range(options.count))]
        made = [_image(one, options.transform) for one in made]
        sheet = make_grid(_of_one_size(made), options.columns, padding=4, pad_value=1.0)
        _shared.save(sheet, path, options.output)
        return f"{path}: as it is and {options.count} times augmented, in {options.output}"

    return _shared.each(options.pictures, "augment", answer)


def parsed(text):
    """The transform that a text like `RandomApply([RandomRotation(30, expand=True)])` describes."""
    try:
        return _made(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError) as error:
        if isinstance(error, TallowError):
            raise
        raise ArgumentError(
            f"augment: expected a transform like ColorJitter(0.4, hue=0.1), got {text!r}"
        ) from None
    except TypeError as error:
        raise ArgumentError(f"augment: {text}: {error}") from None


def _made(node):
    """The transform that a node of Python's syntax stands for."""
    name = node.func if isinstance(node, ast.Call) else node
    if not isinstance(name, ast.Name):
        raise ValueError("no name")
    kind = getattr(transforms, name.id, None)
    if not (isinstance(kind, type) and issubclass(kind, transforms.Transform)):
        raise ArgumentError(f"augment: expected a transform, got {name.id!r}{_like(name.id)}")
    if name is node:
        return kind()
    named = {one.arg: _value(one.value) for one in node.keywords}
    return kind(*map(_value, node.args), **named)


def _value(node):
    if isinstance(node, ast.List):
        return [_value(one) for one in node.elts]
    return _made(node) if isinstance(node, ast.Call | ast.Name) else ast.literal_eval(node)


def _like(name):
    from difflib import get_close_matches

    close = get_close_matches(name, transforms.__all__)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _image(made, texts):
    """A result as a tensor (3, H, W) in [0, 1]."""
    image = made if isinstance(made, tallow.Tensor) else None
    if image is None:
        try:
            image = to_tensor(made.convert("RGB"))
        except AttributeError:
            raise ArgumentError(
                f"augment: expected a picture of {', '.join(texts)}, got {type(made).__name__}"
            ) from None
    image = image.float() / 255 if image.dtype is tallow.uint8 else image.float()
    return image.clamp(0, 1).expand(3, *image.shape[-2:])


def _of_one_size(images):
    """Pictures in the middle of white ones as large as the largest."""
    height, width = (max(image.shape[dim] for image in images) for dim in (1, 2))
    framed = []
    for image in images:
        down, right = height - image.shape[1], width - image.shape[2]
        edges = (right // 2, right - right // 2, down // 2, down - down // 2)
        framed.append(tallow.nn.functional.pad(image, edges, value=1.0))
    return framed
