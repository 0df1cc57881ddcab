"""Looks for HomeKit accessories as a phone does, by the library zeroconf (PyPI). Speaks by lines.py.

   lan.py ADDRESS      on the network of that address of this host
"""

import asyncio
import socket
import sys
import time

from zeroconf import IPVersion, ServiceBrowser, ServiceInfo, Zeroconf

from lines import serve


class Verbs:
    async def look(self, seconds, **_):
        """Lists what is announced, with a cache that begins empty."""
        return await asyncio.to_thread(self.browse, seconds)

    def browse(self, seconds):
        found = {}
        zeroconf = Zeroconf(interfaces=[sys.argv[1]], ip_version=IPVersion.V4Only)

        class Listener:
            def add_service(self, zc, kind, name):
                if info := zc.get_service_info(kind, name, 1000):
                    text = {k.decode(): (v or b"").decode() for k, v in info.properties.items()}
                    found[name] = {"addresses": [socket.inet_ntoa(a) for a in info.addresses], "port": info.port, "text": text}

            def update_service(self, zc, kind, name):
                self.add_service(zc, kind, name)

            def remove_service(self, zc, kind, name):
                found.pop(name, None)

        ServiceBrowser(zeroconf, "_hap._tcp.local.", Listener())
        time.sleep(seconds)
        zeroconf.close()
        return found

    async def announce(self, name, port, text, **_):
        """Announces an accessory at that address of this host until the end."""
        self.own = getattr(self, "own", None) or Zeroconf(interfaces=[sys.argv[1]], ip_version=IPVersion.V4Only)
        info = ServiceInfo("_hap._tcp.local.", f"{name}._hap._tcp.local.", port=port, properties=text,
                           addresses=[socket.inet_aton(sys.argv[1])], server=f"{port}.local.")
        await asyncio.to_thread(self.own.register_service, info)

    async def call(self, address, port, **_):
        """Opens a connection."""
        socket.create_connection((address, port), 2).close()


asyncio.run(serve(Verbs()))
