"""Sponsors, the sponsorship tiers of events, and sponsorships."""
