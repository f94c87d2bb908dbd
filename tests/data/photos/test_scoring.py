"""The score of what was read on a photo."""

from digitlab.data.photos.scoring import LabelledBox, Score, score_reading


def test_the_score_by_hand():
    truth = [
        LabelledBox(3, (0, 0, 10, 20), "pen"),
        LabelledBox(7, (50, 0, 60, 20), "pen"),
        LabelledBox(1, (90, 0, 95, 20), "pen"),
    ]
    read = [(3, (0, 0, 10, 19)), (1, (50, 0, 60, 20)), (8, (200, 0, 210, 20))]
    score = score_reading(truth, read)
    assert (score.there, score.found, score.right, score.extra) == (3, 2, 1, 1)
    assert score.failures == ("read as 1: 7 (pen) at 50,0", "not found: 1 (pen) at 90,0", "no digit there: 8 at 200,0")
    assert str(score) == "2 of 3 digits found (66.7 %), 1 of those right (50.0 %), 1 extra"


def test_boxes_are_matched_for_most_overlap():
    truth = [LabelledBox(1, (0, 0, 10, 10), "pen"), LabelledBox(2, (4, 0, 14, 10), "pen")]
    assert score_reading(truth, [(2, (4, 0, 14, 10)), (1, (0, 0, 10, 10))]).right == 2
    assert score_reading([], []) == Score() and len(score_reading(truth, []).failures) == 2
    assert score_reading([], [(1, (0, 0, 1, 1))]).extra == 1
