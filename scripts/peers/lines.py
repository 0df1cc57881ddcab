"""How the controllers in Python speak, as lines.js does: one JSON object a line asks, one answers, those without "id"
are news."""

import asyncio
import json
import sys
import uuid

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def say(**news):
    print(json.dumps(news), flush=True)


def by_id(values):
    return {f"{aid}.{iid}": value for (aid, iid), value in values.items()}


def numbers(name):
    aid, iid = name.split(".")
    return int(aid), int(iid)


class Paired:
    """The verbs of a controller once its pairing is there."""

    pairing = None

    def adopt(self, pairing):
        self.pairing = pairing
        pairing.dispatcher_connect(lambda event: event and say(news="event", characteristics=by_id(event)))

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

    async def accessories(self, **_):
        return {"accessories": await self.pairing.list_accessories_and_characteristics()}

    async def pairings(self, **_):
        return await self.pairing.list_pairings()

    async def read(self, ids, **_):
        return by_id(await self.pairing.get_characteristics([numbers(name) for name in ids]))

    async def write(self, values, **_):
        """Answers the values that were refused."""
        return by_id(await self.pairing.put_characteristics([(*numbers(name), value) for name, value in values.items()]))

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


async def serve(verbs):
    lines, running = asyncio.StreamReader(limit=1 << 20), set()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        task = asyncio.create_task(answer(verbs, json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)
