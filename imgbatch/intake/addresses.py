"""Which addresses a link may lead to: only those of the public internet, unless the user says so.

A link from a list may lead to a machine of the user's own network, or to the service that hands out
a cloud's credentials. Names are resolved here, so that the address that was checked is the one
that is connected to; this holds for every hop of a redirect.
"""

import ipaddress
import socket
from collections.abc import Callable

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

Allowed = Callable[[str], bool]
"""Whether an address, in text, may be connected to."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_IPV6_UNICAST = ipaddress.ip_network("2000::/3")


class PrivateAddressError(OSError):
    """A name leads only to addresses that are not allowed."""


def is_global(address: str) -> bool:
    """Whether an address belongs to the public internet.

    An IPv6 address that carries an IPv4 address (mapped, 6to4, Teredo, NAT64) is judged by both.
    All others outside of 2000::/3 are local, or of a kind that is no longer in use (RFC 4291).

    Examples
    --------
    >>> [is_global(one) for one in ("93.184.215.14", "10.0.0.1", "127.0.0.1", "169.254.169.254")]
    [True, False, False, False]
    >>> [is_global(one) for one in ("2606:4700::1111", "::1", "::ffff:10.0.0.1", "fe80::1%eth0")]
    [True, False, False, False]
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return is_global(str(parsed.ipv4_mapped))
        carried = [parsed.sixtofour, *(parsed.teredo or ())]
        if parsed in _NAT64:
            carried.append(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF))
        elif parsed not in _IPV6_UNICAST:
            return False
        if not all(is_global(str(one)) for one in carried if one):
            return False
    return parsed.is_global and not parsed.is_multicast


def literal_address(host: str) -> str | None:
    """The address that a URL's host is written as; None for a name.

    >>> literal_address("[::1]"), literal_address("127.0.0.1"), literal_address("example.org")
    ('::1', '127.0.0.1', None)
    """
    text = host.strip("[]")
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return text


class GlobalResolver(AbstractResolver):
    """Resolves names, and keeps only addresses that are allowed.

    Parameters
    ----------
    allowed
        Which addresses are.
    """

    def __init__(self, allowed: Allowed) -> None:
        self._allowed, self._resolver = allowed, aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a host that may be connected to.

        Raises
        ------
        PrivateAddressError
            It has none but others.
        OSError
            It has none.
        """
        found = await self._resolver.resolve(host, port, family)
        kept = [one for one in found if self._allowed(one["host"])]
        if found and not kept:
            raise PrivateAddressError("no public address")
        return kept

    async def close(self) -> None:
        """Nothing is held."""
        await self._resolver.close()
