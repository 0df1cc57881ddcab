"""Home Assistant itself (PyPI), without a screen: its core, its MQTT integration and what that needs.

Not started are the parts that Home Assistant adds unasked (frontend, analytics, cloud, discovery of other devices):
they would ask hosts on the internet. Everything between the broker and the state machine is Home Assistant's own.
"""

import asyncio
import sys

from homeassistant import bootstrap, runner
from homeassistant.config_entries import ConfigEntryState
from homeassistant.helpers import device_registry, entity_registry

from lines import serve, say


class Verbs:
    """What the tests ask of it."""

    def __init__(self, house):
        self.house = house

    async def broker(self, host, port, **_):
        """Adds the MQTT integration as its dialogue does, and answers once that is connected."""
        flows = self.house.config_entries.flow
        step = await flows.async_init("mqtt", context={"source": "user"})
        step = await flows.async_configure(step["flow_id"], {"broker": host, "port": port, "other_settings": {"set_client_cert": False, "set_ca_cert": "off"}})
        while step["type"] == "menu":
            step = await flows.async_configure(step["flow_id"], {"next_step_id": step["menu_options"][0]})
        entry = step.get("result")
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            raise RuntimeError(f"the MQTT integration is not loaded: {step}")
        return {}

    async def entities(self, **_):
        """All entities that came over MQTT, by unique id, as they are now."""
        devices = device_registry.async_get(self.house)
        found = {}
        for entity in entity_registry.async_get(self.house).entities.values():
            if entity.platform != "mqtt":
                continue
            state = self.house.states.get(entity.entity_id)
            device = devices.async_get(entity.device_id) if entity.device_id else None
            found[entity.unique_id] = {
                "id": entity.entity_id, "platform": entity.domain, "category": entity.entity_category,
                "device": device and device.name, "by": device and device.manufacturer, "version": device and device.sw_version,
                "state": state.state if state else "", "attributes": dict(state.attributes) if state else {},
            }
        return found

    async def act(self, domain, service, data, **_):
        """Does what a tap in Home Assistant does."""
        await self.house.services.async_call(domain, service, data, blocking=True)
        return {}

    async def picture(self, entity, **_):
        """The size of an image entity's picture, and how it begins."""
        picture = await self.house.data["image"].get_entity(entity).async_image()
        return {"bytes": len(picture or b""), "begins": (picture or b"")[:3].hex()}


async def main(folder):
    bootstrap.DEFAULT_INTEGRATIONS.clear()
    bootstrap.CRITICAL_INTEGRATIONS.clear()
    house = await bootstrap.async_setup_hass(runner.RuntimeConfig(config_dir=folder, skip_pip=True, log_no_color=True))
    await house.async_start()
    say(news="running")
    await serve(Verbs(house))
    await house.async_stop(force=True)


asyncio.run(main(sys.argv[1]))
