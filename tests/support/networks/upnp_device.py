"""An Internet Gateway Device on loopback that answers as a test wants: miniupnpd never misbehaves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from tallow.app.channels.tcp.port_mapping.local_network import LocalNetwork

ADDRESS: Final = "127.0.0.2"
NETWORK: Final = LocalNetwork(IPv4Address("127.0.0.1"), IPv4Network("127.0.0.0/8"), IPv4Address(ADDRESS))
SERVICE: Final = "urn:schemas-upnp-org:service:WANIPConnection:1"
PUBLIC: Final = "9.9.9.9"

_ARGUMENTS: Final = {
    "GetExternalIPAddress": (("NewExternalIPAddress", "out"),),
    "AddPortMapping": tuple(
        (name, "in")
        for name in (
            *("NewRemoteHost", "NewExternalPort", "NewProtocol", "NewInternalPort", "NewInternalClient"),
            *("NewEnabled", "NewPortMappingDescription", "NewLeaseDuration"),
        )
    ),
    "DeletePortMapping": tuple((name, "in") for name in ("NewRemoteHost", "NewExternalPort", "NewProtocol")),
}
_TYPES: Final = {
    "NewExternalPort": "ui2",
    "NewInternalPort": "ui2",
    "NewEnabled": "boolean",
    "NewLeaseDuration": "ui4",
}

Answer = Callable[[str, str], str | bytes | None]
"""Gets the action (or the path of a description) and the body, and returns the answer: the content of the
action's answer, the whole of it as bytes, or None: no answer at all."""


@dataclass
class GatewayDevice:
    """A running device.

    Attributes:
        answer: see :data:`Answer`; by default it behaves as a router.
        control: the control URL of its description.
        services: how many services it describes.
        external: the address that it tells.
        mapped: its mappings: internal ports by external ones.
        actions: the actions that were called, in order.
    """

    answer: Answer | None = None
    control: str = "/control"
    services: int = 1
    external: str = PUBLIC
    port: int = 0
    mapped: dict[int, int] = field(default_factory=dict)
    actions: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @property
    def location(self) -> str:
        return f"http://{ADDRESS}:{self.port}/root.xml"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(asyncio.IncompleteReadError, OSError):
                await self._serve(reader, writer)
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"(?i)content-length: (\d+)", head)
        body = (await reader.readexactly(int(length[1]))).decode() if length else ""
        action = re.search(r'(?i)soapaction: "[^#]*#(\w+)"', head)
        path = head.split(" ")[1]
        (self.actions if action else self.paths).append(action[1] if action else path)
        found = (self.answer or self.behave)(action[1] if action else path, body)
        if found is None:
            await reader.read()  # until the client gives up
        elif isinstance(found, bytes):
            writer.write(found)
        else:
            content = _envelope(action[1], found) if action else found
            writer.write(response(content))
        await writer.drain()

    def behave(self, called: str, body: str) -> str | bytes | None:
        """What a router answers."""
        if called == "/root.xml":
            return self._description()
        if called.startswith("/"):
            return _scpd()
        values = dict(re.findall(r"<(New\w+)>([^<]*)</", body))
        if called == "AddPortMapping":
            self.mapped[int(values["NewExternalPort"])] = int(values["NewInternalPort"])
        if called == "DeletePortMapping":
            self.mapped.pop(int(values["NewExternalPort"]), None)
        known = called == "GetExternalIPAddress"
        return f"<NewExternalIPAddress>{self.external}</NewExternalIPAddress>" if known else ""

    def _description(self) -> str:
        service = (
            f"<service><serviceType>{SERVICE}</serviceType><serviceId>x</serviceId><SCPDURL>/scpd.xml</SCPDURL>"
            f"<controlURL>{self.control}</controlURL><eventSubURL>/events</eventSubURL></service>"
        )
        kind = "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
        return (
            '<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device>'
            f"<deviceType>{kind}</deviceType><serviceList>{service * self.services}</serviceList>"
            "</device></root>"
        )


def fault(code: int) -> bytes:
    """A SOAP fault with a UPnP error."""
    detail = f'<UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>{code}</errorCode></UPnPError>'
    body = f"<s:Fault><faultcode>s:Client</faultcode><detail>{detail}</detail></s:Fault>"
    return response(_soap(body), "500 Internal Server Error")


def response(content: str, status: str = "200 OK") -> bytes:
    """An HTTP answer."""
    return (
        f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n{content}".encode()
    )


@asynccontextmanager
async def gateway_device(**options: object) -> AsyncIterator[GatewayDevice]:
    """Run a device."""
    device = GatewayDevice(**options)  # type: ignore[arg-type]
    server = await asyncio.start_server(device.serve, ADDRESS, 0)
    device.port = server.sockets[0].getsockname()[1]
    try:
        yield device
    finally:
        server.close()


def _envelope(action: str, content: str) -> str:
    return _soap(f'<u:{action}Response xmlns:u="{SERVICE}">{content}</u:{action}Response>')


def _soap(body: str) -> str:
    space = 'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    return f'<?xml version="1.0"?><s:Envelope {space}><s:Body>{body}</s:Body></s:Envelope>'


def _scpd() -> str:
    actions = "".join(
        f"<action><name>{name}</name><argumentList>{''.join(map(_argument, each))}</argumentList></action>"
        for name, each in _ARGUMENTS.items()
    )
    names = sorted({name for arguments in _ARGUMENTS.values() for name, _ in arguments})
    variables = "".join(
        f'<stateVariable sendEvents="no"><name>{name}</name><dataType>{_TYPES.get(name, "string")}</dataType>'
        "</stateVariable>"
        for name in names
    )
    return (
        '<?xml version="1.0"?><scpd xmlns="urn:schemas-upnp-org:service-1-0">'
        f"<actionList>{actions}</actionList><serviceStateTable>{variables}</serviceStateTable></scpd>"
    )


def _argument(argument: tuple[str, str]) -> str:
    name, direction = argument
    return (
        f"<argument><name>{name}</name><direction>{direction}</direction>"
        f"<relatedStateVariable>{name}</relatedStateVariable></argument>"
    )
