"""Settings small enough to train many of them."""

from digitlab.nn import describe_network, mlp
from digitlab.optim import SGD
from digitlab.train import RunConfig


def config(seed=0, rate=3.0, epochs=2, **settings):
    """64-8-10 on the bundled digits; the reference engine unless told otherwise, which needs no compilation."""
    settings.setdefault("engine", "reference")
    data = {"source": "digits", "train_size": 200, **settings.pop("data", {})}
    return RunConfig(describe_network(mlp([64, 8, 10])), data, SGD(rate), epochs=epochs, seed=seed, **settings)


def weights(outcome):
    """The network's numbers as bytes, to compare bit for bit."""
    return {name: array.tobytes() for name, array in outcome.arrays.items()}


class Heard:
    """A watcher that remembers."""

    def __init__(self, stop_after=None):
        self.events, self.outcomes, self.calls, self.stop_after = [], [], [], stop_after

    def began(self, names, epochs, reason):
        self.calls.append("began")
        self.names, self.reason = list(names), reason

    def epoch(self, event):
        self.events.append(event)

    def done(self, outcome):
        self.outcomes.append(outcome)
        if self.stop_after is not None and len(self.outcomes) == self.stop_after:
            self.stop_after = None
            raise KeyboardInterrupt

    def ended(self):
        self.calls.append("ended")
