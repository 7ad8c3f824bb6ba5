"""All parameters as one vector and back."""

from tallow.autograd.modes import no_grad
from tallow.errors import ShapeError
from tallow.joining import cat


def parameters_to_vector(parameters):
    """The elements of all parameters one after the other, as one vector. Differentiable.

    >>> tuple(tallow.nn.utils.parameters_to_vector(tallow.nn.Linear(3, 2).parameters()).shape)
    (8,)
    """
    return cat([parameter.reshape(-1) for parameter in parameters])


@no_grad()
def vector_to_parameters(vec, parameters):
    """Copy a vector of `parameters_to_vector`'s layout into the parameters, in place."""
    parameters = list(parameters)
    expected = sum(parameter.numel() for parameter in parameters)
    if vec.numel() != expected:
        raise ShapeError(f"vector_to_parameters: expected {expected} elements, got {vec.numel()}")
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        parameter.copy_(vec[start:end].reshape(parameter.shape))
        start = end
