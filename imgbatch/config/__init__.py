"""Settings: TOML files -> one frozen `Config`. Only the shipped config.toml holds defaults.

A user's file is laid over the default, and the result must fit `Config` exactly. An unknown key, a
wrong type or a value out of range is one `ConfigError` that names file, key, value and range.
"""

from imgbatch.config.read import LoadedConfig, default_config_path, load_config, user_config_path

__all__ = ["LoadedConfig", "default_config_path", "load_config", "user_config_path"]
