"""What commands that run a network on pictures share: pictures by path, networks with weights."""

import os
from inspect import signature

import PIL.Image
import PIL.ImageOps

import tallow
from tallow.errors import ArgumentError
from tallow.utils import commands
from tallowvision import models
from tallowvision._pil import to_pil_image
from tallowvision.datasets.folder import IMG_EXTENSIONS


def arguments(parser, model):
    """The arguments that these commands have in common; `model` is the default one."""
    parser.add_argument("pictures", nargs="+", metavar="PICTURE", help="file, folder or pattern")
    parser.add_argument("--model", default=model, help=f"a registered model; {model} if not told")
    parser.add_argument(
        "--weights", metavar="FILE", help="a state dict, or the name of published weights"
    )
    parser.add_argument("--categories", metavar="FILE", help="the names of the classes, one a line")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def open_picture(path):
    """A picture in RGB, turned as its camera says. OSError with its path if it is none."""
    try:
        with PIL.Image.open(path) as image:
            return PIL.ImageOps.exif_transpose(image).convert("RGB")
    except PIL.UnidentifiedImageError:
        raise OSError(f"{path}: expected a picture, got a file of another kind") from None
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        text = str(error)
        raise OSError(text if str(path) in text else f"{path}: {text}") from None


def each(given, command, answer):
    """Print `answer(path, picture)` for every picture; returns the exit status."""
    paths = commands.find(given, IMG_EXTENSIONS, "pictures")
    program = f"tallowvision {command}"
    return commands.each(paths, lambda path: answer(path, open_picture(path)), program, "picture")


def network(options):
    """`(model, transform, categories)`: the network with its weights, in evaluation.

    `categories` are names, or None where nothing says what the classes are called; a file does not,
    but a thousand are taken to be ImageNet's. A detector, and what segments, gets as many classes
    as there are names.
    """
    enum = models.get_model_weights(options.model)
    names = _lines(options.categories) if options.categories else None
    if options.weights is not None and os.path.exists(options.weights):
        model, count = _with_file(options.model, options.weights, names)
        imagenet = models.get_weight("ResNet18_Weights.DEFAULT")
        usual = enum.DEFAULT if len(enum) else imagenet
        known = imagenet if count == 1000 else None
    else:
        if options.weights is None and not len(enum):
            raise ArgumentError(
                f"{options.model}: expected --weights FILE, as there are no published ones"
            )
        usual = known = enum.verify(options.weights or "DEFAULT")
        model = models.get_model(options.model, weights=known)
    if names is None and known is not None:
        names = known.meta["categories"]
    return model.eval(), usual.transforms(), names


def name_of(names, index):
    """What a class is called."""
    return names[index] if names and index < len(names) else f"class {index}"


PALETTE = ["#e6a117", "#c0392b", "#2456a4", "#2a7f3f", "#7d3c98", "#148f8f"]


def colours(kinds):
    """A colour for each of the numbers of classes."""
    return [PALETTE[kind % len(PALETTE)] for kind in kinds]


def drawing(parser):
    """The argument of commands that draw."""
    parser.add_argument(
        "-o", "--output", metavar="PNG", help="where to draw it: a file, or a folder for several"
    )


def save(picture, path, output):
    """Write what was drawn (3, H, W) of the picture `path` to a file, or into a folder."""
    if not output.lower().endswith(".png"):
        os.makedirs(output, exist_ok=True)
        output = os.path.join(output, os.path.splitext(os.path.basename(path))[0] + ".png")
    to_pil_image(picture).save(output)


def _lines(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def _with_file(name, path, names):
    """A network with the state in a file, and its number of classes, if the state says it."""
    state = tallow.load(path)
    for key in ("state_dict", "model"):  # where scripts that train put it
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    builder = models.get_model_builder(name)
    if builder.__module__.rpartition(".")[0] != models.__name__:  # a detector, say
        config = {"num_classes": len(names)} if names else {}
        if "weights_backbone" in signature(builder).parameters:
            config["weights_backbone"] = None
        return _loaded(builder(**config), state, path), None
    model = models.get_model(name)
    last, expected = list(model.state_dict().items())[-1]
    found = state.get(last) if isinstance(state, dict) else None
    count = len(expected if found is None else found)
    if count != len(expected):
        model = models.get_model(name, num_classes=count)
    return _loaded(model, state, path), count


def _loaded(model, state, path):
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise ArgumentError(f"{path}: {error}") from None
    return model
