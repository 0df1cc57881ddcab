"""A controller of the kind that Home Assistant uses, by the library aiohomekit (PyPI).

Addresses are fixed: nothing is searched for by multicast.
"""

import asyncio

from aiohomekit.characteristic_cache import CharacteristicCacheMemory
from aiohomekit.controller.ip.discovery import IpDiscovery
from aiohomekit.controller.ip.pairing import IpPairing
from aiohomekit.model import Categories
from aiohomekit.model.feature_flags import FeatureFlags
from aiohomekit.model.status_flags import StatusFlags
from aiohomekit.zeroconf import HAP_TYPE_TCP, HomeKitService

from lines import Paired, by_id, numbers, serve


class Controller:
    """What a pairing asks of the controller that it belongs to."""

    def __init__(self):
        self._char_cache = CharacteristicCacheMemory()
        self.pairings = {}
        self.aliases = {}


class Verbs(Paired):
    def __init__(self):
        self.controller = Controller()

    async def pair(self, address, device, code, **_):
        """Pairs by setup code."""
        host, port = address.split(":")
        found = IpDiscovery(self.controller, HomeKitService(
            name="bridge", id=device.lower(), model="", feature_flags=FeatureFlags(0), status_flags=StatusFlags(1),
            config_num=1, state_num=1, category=Categories(2), protocol_version="1.1", type=HAP_TYPE_TCP,
            address=host, addresses=[host], port=int(port)))
        finish = await found.async_start_pairing("bridge")
        self.adopt(await finish(code))
        return {"controller": self.pairing.pairing_data["iOSPairingId"]}

    async def join(self, address, accessory, accessoryKey, **_):
        """Uses that identity, which has been added."""
        host, port = address.split(":")
        self.adopt(IpPairing(self.controller, self.keys | {
            "AccessoryPairingID": accessory, "AccessoryLTPK": accessoryKey,
            "AccessoryIP": host, "AccessoryIPs": [host], "AccessoryPort": int(port), "Connection": "IP"}))

    async def subscribe(self, ids, **_):
        return by_id(await self.pairing.subscribe([numbers(name) for name in ids]))


asyncio.run(serve(Verbs()))
