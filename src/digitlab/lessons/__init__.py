"""A course of lessons: read and run in the terminal, on the site and as notebooks, from one text each.

lesson.py      a lesson's text, taken apart: prose, code, exercises with tests and solutions
expecting.py   what the tests of exercises call
checking.py    the tests, run on a learner's file
running.py     the code of a lesson, block by block, as a notebook runs it
progress.py    which lessons and exercises are done, in the user's data folder
notebook.py | worksheet.py | bundle.py   a lesson as a notebook, as a printed page, and all of it for a classroom
class_report.py   many students' runs on one page
"""

from digitlab.lessons.expecting import expect
from digitlab.lessons.lesson import Exercise, Lesson, lessons, one_lesson

__all__ = ["Exercise", "Lesson", "expect", "lessons", "one_lesson"]
