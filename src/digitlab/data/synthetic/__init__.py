"""Synthetic digits: in other handwriting styles, in colour, in scenes, on whole pages.

handwriting_styles.py  other_handwriting: rotated, slanted, thinner and thicker pens
colours.py             coloured: ink and paper in colour
scenes.py              draw_scene: several digits in one picture
sets.py                make_appearance: whole data sets of these
other_marks.py         marks that are not digits, for networks that are to recognize them
pages.py, styles.toml  draw_page: pages with known positions of the digits
strokes.py, strokes.json, fonts.py  digits as pen strokes and in print
samples.py             pictures to try commands with
"""

from digitlab.data.synthetic.colours import BACKGROUNDS, coloured
from digitlab.data.synthetic.handwriting_styles import other_handwriting
from digitlab.data.synthetic.other_marks import other_marks
from digitlab.data.synthetic.scenes import draw_scene
from digitlab.data.synthetic.sets import APPEARANCES, make_appearance

other_hands = other_handwriting  # the former name

__all__ = [
    "APPEARANCES",
    "BACKGROUNDS",
    "coloured",
    "draw_scene",
    "make_appearance",
    "other_handwriting",
    "other_marks",
]
