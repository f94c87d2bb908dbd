"""The catalogue: every experiment of Nielsen's and Rashid's books and of the first steps, with the figures they report.

experiment.py  task.py  data.py  training.py   what an experiment is made of
chapters/  chapter.py  catalogue.py   the experiments, one module a chapter; their texts; all of them by name
schedule.py  runner.py  store.py  finish.py    run them: in parallel, resumable, each task once; figures and pictures
fingerprint.py  probe.py              which code a result comes from, identified by what that code computes
results.py  compare.py  report.py  pages.py    result files, our figures compared with the books', the report
measure.py  pictures.py  animation.py          what several experiments share

docs/extending.md shows how to add an experiment.
"""
