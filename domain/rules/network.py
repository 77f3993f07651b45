"""Client addresses, as far as limits count them."""

from __future__ import annotations

import ipaddress


def network(address: str) -> str:
    """What counts as one client: an IPv4 address, of IPv6 the first 64 bits, which belong to one subscriber; anything else as it is."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.IPv6Network((int(found), 64), strict=False))
    return str(found)
