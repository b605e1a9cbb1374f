"""The IP address of the client."""

import ipaddress

from flask import request

# A household usually has an entire /64 network, and a company or the customer of a hosting provider an entire /48.
IPV6_PREFIX = 64
IPV6_SITE_PREFIX = 48


def client_network(*, ipv6_prefix: int = IPV6_PREFIX) -> str:
    """Return the IPv4 address or the IPv6 network of the client, which counts as one client."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if address.version == 4:  # noqa: PLR2004 - IPv4
        return str(address)
    return str(ipaddress.ip_network((address, ipv6_prefix), strict=False))
