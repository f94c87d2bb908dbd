"""Options of the commands: made of settings (digitlab/settings/), or of files to write.

@settings_options(NetworkSettings, TrainingSettings, without=("start",))    an option for each of their settings
@data_options(part="the images to look at")     two arguments: `data`, the arguments of `digitlab.load` that were
def command(data, part): …                      given, with "source" always there; and `part`, None if not given
"""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from digitlab.errors import ConfigError
from digitlab.settings import DataTable, NetworkSettings, Setting, ShortSettings, TrainingSettings, settings_of
from digitlab.settings.data import of_part
from digitlab.settings.schema import as_typed, option_of, spelled

DECLARED = [settings_of(declaration) for declaration in (NetworkSettings, DataTable, ShortSettings, TrainingSettings)]
ALL = {name: setting for declared in DECLARED for name, setting in declared.items() if setting.flags is not None}
SETTINGS: dict[str, Setting] = {name: ALL[name] for name in ("net", "start", "source", *ALL)}
READING = tuple(name for name in of_part("read", "cut") if name != "split")
SOURCE_HELP = SETTINGS["source"].help
PARTS = ("train", "valid", "test", "all")


class Group(click.Group):
    """A group whose help shows the first sentence of each command in full; click would cut it at the line's end."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(1000)) for name, command in self.commands.items()])


class Value(click.ParamType[Any]):
    """The value of a setting, which reads and checks it."""

    def __init__(self, setting: Setting) -> None:
        self.setting, self.name = setting, setting.metavar or option_of(setting.name)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self.setting.read(value)
        except ConfigError as error:
            return self.fail(str(error).removeprefix(f"{self.setting.name}: "), param, ctx)


class Spec(click.ParamType[Any]):
    """A named choice, with settings where it has any: `adam`, `halve:5`, `momentum:momentum=0.8`.

    Checked against the family of this name and handed on as its table: {"type": "halve", "patience": 5}.
    """

    name = "name"

    def __init__(self, family: str) -> None:
        self.family = family

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        from digitlab.nn.describe import build, spec_table

        try:
            table = spec_table(family_named(self.family), value)
            build(family_named(self.family), table)
        except (ConfigError, TypeError) as error:
            self.fail(str(error), param, ctx)
        return table


def family_named(name: str) -> Any:
    """A family of choices by its name, "optimizer"."""
    import digitlab.train  # noqa: F401  which knows all families
    from digitlab.nn.describe import FAMILIES

    return FAMILIES[name]


class Checked(click.ParamType[Any]):
    """Text that a function of the package checks: it raises ConfigError, or gives the value as settings hold it."""

    def __init__(self, name: str, check: Callable[[Any], Any]) -> None:
        self.name, self.check = name, check

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self.check(value)
        except ConfigError as error:
            return self.fail(str(error).removeprefix(f"{self.name}: "), param, ctx)


def _augmentation(text: Any) -> str:
    from digitlab.data.augment import parse_augmentation

    augmentation = parse_augmentation(text)
    return augmentation.spec if augmentation.steps else ""


def _class_weights(text: Any) -> Any:
    from digitlab.train.weighting import checked_class_weights

    return checked_class_weights(text)


AUGMENT = Checked("augment", _augmentation)
TYPES = {
    "augment": AUGMENT,
    "class_weights": Checked("class_weights", _class_weights),
    "sample_weights": click.Path(exists=True, dir_okay=False),
}


class Activations(Spec):
    """An activation, or several separated by commas, one for each hidden layer: their tables in a list."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        from digitlab.nn.describe import separate

        tables = [super(Activations, self).convert(text, param, ctx) for text in separate(value)]
        return tables if len(tables) > 1 else tables[0]


def type_of(setting: Setting) -> click.ParamType[Any] | None:
    """How the option of a setting reads its value; None for true or false."""
    if setting.family:
        return Activations(setting.family) if setting.name == "activation" else Spec(setting.family)
    if setting.choices:
        return click.Choice(setting.choices)
    return TYPES.get(setting.name) or (None if setting.type is bool else Value(setting))


def option_for(setting: Setting, *, param: str = "", usual: str = "", text: str = "") -> Callable[[Any], Any]:
    """The option of a setting; `usual` is another default than the setting's, to show; `text` another help."""
    kind = type_of(setting)
    flags = setting.flags or (f"--{option_of(setting.name)}",)
    more: dict[str, Any] = {}
    if kind is None:
        more = {"default": None, "is_flag": True if "/" not in flags[0] else None}
    elif setting.metavar:
        more["metavar"] = setting.metavar
    notes = [setting.bounds] if setting.bounds.partition(" and ")[2] or setting.gt is not None else []
    default = usual or setting.usual or ("" if setting.default is None else as_typed(setting.default))
    notes += [f"default: {default}"] if default not in ("", "-") else []
    shown = f"{setting.help} [{'; '.join(notes)}]" if notes else setting.help
    return click.option(*flags, param or setting.name, type=kind, help=text or shown, **more)


def option_name(param: str) -> str:
    """The option of a command's parameter, without its dashes: data for source."""
    flags = SETTINGS[param].flags if param in SETTINGS else ()
    return (flags or (option_of(param),))[0].removeprefix("--")


def setting_called(name: str) -> str | None:
    """The setting that this names as its option or as an entry of a table: learning-rate, learning_rate, data, from."""
    flags = {flag: known for known, s in SETTINGS.items() for flags in s.flags or () for flag in flags.split("/")}
    return flags.get(f"--{name.removeprefix('--')}") or (spelled(name) if spelled(name) in SETTINGS else None)


def read_setting(name: str, value: Any) -> Any:
    """The value of a setting as its option reads it."""
    kind = type_of(SETTINGS[name])
    return (kind or Value(SETTINGS[name])).convert(value, None, None)


def settings_options(
    *names: str, without: Iterable[str] = (), usual: Mapping[str, str] | None = None
) -> Callable[[Any], Any]:
    """Add the options of the settings of these names, of all settings by default."""

    def decorate(function: Any) -> Any:
        for name in reversed(names or SETTINGS):
            if name not in without:
                function = option_for(SETTINGS[name], usual=(usual or {}).get(name, ""))(function)
        return function

    return decorate


from_file_option = click.option(
    "--from-file",
    type=click.Path(path_type=Path),
    help="File (TOML or JSON) with settings, or with a network; options take precedence.",
)


def data_options(
    *, part: str | None = None, default: str = "auto", parts: Sequence[str] = PARTS, source_help: str = SOURCE_HELP
) -> Callable[[Any], Any]:
    """Add --data and all that goes with it, as one argument `data`; with `part`, its help, --part as well.

    default   the source where none is named; "": none, and `data` has a source only if one was named
    """

    def decorate(function: Any) -> Any:
        @functools.wraps(function)
        def with_data(**given: Any) -> Any:
            data = {name: given.pop(name) for name in ("source", *READING)}
            data["source"] = data["source"] or default or None
            return function(**given, data={name: value for name, value in data.items() if value is not None})

        with_part = click.option("--part", type=click.Choice(parts), help=part)(with_data) if part else with_data
        return option_for(SETTINGS["source"], text=source_help)(settings_options(*READING)(with_part))

    return decorate


class OutputFile(click.ParamType[Any]):
    """A file to write: a false suffix or a folder that cannot be written is refused before anything is computed."""

    name = "path"

    def __init__(self, what: str, *suffixes: str, bare: bool = False) -> None:
        self.what, self.suffixes, self.bare = what, suffixes, bare

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from digitlab.files import require_suffix, require_writable

        try:
            require_suffix(value, self.what, *self.suffixes, bare=self.bare)
        except ConfigError as error:
            self.fail(str(error), param, ctx)
        if ctx is None or not ctx.resilient_parsing:  # of completion on TAB, which shows no errors
            require_writable(value)
        return Path(value)


class PictureFile(OutputFile):
    """The file of a picture, whose suffix says which kind."""

    def __init__(self) -> None:
        super().__init__("a picture", ".png", ".svg", ".pdf")


class PageFile(OutputFile):
    """The file of a page in HTML."""

    def __init__(self) -> None:
        super().__init__("a page", ".html", ".htm")


def picture_option(default: str) -> Callable[[Any], Any]:
    """--out, the file of the picture that a command draws."""
    text = "File of the picture; its suffix selects PNG, SVG or PDF."
    return click.option("--out", type=PictureFile(), default=Path(default), show_default=True, help=text)


def seed_option(text: str) -> Callable[[Any], Any]:
    """--seed, with its help."""
    return click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help=text)
