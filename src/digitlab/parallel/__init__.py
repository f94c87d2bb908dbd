"""Many networks at once: on threads, processes or a cluster, in folders, with one table of results."""

from digitlab.parallel.job import TrainingJob, TrainingResult, run_job
from digitlab.parallel.pool import Pool
from digitlab.parallel.progress import Watcher
from digitlab.parallel.results import GroupResult
from digitlab.parallel.select import open_pool
from digitlab.parallel.training import train_many
from digitlab.statistics import Summary, summarize

Spread, Together, spread = Summary, GroupResult, summarize  # former names

__all__ = [
    "GroupResult",
    "Pool",
    "Spread",
    "Together",
    "TrainingJob",
    "TrainingResult",
    "Watcher",
    "open_pool",
    "run_job",
    "spread",
    "train_many",
]
