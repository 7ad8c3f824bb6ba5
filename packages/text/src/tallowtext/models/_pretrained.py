"""Models from and to directories of Hugging Face's kind: config.json and model.safetensors."""

import json
import re
from itertools import count
from pathlib import Path
from typing import Any

import tallow
from tallow import nn
from tallow.errors import ArgumentError

FILES = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")
BRACES = re.compile(r"\{(.*)\}")


class Pretrained(nn.Module):
    """A model with `config`, a dataclass, that is read from a directory, and written to one.

    A family says which `model_types` of config.json are its own, what Hugging Face calls the fields
    of its configuration (`fields`), and its weights: `layout` has a line for each, our name and
    theirs. There {q,k,v} are three tensors, whose rows are those of the other side's, * is the
    number of a layer, and .T says that their matrix is transposed. Files of a family's bare model
    leave out the `prefix` of their names.
    """

    conf: Any
    model_types: tuple[str, ...] = ()
    fields: dict[str, str] = {}
    layout = ""
    prefix = ""

    @classmethod
    def from_pretrained(cls, directory):
        """The model in a directory: config.json, and model.safetensors or pytorch_model.bin.

        It is in evaluation mode. Raises ArgumentError where files are missing or of another kind of
        model, and CheckpointError for weights that are not those of the configuration.
        """
        config = read_config(directory)
        if config["model_type"] not in cls.model_types:
            raise ArgumentError(
                f"{cls.__name__}: expected a config.json with model_type "
                f"{' or '.join(cls.model_types)}, got {config['model_type']!r}"
            )
        weights = _weights(directory)
        weights = {cls.prefix + name: weights[name] for name in weights} | weights
        model = cls._from_config(config, weights)
        state = {}
        for ours, theirs, transposed in model._links():
            if weights.keys() >= set(theirs):
                state |= _divided(weights, theirs, ours, transposed)
        model.load_state_dict(state)
        return model.eval()

    def save_pretrained(self, directory):
        """Write config.json and model.safetensors, which Hugging Face's libraries read too."""
        weights, state = {}, self.state_dict()
        for ours, theirs, transposed in self._links():
            weights |= _divided(state, ours, theirs, transposed)
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self._to_config(), indent=2)
        (directory / "config.json").write_text(text + "\n", encoding="utf-8")
        tallow.save(weights, directory / FILES[0])

    @classmethod
    def _from_config(cls, config, weights):
        """A new model for what config.json has; `weights` tell which parts there are."""
        return cls(cls._conf(config))

    @classmethod
    def _conf(cls, config):
        """The configuration, with defaults for what config.json does not say."""
        return cls.conf(**{ours: config[n] for ours, n in cls.fields.items() if n in config})

    def _to_config(self):
        """What config.json is to have."""
        given = {theirs: getattr(self.config, ours) for ours, theirs in self.fields.items()}
        return {"model_type": self.model_types[0]} | given

    def _links(self):
        """(our names, their names, transposed) of what this model has of the layout."""
        known = self.state_dict().keys()
        for line in filter(str.strip, self.layout.splitlines()):
            ours, theirs = line.split()
            for layer in count() if "*" in line else (0,):
                own = _names(ours, layer)
                if not known >= set(own):
                    break
                yield own, _names(theirs.removesuffix(".T"), layer), theirs.endswith(".T")


def from_pretrained(directory):
    """The model in a directory of Hugging Face's kind, whichever of the families here it is of.

    Raises ArgumentError for another one. `Tokenizer.from_pretrained` reads the tokenizer there.
    """
    kind, families = read_config(directory)["model_type"], Pretrained.__subclasses__()
    for family in families:
        if kind in family.model_types:
            return family.from_pretrained(directory)
    known = ", ".join(sorted(kind for family in families for kind in family.model_types))
    raise ArgumentError(f"from_pretrained: expected a model_type of {known}, got {kind!r}")


def _names(pattern, layer):
    """The names that a pattern stands for, in a layer."""
    pattern = pattern.replace("*", str(layer))
    braces = BRACES.search(pattern)
    choices = braces[1].split(",") if braces else [""]
    return [BRACES.sub(choice, pattern) for choice in choices]


def _divided(tensors, sources, targets, transposed):
    """The rows of some tensors, divided evenly among other names."""
    whole = tallow.cat([tensors[name] for name in sources])
    whole = whole.mT if transposed else whole
    return dict(zip(targets, whole.chunk(len(targets)), strict=True))


def read_config(directory):
    """The content of a directory's config.json; ArgumentError without one that names its model."""
    path = Path(directory, "config.json")
    if not path.is_file():
        raise ArgumentError(
            f"from_pretrained: expected a directory with config.json, got {directory}; a model of "
            "the Hugging Face Hub has to be downloaded first"
        )
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ArgumentError(f"{path}: expected JSON, got: {error}") from None
    if not isinstance(config, dict) or "model_type" not in config:
        raise ArgumentError(f"{path}: expected an object with a model_type, got none")
    return config


def _weights(directory):
    """The tensors of a directory by name, under the names that are in use today."""
    found = [path for name in FILES if (path := Path(directory, name)).is_file()]
    if not found:
        raise ArgumentError(
            f"from_pretrained: expected one of {', '.join(FILES)}, got none in {directory}"
        )
    weights = tallow.load(found[0])
    modern = {name: re.sub("gamma$", "weight", re.sub("beta$", "bias", name)) for name in weights}
    return {modern[name]: tensor for name, tensor in weights.items()}
