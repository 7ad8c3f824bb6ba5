"""Names of PyTorch's checkpoints of many processes: here `tallow.save` writes a state in one."""

from tallow.left_out import SHARDS, Never

__all__ = ["HuggingFaceStorageReader", "HuggingFaceStorageWriter"]


class HuggingFaceStorageReader(Never):
    """What reads parts of tensors from files of safetensors."""

    why = SHARDS


class HuggingFaceStorageWriter(Never):
    """What writes parts of tensors to files of safetensors."""

    why = SHARDS
