"""A lesson on two printed pages: the prediction, questions to answer by hand, and the exercises."""

from digitlab.lessons.lesson import Lesson
from digitlab.viz.pages import render


def worksheet(lesson: Lesson) -> str:
    """The worksheet as one HTML file, laid out for A4; a browser prints it or saves it as PDF."""
    return render("worksheet.html", lesson=lesson)
