"""Who brings what: plain numbers in, a plan out. The same problem always gives the same plan."""

from .baselines import Matching, Nearest
from .drifting import drift
from .problem import STORES, Bundle, Floats, Job, Move, Plan, Policy, Problem, Ride, Service, visits
from .reach import reach
from .reyes import Reyes
from .timely import Timely

# Where couriers accept each job and answer within minutes, they are told earlier, and nobody moves without a job.
SERVING = Timely(ahead=300.0, slack=180.0)
POLICIES: dict[str, Policy] = {one.name: one for one in (Nearest(), Matching(), Reyes(), Timely())}

__all__ = [
    "POLICIES",
    "SERVING",
    "STORES",
    "Bundle",
    "Floats",
    "Job",
    "Matching",
    "Move",
    "Nearest",
    "Plan",
    "Policy",
    "Problem",
    "Reyes",
    "Ride",
    "Service",
    "Timely",
    "drift",
    "reach",
    "visits",
]
