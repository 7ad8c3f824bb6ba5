"""Files of the publishers of weights."""

from pathlib import Path
from urllib.parse import urlparse

from tallow import hub

BASE = "https://download.pytorch.org/torchaudio"


def url_of(path):
    """The address of a file of torchaudio's, or of a whole address."""
    return path if "://" in path else f"{BASE}/{path}"


def asset(path):
    """The local path of a file, downloaded to `tallow.hub.get_dir()` at first use."""
    local = Path(hub.get_dir(), "torchaudio", urlparse(url_of(path)).path.lstrip("/"))
    if not local.exists():
        hub.download_url_to_file(url_of(path), local)
    return local


def loaded(model, path, dl_kwargs=None, change=None):
    """The model, for inference, with the weights at `path`; `change` edits the state dict."""
    state = hub.load_state_dict_from_url(url_of(path), **(dl_kwargs or {}))
    model.load_state_dict(state if change is None else change(state))
    return model.eval()


def without_rows(state, rows):
    """A state dict whose `aux` has not the labels that fairseq has and no speech."""
    kept = [i for i in range(len(state["aux.bias"])) if i not in rows]
    return state | {f"aux.{name}": state[f"aux.{name}"][kept] for name in ("weight", "bias")}
