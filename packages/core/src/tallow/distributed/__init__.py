"""Many processes, one program: collectives over MPI and NCCL, with PyTorch's names.

Start the processes by `python -m tallow.distributed.run -n 4 script.py`, or by `mpiexec`, and begin
with `init_process_group`. `nn.parallel.DistributedDataParallel` trains a model on all of them. MPI
comes with `pip install 'tallow[mpi]'`; docs/distributed.md has the whole.
"""

from tallow.distributed.collectives import (
    ReduceOp,
    all_gather,
    all_gather_into_tensor,
    all_reduce,
    all_to_all,
    all_to_all_single,
    barrier,
    broadcast,
    gather,
    irecv,
    isend,
    recv,
    reduce,
    reduce_scatter,
    reduce_scatter_tensor,
    scatter,
    send,
)
from tallow.distributed.device_mesh import DeviceMesh, init_device_mesh
from tallow.distributed.group import (
    Backend,
    GroupMember,
    ProcessGroup,
    destroy_process_group,
    get_backend,
    get_global_rank,
    get_group_rank,
    get_process_group_ranks,
    get_rank,
    get_world_size,
    group,
    init_process_group,
    is_available,
    is_gloo_available,
    is_initialized,
    is_mpi_available,
    is_nccl_available,
    is_torchelastic_launched,
    new_group,
)
from tallow.distributed.objects import (
    all_gather_object,
    broadcast_object_list,
    gather_object,
    scatter_object_list,
)
from tallow.distributed.work import Work
