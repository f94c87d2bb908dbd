"""Former import paths of public packages: `import digitlab.many` still finds digitlab.parallel."""

import importlib
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    "digitlab.data.appearances": "digitlab.data.synthetic",
    "digitlab.data.handwriting": "digitlab.data.photos",
    "digitlab.data.samples": "digitlab.data.synthetic.samples",
    "digitlab.doctor.diagnosis": "digitlab.doctor.ailment",
    "digitlab.doctor.probe": "digitlab.doctor.callback",
    "digitlab.many": "digitlab.parallel",
    "digitlab.nn.gradients": "digitlab.gradients",
    "digitlab.nn.regularizers": "digitlab.optim.regularizers",
    "digitlab.optimizers": "digitlab.optim",
    "digitlab.reproduce": "digitlab.books",
    "digitlab.see": "digitlab.viz",
    "digitlab.train.diagnosis": "digitlab.doctor.ailment",
    "digitlab.train.probe": "digitlab.doctor.callback",
    "digitlab.train.symptoms": "digitlab.doctor.symptoms",
    "digitlab.viz.accuracy": "digitlab.viz.confusion",
    "digitlab.viz.bands": "digitlab.viz.curves",
    "digitlab.viz.ways": "digitlab.viz.inversions",
}


class MovedFinder:  # no subclass of importlib.abc's, whose import takes longer than that of this package
    """Answers an import of a former path, or of a module below it, with the module of today."""

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        if (new := present_name(name)) == name:
            return None
        loader_state = importlib.import_module(new)
        return ModuleSpec(name, self, loader_state=loader_state)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return ModuleType(spec.name)  # replaced below: the module of today keeps its own name

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        sys.modules[module.__name__] = module.__spec__.loader_state


def present_name(name: str) -> str:
    """A module's name today: "digitlab.parallel.pool" for "digitlab.many.pool"."""
    for old, new in MOVED.items():
        if name == old or name.startswith(old + "."):
            return new + name.removeprefix(old)
    return name


sys.meta_path.insert(0, MovedFinder())
