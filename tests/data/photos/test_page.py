"""A mark's ink, as the page gives it: grey levels of the photo, as shares of the mark's own dark ink."""

import numpy as np
import pytest

from digitlab.cli.shared.readings import lines_of
from digitlab.data.photos import find_digits
from digitlab.data.photos import page as page_module
from digitlab.reading import Reading

from .drawn import paper, put


def test_a_pale_part_of_a_mark_stays_paler_than_the_rest():
    """Half as much ink is (0.5 - 0.2) / 0.6 = half full, also where nothing darker is near."""
    page = paper()
    put(page, np.full((80, 10), 255, np.uint8), 100, 60)
    put(page, np.full((10, 60), 128, np.uint8), 110, 130)
    found = find_digits(page)
    (mark,) = found.parts
    ink = found.ink_of(mark)
    assert ink[10:70, 3:7].min() > 0.95
    np.testing.assert_allclose(ink[73:77, 30:65], 0.5, atol=0.07)


def test_the_faintest_ink_of_a_mark_is_kept():
    page = paper()
    put(page, np.full((80, 10), 255, np.uint8), 100, 60)
    put(page, np.full((10, 60), 66, np.uint8), 110, 130)  # a quarter, which alone would be 0.1
    found = find_digits(page)
    (mark,) = found.parts
    assert mark.width > 60 and found.ink_of(mark)[mark.mask].min() >= 0.25


@pytest.mark.parametrize(("marks", "crowded"), [(12, False), (13, True)])
def test_a_page_says_that_it_has_more_marks_than_are_looked_at(monkeypatch, marks, crowded):
    monkeypatch.setattr(page_module, "MAX_MARKS", 12)
    sheet = paper()
    for number in range(marks):
        put(sheet, np.full((20 + number, 6), 255, np.uint8), 20 + 20 * (number % 8), 20 + 60 * (number // 8))
    found = find_digits(sheet)
    assert found.crowded == crowded and len(found.parts) == 12
    lines = lines_of("sheet.png", Reading((), (), found))
    assert any("more than 10,000 marks" in line for line in lines) == crowded
