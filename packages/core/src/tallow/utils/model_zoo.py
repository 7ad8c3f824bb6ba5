"""Weights by their address, where PyTorch had them before `hub`."""

from tallow.hub import load_state_dict_from_url as load_url

__all__ = ["load_url"]
