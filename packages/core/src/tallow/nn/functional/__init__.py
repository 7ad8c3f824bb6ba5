"""Functions of neural networks, without state, by family."""

import sys as _sys

from tallow.casting import cast_by_policy as _cast_by_policy
from tallow.nn.functional.activation import *
from tallow.nn.functional.attention import *
from tallow.nn.functional.classes import *
from tallow.nn.functional.conv import *
from tallow.nn.functional.distance import *
from tallow.nn.functional.dropout import *
from tallow.nn.functional.grid import *
from tallow.nn.functional.linear import *
from tallow.nn.functional.loss import *
from tallow.nn.functional.normalization import *
from tallow.nn.functional.padding import *
from tallow.nn.functional.pooling import *
from tallow.nn.functional.resize import *
from tallow.nn.functional.sparse import *

_cast_by_policy(_sys.modules[__name__])
