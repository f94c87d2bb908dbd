"""What the network says of the marks of a page, and where they are."""

from collections.abc import Sequence

import numpy as np

from digitlab.data.photos.neighbours import Chosen, Neighbours
from digitlab.reading.partition import Answer


class Answers:
    """Answers with the places of their marks, so that one is compared with all others at once."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        """`all` has the answers, `places` their marks, in the same order."""
        self.all = answers
        self.places = Neighbours([answer.mark for answer in answers])

    def those(self, chosen: Chosen) -> list[Answer]:
        """The chosen ones of all, (N,)."""
        return [self.all[number] for number in np.flatnonzero(chosen).tolist()]
