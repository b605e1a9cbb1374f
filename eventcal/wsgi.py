"""Settings from the environment, an app from the settings; nothing else, but that it is not looked through again."""

import gc
import os

from eventcal.app import create_app
from eventcal.config import read_settings

app = create_app(read_settings(os.environ))

# What is loaded by now stays for ever; looked through at each full collection, it held up whoever came by 60 ms.
gc.collect()
gc.freeze()
