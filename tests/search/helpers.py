"""A search small enough for tests."""

from digitlab.nn import describe_network, mlp
from digitlab.optim import SGD
from digitlab.search import SearchPlan
from digitlab.train import RunConfig

SPACE = {"learning_rate": "log:0.1,10", "l2": "log:0.01,1"}


def config(**settings):
    """64-8-10 on 200 bundled digits; the reference engine, which needs no compilation."""
    data = {"source": "digits", "train_size": 200}
    return RunConfig(describe_network(mlp([64, 8, 10])), data, SGD(3.0), engine="reference", **settings)


def plan(strategy="random", space=SPACE, epochs=1, **settings):
    """Of 64-8-10 on 200 bundled digits."""
    return SearchPlan(config(epochs=epochs), space, strategy, **settings)


class Told:
    """A watcher that remembers; `stop_after` so many trials it presses Ctrl-C."""

    def __init__(self, stop_after=None):
        self.lines, self.trials, self.counts, self.stop_after = [], [], [], stop_after

    def began(self, plan, trials, reason):
        self.before, self.reason = trials, reason

    def epoch(self, event):
        pass

    def done(self, trial, best, count, goal):
        self.trials.append(trial)
        self.counts.append((count, goal))
        if self.stop_after == len(self.trials):
            raise KeyboardInterrupt

    def decided(self, line):
        self.lines.append(line)

    def ended(self):
        pass


def points(study):
    """The trials and their results, without times."""
    return [(t.point, t.state, t.values) for t in study.trials() if t.state in ("done", "pruned")]
