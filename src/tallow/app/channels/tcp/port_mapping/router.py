"""The router's port mappings, by UPnP Internet Gateway Device (WANIPConnection and WANPPPConnection)."""

from __future__ import annotations

import ipaddress
import logging
from ipaddress import IPv4Address
from typing import Any, Final

from async_upnp_client.client import UpnpService
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.exceptions import UpnpActionError, UpnpConnectionError

from tallow.app.channels.tcp.port_mapping.errors import PortMappingError
from tallow.app.channels.tcp.port_mapping.local_network import LocalNetwork
from tallow.app.channels.tcp.port_mapping.requester import RouterRequester
from tallow.app.channels.tcp.port_mapping.search import find_description

LEASE_S: Final = 600
"""Seconds after which the router itself removes a mapping, if this program was killed."""
DESCRIPTION: Final = "Tallow"
"""The mapping's name in the router's own pages."""

SERVICES: Final = frozenset(
    f"urn:schemas-upnp-org:service:{name}"
    for name in ("WANIPConnection:1", "WANIPConnection:2", "WANPPPConnection:1")
)
CONFLICT: Final = 718
_REFUSALS: Final = {
    606: "the router allows it to nobody",
    CONFLICT: "the port is mapped to another machine",
    725: "the router knows only mappings without an end",
}

# Its records contain addresses, and what the router's answers contain.
logging.getLogger("async_upnp_client").setLevel(logging.CRITICAL + 1)


class UnreachableError(PortMappingError):
    """The router does not answer any more, at the address where it was found."""


class RefusedError(PortMappingError):
    """The router answered with an error.

    Attributes:
        code: errorCode of the UPnP fault.
    """

    def __init__(self, code: int | None) -> None:
        super().__init__(_REFUSALS.get(code or 0, f"the router refused it (error {code or 'unknown'})"))
        self.code = code

    @property
    def is_conflict(self) -> bool:
        """Whether another machine has the external port."""
        return self.code == CONFLICT


class Router:
    """A router that was found. Made by :meth:`find`."""

    def __init__(self, network: LocalNetwork, service: UpnpService) -> None:
        self._own = network.own
        self._service = service

    @classmethod
    async def find(cls, network: LocalNetwork) -> Router:
        """Find the router of a network.

        Raises:
            PortMappingError: no router answered, or it maps no ports.
        """
        return await cls.describe(network, await find_description(network))

    @classmethod
    async def describe(cls, network: LocalNetwork, location: str) -> Router:
        """Read the router's description.

        Raises:
            PortMappingError: it cannot be read, or the router maps no ports.
        """
        address = location.partition("://")[2].partition("/")[0].partition(":")[0]
        factory = UpnpFactory(RouterRequester(network, address), non_strict=True)
        try:
            device = await factory.async_create_device(location)
            services = [each for each in device.all_services if each.service_type in SERVICES]
        except Exception:  # noqa: BLE001 - whatever the library raises for a description that is not valid
            raise PortMappingError("the router's description cannot be read") from None
        usable = [each for each in services if each.has_action("AddPortMapping")]
        if not usable:
            raise PortMappingError("the router does not map ports")
        return cls(network, usable[0])

    async def external_address(self) -> IPv4Address:
        """The address at which others reach the router.

        Raises:
            PortMappingError: it is not a public one, or the router does not tell.
        """
        answer = await self._call("GetExternalIPAddress")
        try:
            address = ipaddress.ip_address(str(answer.get("NewExternalIPAddress")))
        except ValueError:
            raise PortMappingError("the router does not tell its address") from None
        # A hostile router must not make the other peer dial into its own network.
        if not isinstance(address, IPv4Address) or not address.is_global or address.is_multicast:
            raise PortMappingError("the router's own address is not public: it is behind another NAT")
        return address

    async def add(self, external_port: int, port: int) -> None:
        """Map a TCP port of the router to a port of this machine, for :data:`LEASE_S` seconds. A mapping of
        this machine is prolonged.

        Raises:
            RefusedError: the router refuses.
            PortMappingError: it does not answer, or not as a router does.
        """
        await self._call(
            "AddPortMapping",
            NewRemoteHost="",
            NewExternalPort=external_port,
            NewProtocol="TCP",
            NewInternalPort=port,
            NewInternalClient=str(self._own),
            NewEnabled=True,
            NewPortMappingDescription=DESCRIPTION,
            NewLeaseDuration=LEASE_S,
        )

    async def remove(self, external_port: int) -> None:
        """Remove a mapping.

        Raises:
            PortMappingError: the router refuses or does not answer.
        """
        await self._call(
            "DeletePortMapping", NewRemoteHost="", NewExternalPort=external_port, NewProtocol="TCP"
        )

    async def _call(self, action: str, **arguments: Any) -> dict[str, Any]:
        try:
            return dict(await self._service.action(action).async_call(**arguments))
        except UpnpActionError as error:
            raise RefusedError(error.error_code) from None
        except UpnpConnectionError:
            raise UnreachableError("the router does not answer") from None
        except Exception:  # noqa: BLE001 - whatever the library raises for an answer that is not valid
            raise PortMappingError("the router's answer is not valid") from None
