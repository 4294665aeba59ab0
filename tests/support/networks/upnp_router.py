"""A router between a network namespace and the others: NAT by the kernel, and Debian's miniupnpd."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from support.networks.namespaces import Network, run
from support.programs.debian import environment, program

RULES: Final = """
table inet filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "lan" accept
    jump miniupnpd
  }
  chain miniupnpd { }
  chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
  chain prerouting_miniupnpd { }
  chain postrouting {
    type nat hook postrouting priority 100;
    jump postrouting_miniupnpd
    oifname != "lan" masquerade
  }
  chain postrouting_miniupnpd { }
}
"""
SETTINGS: Final = """
ext_ifname={wan}
listening_ip=lan
http_port=0
enable_upnp=yes
enable_natpmp=no
secure_mode=yes
uuid=4d2a1c2e-0000-4000-8000-000000000018
upnp_table_name=filter
upnp_nat_table_name=filter
lease_file={folder}/leases
allow 1024-65535 0.0.0.0/0 1024-65535
"""
LAN: Final = "192.168.77"


@dataclass(frozen=True)
class NatRouter:
    """The router of one host, which stands behind it with the address ``192.168.77.2``."""

    network: Network
    namespace: str

    def mapped_ports(self) -> list[str]:
        """The destinations that the kernel maps, as nftables prints them."""
        nft = program("nft")
        command = (str(nft), "list", "chain", "inet", "filter", "prerouting_miniupnpd")
        text = run(*self.network.inside(self.namespace, *command), env=environment(nft))
        return [line.rpartition("dnat ip to ")[2] for line in text.splitlines() if "dnat" in line]


@contextlib.asynccontextmanager
async def behind_router(
    network: Network, side: int, folder: Path, *, upnp: bool = True
) -> AsyncIterator[tuple[Network, NatRouter]]:
    """The network with one host behind a NAT of its own, which drops what comes in from outside.

    The host becomes the router, with a namespace behind it. Skips where the kernel has no nftables.

    Args:
        folder: for miniupnpd's files.
        upnp: whether miniupnpd maps ports.
    """
    outer, inner = network.hosts[side], f"{network.hosts[side]}n"
    made = replace(network, hosts=(inner, network.hosts[1]) if side == 0 else (network.hosts[0], inner))
    router = NatRouter(made, outer)
    try:
        _add_lan(network, outer, inner)
        _load_rules(network, outer)
        async with contextlib.AsyncExitStack() as stack:
            if upnp:
                await stack.enter_async_context(_miniupnpd(network, outer, folder))
            yield made, router
    finally:
        subprocess.run(["ip", "netns", "del", inner], check=False, capture_output=True)


def _add_lan(network: Network, outer: str, inner: str) -> None:
    run("ip", "netns", "add", inner)
    run("ip", "link", "add", "lan0", "netns", inner, "type", "veth", "peer", "name", "lan", "netns", outer)
    for namespace, device, last in ((inner, "lan0", 2), (outer, "lan", 1)):
        run(*network.inside(namespace, "ip", "addr", "add", f"{LAN}.{last}/24", "dev", device))
        run(*network.inside(namespace, "ip", "link", "set", device, "up"))
    run(*network.inside(inner, "ip", "link", "set", "lo", "up"))
    run(*network.inside(inner, "ip", "route", "add", "default", "via", f"{LAN}.1"))
    run(*network.inside(outer, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"))


def _load_rules(network: Network, outer: str) -> None:
    nft = program("nft")
    done = subprocess.run(
        network.inside(outer, str(nft), "-f", "-"),
        input=RULES,
        capture_output=True,
        text=True,
        check=False,
        env=environment(nft),
    )
    if done.returncode != 0:
        pytest.skip(f"this kernel cannot do it: {done.stderr.splitlines()[0]}")


@contextlib.asynccontextmanager
async def _miniupnpd(network: Network, outer: str, folder: Path) -> AsyncIterator[None]:
    daemon, settings = program("miniupnpd"), folder / "miniupnpd.conf"
    settings.write_text(SETTINGS.format(wan=f"{outer}0", folder=folder))
    (folder / "leases").touch()
    process = await asyncio.create_subprocess_exec(
        *network.inside(outer, str(daemon), "-d", "-f", str(settings), "-P", str(folder / "miniupnpd.pid")),
        env=environment(daemon),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr
    announced = b""
    while b"HTTP listening on port" not in announced:
        announced = await process.stderr.readline()
        assert announced, "miniupnpd has not started"
    draining = asyncio.create_task(process.stderr.read())
    try:
        yield
    finally:
        process.terminate()
        await process.wait()
        await draining
