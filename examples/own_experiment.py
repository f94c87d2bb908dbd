"""How to add an experiment to the catalogue: copy this file to src/digitlab/books/chapters/ and run it by name.

digitlab reproduce run three-rates --quick      to see that it runs
digitlab reproduce run three-rates              with all images, three seeds
digitlab reproduce report                       the page with the results of all experiments that were run
"""

from digitlab.books.experiment import Experiment, Reported
from digitlab.books.measure import training_figures
from digitlab.books.pictures import valid_curves
from digitlab.books.training import book_trainings

RATES = (0.1, 1.0, 10.0)
EXPERIMENTS = [
    Experiment(
        "three-rates",
        tasks=book_trainings({f"η {rate:g}": {"hidden": 30, "rate": rate, "epochs": 5} for rate in RATES}),
        query=training_figures,  # figures "η 1/valid_best", "η 1/test" …
        draw=valid_curves,
        title="three learning rates",
        setup="[784, 30, 10], cross-entropy, η .1, 1 and 10, 5 epochs",
        reported=(Reported("η 1/valid_best", 96.0, "validation", "what I expect"),),
        minutes=0.1,
    )
]
