"""A controller of the kind that Home Assistant uses, over Bluetooth LE, by the library aiohomekit (PyPI).

There is no radio: in place of a connection, GATT goes line by line through the unix socket that is named.
"""

import asyncio
import json

from aiohomekit.characteristic_cache import CharacteristicCacheMemory
from aiohomekit.controller.ble import discovery as ble_discovery
from aiohomekit.controller.ble import pairing as ble_pairing
from aiohomekit.controller.ble.bleak import AIOHomeKitBleakClient, CHAR_DESCRIPTOR_ID
from aiohomekit.controller.ble.controller import BleController
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError

from lines import Paired, numbers, serve

APPLE = 76


class Wire:
    """The other end of the socket: one connection of the simulated accessory at a time."""

    def __init__(self, path):
        self.path = path
        self.waiting = {}
        self.number = 0
        self.notified = {}

    async def open(self):
        self.reader, self.writer = await asyncio.open_unix_connection(self.path, limit=1 << 20)
        self.task = asyncio.create_task(self._read())
        self.open_now = True

    async def _read(self):
        while line := await self.reader.readline():
            answer = json.loads(line)
            if number := answer.get("id"):
                self.waiting.pop(number).set_result(answer)
            elif callback := self.notified.get(answer.get("notify")):
                callback(0, b"")
        self.open_now = False
        for future in self.waiting.values():
            future.set_exception(BleakError("the connection is lost"))
        self.waiting.clear()

    async def ask(self, do, **more):
        if not self.open_now:
            raise BleakError("the connection is lost")
        self.number += 1
        future = self.waiting[self.number] = asyncio.get_running_loop().create_future()
        self.writer.write(json.dumps({"id": self.number, "do": do, **more}).encode() + b"\n")
        answer = await future
        if "error" in answer:
            raise BleakError(answer["error"])
        return answer.get("answer")

    async def close(self):
        self.writer.close()
        await self.task


class Client(AIOHomeKitBleakClient):
    """bleak's client with the wire in place of a backend."""

    def __init__(self, device, wire, mtu, disconnected):
        self.wire, self.mtu, self.disconnected, self.device = wire, mtu, disconnected, device
        self._char_cache, self._iid_cache = {}, {}
        self._AIOHomeKitBleakClient__name = device.name

    address = property(lambda self: self.device.address)
    is_connected = property(lambda self: self.wire.open_now)
    mtu_size = property(lambda self: self.mtu)
    services = property(lambda self: self.collection)

    async def learn(self):
        self.collection = BleakGATTServiceCollection()
        self.handles, seen = {}, {}
        for number, a in enumerate(await self.wire.ask("attributes")):
            service = seen.get(a["service"])
            if service is None:
                service = seen[a["service"]] = BleakGATTService(None, 10_000 + a["service"], a["within"].lower())
                self.collection.add_service(service)
            handle = 100 + 10 * number
            c = BleakGATTCharacteristic(None, handle, a["kind"].lower(), ["read", "write", "notify"], lambda: self.mtu - 3, service)
            self.collection.add_characteristic(c)
            self.handles[handle] = a["handle"]
            if not a["handle"].endswith("/id"):
                self.collection.add_descriptor(BleakGATTDescriptor(None, handle + 1, CHAR_DESCRIPTOR_ID.lower(), c))

    def _named(self, what):
        return self.handles[what if isinstance(what, int) else what.handle]

    async def read_gatt_char(self, char, **_):
        return bytearray.fromhex(await self.wire.ask("read", handle=self._named(char)))

    async def read_gatt_descriptor(self, handle, **_):
        return bytearray.fromhex(await self.wire.ask("descriptor", handle=self.handles[handle - 1]))

    async def write_gatt_char(self, char, data, response=None):
        await self.wire.ask("write", handle=self._named(char), value=bytes(data).hex())

    async def start_notify(self, char, callback, **_):
        self.wire.notified[self._named(char)] = callback
        await self.wire.ask("notify", handle=self._named(char))

    async def clear_cache(self):
        return True

    async def disconnect(self):
        if self.wire.open_now:
            await self.wire.close()
        self.disconnected(self)


class Verbs(Paired):
    async def begin(self, socket, mtu, **_):
        self.socket, self.mtu = socket, mtu
        self.controller = BleController(CharacteristicCacheMemory())
        ble_pairing.establish_connection = ble_discovery.establish_connection = self._connect

    async def _connect(self, device, name, disconnected, **_):
        wire = Wire(self.socket)
        await wire.open()
        client = Client(device, wire, self.mtu, disconnected)
        await client.learn()
        return client

    async def hear(self, address, data, **_):
        """Hears an advertisement."""
        self.controller._device_detected(
            BLEDevice(address, "Smart CO Alarm", None),
            AdvertisementData("Smart CO Alarm", {APPLE: bytes.fromhex(data)}, {}, [], None, -60, ()))

    async def pair(self, device, code, **_):
        found = await self.controller.async_find(device.lower())
        finish = await found.async_start_pairing("alarm")
        paired = await finish(code)
        await paired.close()
        data = dict(paired.pairing_data)
        self.adopt(self.controller.load_pairing("alarm", data))
        return {"controller": data["iOSPairingId"]}

    async def join(self, accessory, accessoryKey, address, **_):
        """Uses the identity that has been added."""
        self.adopt(self.controller.load_pairing("joined", self.keys | {
            "AccessoryPairingID": accessory, "AccessoryLTPK": accessoryKey, "AccessoryAddress": address, "Connection": "BLE"}))

    async def subscribe(self, ids, **_):
        await self.pairing.subscribe([numbers(name) for name in ids])

    async def broadcasts(self, **_):
        """Has the key of notifications made and asks for them."""
        await self.pairing._async_set_broadcast_encryption_key()


asyncio.run(serve(Verbs()))
