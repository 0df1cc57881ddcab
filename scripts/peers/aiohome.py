"""A controller of the kind that Home Assistant uses, by the library aiohomekit (PyPI).

It speaks as lines.js does: one JSON object a line asks, one answers, those without "id" are news.
Addresses are fixed: nothing is searched for by multicast.
"""

import asyncio
import json
import sys
import uuid

from aiohomekit.characteristic_cache import CharacteristicCacheMemory
from aiohomekit.controller.ip.discovery import IpDiscovery
from aiohomekit.controller.ip.pairing import IpPairing
from aiohomekit.model import Categories
from aiohomekit.model.feature_flags import FeatureFlags
from aiohomekit.model.status_flags import StatusFlags
from aiohomekit.zeroconf import HAP_TYPE_TCP, HomeKitService
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class Controller:
    """What a pairing asks of the controller that it belongs to."""

    def __init__(self):
        self._char_cache = CharacteristicCacheMemory()
        self.pairings = {}
        self.aliases = {}


def say(**news):
    print(json.dumps(news), flush=True)


def by_id(values):
    return {f"{aid}.{iid}": value for (aid, iid), value in values.items()}


def numbers(name):
    aid, iid = name.split(".")
    return int(aid), int(iid)


class Verbs:
    def __init__(self):
        self.controller = Controller()
        self.pairing = None

    def _adopt(self, pairing):
        self.pairing = pairing
        pairing.dispatcher_connect(self._heard)

    @staticmethod
    def _heard(event):
        if event:
            say(news="event", characteristics=by_id(event))

    async def pair(self, address, device, code, **_):
        """Pairs by setup code."""
        host, port = address.split(":")
        found = IpDiscovery(self.controller, HomeKitService(
            name="bridge", id=device.lower(), model="", feature_flags=FeatureFlags(0), status_flags=StatusFlags(1),
            config_num=1, state_num=1, category=Categories(2), protocol_version="1.1", type=HAP_TYPE_TCP,
            address=host, addresses=[host], port=int(port)))
        finish = await found.async_start_pairing("bridge")
        self._adopt(await finish(code))
        return {"controller": self.pairing.pairing_data["iOSPairingId"]}

    async def identity(self, **_):
        """Makes the keys of a controller that somebody else adds."""
        key = Ed25519PrivateKey.generate()
        raw = serialization.Encoding.Raw
        self.keys = {
            "iOSPairingId": str(uuid.uuid4()),
            "iOSDeviceLTSK": key.private_bytes(raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()).hex(),
            "iOSDeviceLTPK": key.public_key().public_bytes(raw, serialization.PublicFormat.Raw).hex(),
        }
        return {"controller": self.keys["iOSPairingId"], "key": self.keys["iOSDeviceLTPK"]}

    async def join(self, address, accessory, accessoryKey, **_):
        """Uses that identity, which has been added."""
        host, port = address.split(":")
        self._adopt(IpPairing(self.controller, self.keys | {
            "AccessoryPairingID": accessory, "AccessoryLTPK": accessoryKey,
            "AccessoryIP": host, "AccessoryIPs": [host], "AccessoryPort": int(port), "Connection": "IP"}))

    async def accessories(self, **_):
        return {"accessories": await self.pairing.list_accessories_and_characteristics()}

    async def pairings(self, **_):
        return await self.pairing.list_pairings()

    async def read(self, ids, **_):
        return by_id(await self.pairing.get_characteristics([numbers(name) for name in ids]))

    async def write(self, values, **_):
        """Answers the values that were refused."""
        return by_id(await self.pairing.put_characteristics(
            [(*numbers(name), value) for name, value in values.items()]))

    async def subscribe(self, ids, **_):
        return by_id(await self.pairing.subscribe([numbers(name) for name in ids]))

    async def unpair(self, controller, **_):
        await self.pairing.remove_pairing(controller)

    async def close(self, **_):
        await self.pairing.close()


async def answer(verbs, request):
    number, verb = request.pop("id"), request.pop("do")
    try:
        say(id=number, answer=await getattr(verbs, verb)(**request))
    except Exception as why:  # whatever the library raises is the answer
        say(id=number, error=f"{type(why).__name__}: {why}")


async def main():
    lines = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    verbs, running = Verbs(), set()
    while line := await lines.readline():
        task = asyncio.create_task(answer(verbs, json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)


asyncio.run(main())
