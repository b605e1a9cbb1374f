"""Settings from the environment, an app from the settings; nothing else."""

import os

from eventcal.app import create_app
from eventcal.config import read_settings

app = create_app(read_settings(os.environ))
