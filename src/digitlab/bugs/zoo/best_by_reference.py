"""The best weights, kept under another name of the same arrays."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="Best network kept by reference",
    story=(
        "In PyTorch, best = model.state_dict() keeps references: the training goes on and the best network "
        "changes with it. Its tutorials therefore copy: copy.deepcopy(model.state_dict())."
    ),
    source="PyTorch tutorial “Saving and Loading Models”, the note on model.state_dict() and copies",
    patch=(
        (
            "best, highest = {name: array.copy() for name, array in p.items()}, history[-1][1]",
            "best, highest = dict(p), history[-1][1]",
        ),
    ),
    symptoms="The network that is kept is the last one, not the best one.",
    hint="Is the kept network the same object as the one in training?",
    tool="look",
    fix="Copy each array: array.copy().",
)
