"""The checks that apply to every page: functions with a visit as parameter, in one module per subject."""

from pkgutil import iter_modules

import pytest

# Assertion rewriting makes failed assertions in probes show their values.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in iter_modules(__path__)))
