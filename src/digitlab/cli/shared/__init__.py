"""What several commands use and is no command: options, settings, progress displays, tables, messages."""
