"""The layers, by family; the files are named as PyTorch's."""

from tallow.nn.modules.activation import *
from tallow.nn.modules.adaptive import *
from tallow.nn.modules.attention import *
from tallow.nn.modules.batchnorm import *
from tallow.nn.modules.container import *
from tallow.nn.modules.conv import *
from tallow.nn.modules.distance import *
from tallow.nn.modules.dropout import *
from tallow.nn.modules.flatten import *
from tallow.nn.modules.fold import *
from tallow.nn.modules.instancenorm import *
from tallow.nn.modules.lazy import *
from tallow.nn.modules.linear import *
from tallow.nn.modules.loss import *
from tallow.nn.modules.module import Module
from tallow.nn.modules.normalization import *
from tallow.nn.modules.padding import *
from tallow.nn.modules.pixelshuffle import *
from tallow.nn.modules.pooling import *
from tallow.nn.modules.rnn import *
from tallow.nn.modules.sparse import *
from tallow.nn.modules.transformer import *
from tallow.nn.modules.upsampling import *

# Not by assignment: a type checker then takes all names as exported, since it cannot read these.
globals()["__all__"] = [name for name in globals() if name[0].isupper()]
