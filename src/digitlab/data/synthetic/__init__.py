"""Digits as they look elsewhere: in other hands, in colour, on paper of every kind, several in one picture.

hands.py        other_hands: turned, slanted, thinner and thicker pens
colours.py      coloured: ink and paper in colour
scenes.py       draw_scene: several in one picture
sets.py         make_appearance: whole data sets of these
other_marks.py  what is no digit, for networks that are to know it
"""

from digitlab.data.synthetic.colours import BACKGROUNDS, coloured
from digitlab.data.synthetic.handwriting_styles import other_hands
from digitlab.data.synthetic.other_marks import other_marks
from digitlab.data.synthetic.scenes import draw_scene
from digitlab.data.synthetic.sets import APPEARANCES, make_appearance

__all__ = ["APPEARANCES", "BACKGROUNDS", "coloured", "draw_scene", "make_appearance", "other_hands", "other_marks"]
