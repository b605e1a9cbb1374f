"""The renderer version, which identifies the code and the settings that rendered the entries of the feed index."""

import hashlib
from importlib.metadata import version

# Increment RENDERER_VERSION if the rendering changes, so that `db upgrade` renders entries and resources again.
RENDERER_VERSION = 6

# The libraries whose versions affect rendered entries and VTIMEZONEs.
_LIBRARIES = ("babel", "icalendar", "markdown-it-py", "nh3", "tzdata")


def build_renderer_version(*, domain: str, sample_url: str) -> str:
    """Return the renderer version for a UID domain and an example URL."""
    libraries = " ".join(version(name) for name in _LIBRARIES)
    sample = f"{RENDERER_VERSION} {libraries} {domain} {sample_url}"
    return hashlib.blake2b(sample.encode(), digest_size=8).hexdigest()
