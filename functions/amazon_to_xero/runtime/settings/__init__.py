"""Settings: of the stack (environment), of each connection (one SSM parameter), and each connection's secret.

Everything is validated when a function starts. An error names the field, what is wrong with it and what to do; it never
repeats a value. The settings pages of the documentation are generated from the descriptions here, one module a part.
"""

from amazon_to_xero.runtime.settings.base import SettingsError, parse
from amazon_to_xero.runtime.settings.connection import ConnectionSettings
from amazon_to_xero.runtime.settings.secrets import ConnectionSecrets
from amazon_to_xero.runtime.settings.stack import StackSettings, stack_settings

__all__ = ["ConnectionSecrets", "ConnectionSettings", "SettingsError", "StackSettings", "parse", "stack_settings"]
