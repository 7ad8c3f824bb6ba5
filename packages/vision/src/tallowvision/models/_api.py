"""The registry of models, and the weights that there are for them."""

import json
from collections.abc import Callable
from enum import Enum
from fnmatch import fnmatch
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import tallow
from tallow.errors import ArgumentError, TypeMismatchError
from tallowvision.transforms import _presets

FOLDER = Path(__file__).with_name("weights")
PACKAGED = "package:"  # the start of the url of weights that are a file in FOLDER


class Weights:
    """Where a state dict is, what makes inputs for it (`transforms()`), and facts about it.

    `meta` has at least "categories" where there are classes, "num_params" and "min_size" (H, W).
    A url of the form "package:NAME" is a file that came with the package.
    """

    def __init__(self, url, transforms, meta):
        self.url = url
        self.transforms = transforms
        self.meta = meta


class WeightsEnum(Enum):
    """The weights that there are for one model; each value is a `Weights`. DEFAULT is the best."""

    @classmethod
    def verify(cls, obj):
        """The member that `obj` is or names; None for None. TypeError for other models' weights."""
        if isinstance(obj, str):
            name = obj.removeprefix(f"{cls.__name__}.")
            if name not in cls.__members__:
                raise ArgumentError(f"weights: expected {_names(cls)}, got {obj!r}")
            return cls[name]
        if obj is not None and not isinstance(obj, cls):
            raise TypeMismatchError(
                f"weights: expected {cls.__name__} or None, got {type(obj).__name__}"
            )
        return obj

    def get_state_dict(self, *args, **kwargs):
        """The state dict, downloaded by `tallow.hub.load_state_dict_from_url` unless it is here."""
        if self.url.startswith(PACKAGED):
            return tallow.load(FOLDER / self.url.removeprefix(PACKAGED))
        return tallow.hub.load_state_dict_from_url(self.url, *args, **kwargs)

    def __repr__(self):
        return f"{type(self).__name__}.{self.name}"

    def __reduce_ex__(self, protocol):  # by name: the value is more than has to be kept
        return getattr, (type(self), self.name)

    def __deepcopy__(self, memo):
        return self

    @property
    def url(self):
        return self.value.url

    @property
    def transforms(self):
        return self.value.transforms

    @property
    def meta(self):
        return self.value.meta


def _names(enum):
    names = ", ".join(enum.__members__)
    return f"one of {enum.__name__}'s {names}" if names else f"None, as {enum.__name__} is empty"


# The tables in FOLDER


@cache
def _tables():
    """{enum: {name: entry}}: weights that others have published, and those of this package."""
    read = [json.loads((FOLDER / f"{n}.json").read_text()) for n in ("published", "shipped")]
    return read[0] | read[1]


@cache
def categories(name):
    """The names of classes in a file of FOLDER, one a line."""
    return (FOLDER / f"{name}.txt").read_text().splitlines()


def weights_enum(name, module):
    """The `WeightsEnum` called `name` that the tables describe; without members if they do not."""
    members = {}
    for key, entry in _tables().get(name, {}).items():
        members[key] = members[entry] if isinstance(entry, str) else _weights(**entry)
    return WeightsEnum(name, members, module=module)


def _weights(url, transforms, **meta):
    preset, options = transforms
    if isinstance(meta.get("categories"), str):
        meta["categories"] = categories(meta["categories"])
    meta["min_size"] = tuple(meta["min_size"])
    preset = getattr(_presets, preset)
    return Weights(url, partial(preset, **options) if options else preset, meta)


# The registry

BUILTIN_MODELS: dict[str, Callable[..., Any]] = {}
PENDING: dict[str, str] = {}  # builders of families that are not imported yet: {name: module}


def register_model(name=None):
    """Decorator of a function that builds a model: `get_model` finds it by its, or by this, name.

    >>> from tallowvision import models
    >>> @models.register_model("identity")
    ... def build(*, weights: WeightsEnum | None = None, progress=True):
    ...     return tallow.nn.Identity()
    >>> models.get_model("identity")
    Identity()
    """

    def register(builder):
        key = builder.__name__ if name is None else name
        if key in BUILTIN_MODELS or PENDING.get(key, builder.__module__) != builder.__module__:
            raise ArgumentError(f"register_model: expected a new name, got {key!r}")
        PENDING.pop(key, None)
        BUILTIN_MODELS[key] = builder
        return builder

    return register


def variant(stem, network, *args, with_weights=None, **config):
    """A registered builder of `network(*args, **config)`, and the enum of its weights.

    They are called after the stem: `resnet18` and `ResNet18_Weights` after "ResNet18". The builder
    takes what configures the network, in place of `config`, as keywords. `with_weights` is what
    configures it where there are weights, or a function of these that says it.
    """
    enum = weights_enum(f"{stem}_Weights", network.__module__)

    def builder(weights=None, progress=True, **kwargs):
        weights = verify(enum, weights, kwargs)
        if weights is None:
            return network(*args, **{**config, **kwargs})
        wanted = with_weights(weights) if callable(with_weights) else with_weights or {}
        kwargs = for_weights(weights, {**config, **wanted, **kwargs})
        model = network(*args, **kwargs)
        model.load_state_dict(weights.get_state_dict(progress=progress, check_hash=True))
        return model

    builder.__name__ = builder.__qualname__ = stem.lower()
    builder.__module__ = network.__module__
    builder.__annotations__ = {"weights": enum | None}
    builder.__doc__ = f"A {network.__name__.strip('_')}; `weights` is of {enum.__name__} or None."
    return register_model()(builder), enum


def verify(enum, weights, kwargs):
    """The member of `enum` that an argument `weights`, or `pretrained` in its place, asks for."""
    if "pretrained" in kwargs:
        weights = bool(kwargs.pop("pretrained"))
    if isinstance(weights, bool):  # as before torchvision 0.13
        weights = next(iter(enum), None) if weights else None
    return enum.verify(weights)


def for_weights(weights, kwargs, name="num_classes"):
    """`kwargs` with the number of classes that the weights have. ValueError if it is another."""
    if weights.meta.get("categories") is None:  # of the features alone, or of no classifier
        return kwargs
    count = len(weights.meta["categories"])
    if kwargs.get(name, count) != count:
        raise ArgumentError(f"{name}: expected {count}, as {weights!r} has, got {kwargs[name]}")
    return {**kwargs, name: count}


def list_models(module=None, include=None, exclude=None):
    """The sorted names of the models; of one package such as `models.detection`, if told.

    `include` and `exclude` are patterns of shell form, or lists of them.

    >>> from tallowvision import models
    >>> models.list_models(include="resnet1*")
    ['resnet101', 'resnet152', 'resnet18']
    """
    homes = PENDING | {name: builder.__module__ for name, builder in BUILTIN_MODELS.items()}
    names = [n for n, h in homes.items() if module is None or _package(h) == module.__name__]
    if include:
        names = [name for name in names if _matches(name, include)]
    if exclude:
        names = [name for name in names if not _matches(name, exclude)]
    return sorted(names)


def _package(module):
    return module.rpartition(".")[0]


def _matches(name, patterns):
    patterns = [patterns] if isinstance(patterns, str) else patterns
    return any(fnmatch(name, pattern) for pattern in patterns)


def get_model_builder(name):
    """The function that builds the model called `name`. ValueError if there is none."""
    key = name.lower()
    if key in PENDING:
        import_module(PENDING[key])
    if key not in BUILTIN_MODELS:
        raise ArgumentError(f"get_model: expected one of list_models(), got {name!r}{_like(key)}")
    return BUILTIN_MODELS[key]


def _like(key):
    from difflib import get_close_matches

    close = get_close_matches(key, list_models())
    return f"; did you mean {' or '.join(close)}?" if close else ""


def get_model(name, **config):
    """The model called `name`, built with the arguments that its builder takes.

    >>> from tallowvision import models
    >>> models.get_model("resnet20", num_classes=5).fc.out_features
    5
    """
    return get_model_builder(name)(**config)


def get_model_weights(name):
    """The enum of the weights for a model, by its name or builder."""
    from inspect import signature

    builder = get_model_builder(name) if isinstance(name, str) else name
    parameter = signature(builder).parameters.get("weights")
    kinds = () if parameter is None else (parameter.annotation, *get_args(parameter.annotation))
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, WeightsEnum):
            return kind
    raise ArgumentError(
        f"get_model_weights: expected a builder whose `weights` is annotated with a WeightsEnum, "
        f"got {builder.__name__}"
    )


def get_weight(name):
    """The weights called `name`, such as "ResNet50_Weights.IMAGENET1K_V1"."""
    stem, _, entry = name.partition(".")
    for model in list_models():
        if f"{model}_weights" == stem.lower():
            enum = get_model_weights(model)
            if entry in enum.__members__:
                return enum[entry]
            raise ArgumentError(f"get_weight: expected {_names(enum)}, got {name!r}")
    raise ArgumentError(f"get_weight: expected a name like ResNet18_Weights.DEFAULT, got {name!r}")


def lazy(package, families):
    """`(__getattr__, __all__)` of a package that imports its modules when a name is first used.

    `families` is {module: (classes, stems)}; each stem gives the names that `variant` makes of it.
    """
    homes = {}
    for module, (classes, stems) in families.items():
        names = classes.split()
        for stem in stems.split():
            names += [stem.lower(), f"{stem}_Weights"]
            if stem.lower() not in BUILTIN_MODELS:
                PENDING[stem.lower()] = f"{package}.{module}"
        homes |= dict.fromkeys(names, f"{package}.{module}")

    def getattr_(name):
        if name in families:
            return import_module(f"{package}.{name}")
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return getattr_, sorted(homes)
