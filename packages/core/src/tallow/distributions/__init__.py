"""Probability distributions, constraints on what they take, and transforms between them.

With the same seed, samples on the CPU are PyTorch's, also where they are drawn by rejection (gamma,
beta, Dirichlet, Student's t, Poisson, binomial, ...), but for `Wishart`, whose first samples
PyTorch throws away. Gradients of gamma and Dirichlet samples are exact where PyTorch's are to 1e-3.
"""

from tallow.distributions import constraints
from tallow.distributions.bernoulli import (
    Bernoulli,
    Binomial,
    ContinuousBernoulli,
    Geometric,
    NegativeBinomial,
    Poisson,
)
from tallow.distributions.beta import Beta, Dirichlet, Kumaraswamy, LogisticNormal
from tallow.distributions.categorical import (
    Categorical,
    Multinomial,
    OneHotCategorical,
    OneHotCategoricalStraightThrough,
)
from tallow.distributions.constraint_registry import biject_to, transform_to
from tallow.distributions.distribution import Distribution, ExponentialFamily
from tallow.distributions.gamma import (
    Chi2,
    Exponential,
    FisherSnedecor,
    Gamma,
    GeneralizedPareto,
    InverseGamma,
    Pareto,
    Weibull,
)
from tallow.distributions.independent import Independent
from tallow.distributions.kl import kl_divergence, register_kl
from tallow.distributions.mixture_same_family import MixtureSameFamily
from tallow.distributions.multivariate_normal import LowRankMultivariateNormal, MultivariateNormal
from tallow.distributions.normal import (
    Cauchy,
    Gumbel,
    HalfCauchy,
    HalfNormal,
    Laplace,
    LogNormal,
    Normal,
    StudentT,
)
from tallow.distributions.relaxed import RelaxedBernoulli, RelaxedOneHotCategorical
from tallow.distributions.transformed_distribution import TransformedDistribution
from tallow.distributions.transforms import *
from tallow.distributions.uniform import Uniform
from tallow.distributions.von_mises import VonMises
from tallow.distributions.wishart import LKJCholesky, Wishart
