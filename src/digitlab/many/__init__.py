"""Many networks at once: on threads, processes or a cluster, in folders, with one table of what came of them."""

from digitlab.many.job import Job, Outcome, run_job
from digitlab.many.pool import Pool, open_pool
from digitlab.many.results import Spread, Together, spread
from digitlab.many.together import Watcher, train_many

__all__ = ["Job", "Outcome", "Pool", "Spread", "Together", "Watcher", "open_pool", "run_job", "spread", "train_many"]
