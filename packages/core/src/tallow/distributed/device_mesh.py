"""Names of PyTorch's meshes of devices, for programs that ask: here are process groups only."""

from tallow.left_out import SHARDS, Never, never

__all__ = ["DeviceMesh", "init_device_mesh"]

init_device_mesh = never("distributed.device_mesh.init_device_mesh", SHARDS)


class DeviceMesh(Never):
    """Processes arranged along several dims."""

    why = SHARDS
