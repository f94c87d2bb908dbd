"""Runs the tests of kernels against their readable twins and, if they pass, writes the readable code's fingerprints.

    python tests/engine/renew_fingerprints.py

To be run after a change of readable code that has kernels (tests/engine/test_fingerprints.py says so).
"""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType

import digitlab
from digitlab.engine.fast.twins import every_part
from digitlab.fingerprints import source
from digitlab.fingerprints.check import ASIDE, code_of, is_guarded

HERE = Path(__file__).parent
TABLE = Path(digitlab.__file__).parent / "fingerprints" / "table.json"
TWIN_TESTS = [*sorted(HERE.glob("test_twins*.py")), HERE.parent / "data" / "augment" / "test_augment.py"]


def table():
    """{module: {"text": digest, function: "fingerprint name@module ..."}} of all readable code that has kernels."""
    entries, texts = {}, {}
    waiting = [(part.of, part.methods) for part in every_part()]
    while waiting:
        thing, only = waiting.pop()
        if isinstance(thing, FunctionType):
            functions = [(thing.__module__, thing.__qualname__, thing)]
        else:
            functions = [
                (base.__module__, f"{base.__qualname__}.{name}", attribute)
                for base in thing.__mro__
                if base.__module__ not in ASIDE and base is not object
                for name, attribute in vars(base).items()
                if is_guarded(base, name, only)
            ]
        for module, name, attribute in functions:
            if name in entries.setdefault(module, {}):
                continue
            if module not in texts:
                texts[module] = import_module(module).__spec__.loader.get_source(module)
            tree, code = source.functions(texts[module])[name], code_of(attribute)
            entry = [source.fingerprint(tree)]
            for word in sorted(source.names(tree) & names_in(code)):
                used = vars(sys.modules[module]).get(word)
                home = getattr(used, "__module__", None) or ""
                if home.startswith("digitlab.") and home not in ASIDE and isinstance(used, type | FunctionType):
                    assert used.__qualname__ == word, f"{module}, {name}: {word} was imported by another name"
                    entry.append(f"{word}@{home}")
                    waiting.append((used, None))
                else:  # a constant would have no fingerprint: write its value into the function
                    assert not isinstance(used, int | float | str | tuple | list | dict | set), f"{module}: {word}"
            entries[module][name] = " ".join(entry)
    return {
        module: {"text": source.digest(texts[module])} | dict(sorted(entries[module].items()))
        for module in sorted(entries)
    }


def names_in(code):
    """All names of globals and attributes in a function, inner ones included."""
    inner = [part for part in code.co_consts if isinstance(part, CodeType)]
    return set(code.co_names).union(*map(names_in, inner))


if __name__ == "__main__":
    new, old = table(), json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.exists() else {}
    without_text = [{module: {**e, "text": ""} for module, e in entries.items()} for entries in (new, old)]
    before = TABLE.read_text(encoding="utf-8") if TABLE.exists() else "{}"
    TABLE.write_text(json.dumps(new, indent=1) + "\n", encoding="utf-8")  # some tests ask for the fast engine by name
    if without_text[0] != without_text[1]:  # else comments changed, and there is nothing to test
        done = subprocess.run([sys.executable, "-m", "pytest", *map(str, TWIN_TESTS)])
        if done.returncode:
            TABLE.write_text(before, encoding="utf-8")
            raise SystemExit("the kernels do not do what the readable code says; the fingerprints stay as they were")
    print(f"written: {TABLE}, {sum(map(len, new.values())) - len(new)} functions in {len(new)} files")
