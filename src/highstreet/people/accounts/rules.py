"""Where a request comes from. Pure."""

from __future__ import annotations

from ipaddress import ip_address


def address_of(remote: str, forwarded: str, hops: int) -> str:
    """The caller's address: what the outermost of our own `hops` proxies wrote down, else who is connected."""
    parts = [part.strip() for part in forwarded.split(",") if part.strip()]
    return parts[-hops][:45] if 0 < hops <= len(parts) else remote


def is_valid_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
