"""The complete database metadata. This module imports all modules that define tables."""

from eventcal.events import models as events
from eventcal.feeds import fetch_counts
from eventcal.feeds.index import models as feeds
from eventcal.invitations import models as invitations
from eventcal.kit.models import Base
from eventcal.members import models as members
from eventcal.outbox import models as outbox
from eventcal.speakers import models as speakers
from eventcal.sponsors import models as sponsors
from eventcal.talks import models as talks

MODEL_MODULES = (events, feeds, fetch_counts, invitations, members, outbox, speakers, sponsors, talks)
metadata = Base.metadata
