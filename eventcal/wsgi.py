"""Settings from the environment, an app from the settings; nothing else."""

import gc
import os

from eventcal.app import create_app
from eventcal.config import read_settings

app = create_app(read_settings(os.environ))
# What is loaded by now stays for ever; looked through at each full collection, it took a tenth of a large change.
gc.collect()
gc.freeze()
