"""Every setting, declared once: of data, network and training. Options, arguments, files and searches follow."""

from digitlab.settings.data import DataSettings, DataTable
from digitlab.settings.network import NetworkSettings
from digitlab.settings.schema import Setting, check_settings, settings_of
from digitlab.settings.training import ShortSettings, TrainingSettings

__all__ = [
    "DataSettings",
    "DataTable",
    "NetworkSettings",
    "Setting",
    "ShortSettings",
    "TrainingSettings",
    "check_settings",
    "settings_of",
]
