"""What the report says of itself: how to read the page, its rule for differences, whose code its figures are from."""

INTRO = [
    "Every experiment of Michael Nielsen's *Neural Networks and Deep Learning*, of Tariq Rashid's *Make Your Own "
    "Neural Network*, and of a reader's first steps with the latter, run by this code. `digitlab reproduce list` shows "
    "all rows, `digitlab reproduce run NAME` runs one, `digitlab reproduce report` writes this page. A run may be "
    "stopped at any time: every network that is finished is kept under the hash of its settings, longer trainings "
    "keep a checkpoint, and the same command goes on from there. What other code computed is computed again; "
    "`--keep-old` uses it. `--jobs 2` works with two processes; `--quick` runs "
    "all rows in small, within minutes; `--full` adds every value of the longest sweeps; `--part train`, `query` or "
    "`result` does one part alone: the networks, the figures, the pictures.",
    "Accuracies are in per cent. Ours are the mean ± sample standard deviation over n seeds. The split is named "
    "wherever a figure stands: many of the book's early figures are the best of several *test* results; ours beside "
    "them are taken in the same way, and the line `test` is that of the network that the validation set chose (of "
    "the last epoch where there is none: in Rashid's rows and the first steps, all 60,000 images are for training). "
    "[M] marks what is stated from memory, not read at its source.",
    "Where a book's program does something that one would not do today, the row is run in two modes. *As written*: "
    "fixed order of the images, left-over images dropped, network3's first weights and its dropout (weights shrunk to "
    "1 − p of themselves at test time), Rashid's rule for the hidden errors, which leaves out o(1 − o) and is not the "
    "gradient (`rashid-rule`). *Corrected*: without these. Both take network3's λ, which counts ten times that of "
    "network2. Mere bugs of readers' programs are repeated in no mode: "
    "networks lost but for the last one, and an inverse query of the first ten test labels (7 2 1 0 4 1 4 9 5 9) in "
    "place of the ten digits (first-steps-2 and 5); biases that are never learned, ranges that stop before output 9, "
    "neuron 29 and pixel 783, a fixed rate for the hidden layer, and hidden errors from weights already updated (the "
    "object with `train`, `test` and `imagine`).",
]

RULE = (
    "*Allowed* is how far ours may be from the book's by chance and rounding alone: t · s · √(1/n + 1/m) + u/2. Here "
    "s is our sample standard deviation over n seeds (for a best of n runs, 1 in place of n), m the number of runs "
    "that the book's figure is the mean of (3 in chapter 6, elsewhere 1), t Student's two-sided 95 % quantile (4.30 "
    "for n = 3, 2.78 for n = 5), and u one unit of the last digit that the book prints. Where there is one run here, "
    "t · s is 1.96 · √(p(1 − p)/N), the deviation of a share p of N images; where nothing is random, rounding alone "
    "is allowed. A larger difference is **bold**, and is named under its table with its likely cause as further off "
    "than our spread explains. Of differences that are nothing but chance, one in twenty is larger."
)
CODE = (
    "*Code* says whether the code that wrote this page still computes the same numbers. Every result file carries a "
    "fingerprint: a hash of what the row's trainings give, bit by bit, when they are run for a moment on made-up "
    "images. Where the column is empty, it is that of the code of now, and the row comes out again to the digit. "
    "`older`: other code computed the row, which gives other last digits, or other figures. `unrecorded`: the row is "
    "from before there were fingerprints. `other processor`: its sums may round otherwise, so nothing can be said "
    "here. `digitlab reproduce run NAME` computes such a row again."
)

BOOKS = {
    "Nielsen": "Nielsen, Neural Networks and Deep Learning",
    "Rashid": "Rashid, Make Your Own Neural Network",
    "First steps": "First steps with Rashid's book",
}
