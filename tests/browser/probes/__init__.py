"""What is checked on every page: functions that take a visit, in a module for each subject."""

from pkgutil import iter_modules

import pytest

# A failing assertion of a probe shows its values, as that of a test does.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in iter_modules(__path__)))
