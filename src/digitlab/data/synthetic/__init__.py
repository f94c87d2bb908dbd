"""Synthetic digits: in other handwriting styles, in colour, in scenes, on whole pages.

handwriting_styles.py  other_handwriting: rotated, slanted, thinner and thicker pens
colours.py             coloured: ink and paper in colour
scenes.py              draw_scene: several digits in one picture
sets.py                make_appearance: whole data sets of these
hands.py, hands.toml   characters as pen strokes, in forms of several countries
pens.py                strokes as ink of many pens
captures.py            ink as cameras, scanners and crops leave it, in MNIST's form
hand_digits.py         images of digits in such hands, for training
other_marks.py         marks that are not digits; clutter.py: those that nobody wrote
snapshots.py           draw_snapshot: photos, crops and drawings by kind, with known digits
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
