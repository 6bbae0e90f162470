"""Who brings what: plain numbers in, a plan out. The same problem always gives the same plan."""

from .baselines import Matching, Nearest
from .ours import Ours
from .problem import Bundle, Job, Move, Plan, Policy, Problem, Service, Weights
from .reyes import Reyes

POLICIES: dict[str, Policy] = {one.name: one for one in (Nearest(), Matching(), Reyes(), Ours())}

__all__ = [
    "POLICIES",
    "Bundle",
    "Job",
    "Matching",
    "Move",
    "Nearest",
    "Ours",
    "Plan",
    "Policy",
    "Problem",
    "Reyes",
    "Service",
    "Weights",
]
