# HomeKit's thermostats begin at 10 °C: the frost guard's 7 °C cannot be told. It is said, the floor holds all
# the more, and Off is never sent; a device that shows 7 °C by itself is left alone.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison
room bath Bath
room hall Hall
week 06:30=day
target day bath=20 hall=20
device t1 NATherm1 room=bath face=accessory target=10..38/0.1 obeys
device t2 NATherm1 room=hall face=accessory target=10..38/0.1

16:30 reading t1 target 20
16:30 reading t2 target 20
16:30 view bath=schedule/20 hall=schedule/20
16:41 probe cloud-down "Netatmo answers 503" every=15s lasting=2m
> 16:42:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503 since 16:41)
17:00 wish page mode frost
> 17:00:00 mode: the home's mode frost (asked for in page)
17:01 reading t2 target 7
> 17:02:00 heating: Bath: NATherm1 t1 is set to 10 °C (the home is on frost guard; the device goes no further than 10 °C)
> 17:02:00 accessory/t1/target = 10 (the home is on frost guard; the device goes no further than 10 °C)
18:00 wish "Home app" bath off
> 18:00:00 wish: Bath is switched off, down to the frost floor (asked for in Home app)
19:00 wish MQTT bath 21.26 for=1h
> 19:00:00 wish: Bath: 21.3 °C until 20:00 (asked for in MQTT)
> 19:00:00 heating: Bath: NATherm1 t1 is set to 21.3 °C (set in MQTT until 20:00, then frost guard)
> 19:00:00 accessory/t1/target = 21.3 until Wed 20:00 (set in MQTT until 20:00, then frost guard)
> 20:00:00 heating: Bath follows the home again (21.3 °C was set until 20:00)
> 20:00:00 heating: Bath: NATherm1 t1 is set to 10 °C (the home is on frost guard; the device goes no further than 10 °C)
> 20:00:00 accessory/t1/target = 10 (the home is on frost guard; the device goes no further than 10 °C)
21:00 nothing
