"""The checks for every page: functions that take a visit, in one module per subject."""

from pkgutil import iter_modules

import pytest

# Assertions in probes show their values, like those in tests.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in iter_modules(__path__)))
