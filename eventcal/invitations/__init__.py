"""Invitations by email to take on a role, which begins once a confirmed member accepts."""
