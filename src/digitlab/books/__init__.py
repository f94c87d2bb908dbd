"""The ledger: every experiment of Nielsen's and Rashid's books and of the first steps, with the figures they report.

row.py  task.py  data.py  training.py     what an experiment is made of
nielsen1.py … nielsen6.py  figures.py  rashid.py  first_steps.py    the experiments; ledger.py has them by name
runner.py         runs them: in parallel, resumable, each task once; finish.py: figures and pictures at the end
fingerprint.py    which code a result comes from, told by what that code computes
results.py  compare.py  report.py         their files, their figures beside the books', the report
measure.py  pictures.py  animation.py     what several rows share
"""
