"""Training: the loop, its callbacks, its history, and runs in folders that can be resumed."""

from digitlab.train.averaging import Averaging, ExponentialMovingAverage, NoAveraging, StochasticWeightAveraging
from digitlab.train.callbacks import Callback, EarlyStopping, PlainLines, TargetReached
from digitlab.train.checkpoint import load_checkpoint, save_checkpoint
from digitlab.train.config import RunConfig
from digitlab.train.evaluation import Evaluation, evaluate
from digitlab.train.history import History, Statistics
from digitlab.train.logging import CsvLog, MLflowLog, TensorBoardLog
from digitlab.train.run import SaveRun, resume_run, start_run
from digitlab.train.trainer import Trainer

__all__ = [
    "Averaging",
    "Callback",
    "CsvLog",
    "EarlyStopping",
    "Evaluation",
    "ExponentialMovingAverage",
    "History",
    "MLflowLog",
    "NoAveraging",
    "PlainLines",
    "RunConfig",
    "SaveRun",
    "Statistics",
    "StochasticWeightAveraging",
    "TargetReached",
    "TensorBoardLog",
    "Trainer",
    "evaluate",
    "load_checkpoint",
    "resume_run",
    "save_checkpoint",
    "start_run",
]
