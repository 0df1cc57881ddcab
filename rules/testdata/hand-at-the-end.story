# A device ends after the home's usual time what was written to it. A hand may turn it at that very minute:
# what nobody planned, and the device never showed by itself, is a hand's.
zone Europe/Paris
start 2025-10-29 12:00
home h1 Maison default=3h
room bath Bath
room hall Hall
week 06:30=day 22:30=night
target day bath=20 hall=20
target night bath=17 hall=17
device v1 NRV room=bath face=accessory target=7..30/0.5 obeys
device v2 NRV room=hall face=accessory target=7..30/0.5 obeys

12:00 reading v1 target 20
12:00 reading v2 target 20
12:00 view bath=schedule/20 hall=schedule/20
12:10 probe cloud-down "Netatmo answers 503" every=15s lasting=2m
> 12:11:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503 since 12:10)
13:00 wish MQTT bath off
> 13:00:00 wish: Bath is switched off, down to the frost floor (asked for in MQTT)
> 13:00:00 heating: Bath: NRV v1 is set to 7 °C (switched off in MQTT; the frost floor stays)
> 13:00:00 accessory/v1/target = 7 (switched off in MQTT; the frost floor stays)
13:01 wish MQTT hall off
> 13:01:00 wish: Hall is switched off, down to the frost floor (asked for in MQTT)
> 13:01:00 heating: Hall: NRV v2 is set to 7 °C (switched off in MQTT; the frost floor stays)
> 13:01:00 accessory/v2/target = 7 (switched off in MQTT; the frost floor stays)
16:00:30 reading v1 target 26
> 16:00:30 wish: Bath: 26 °C until 19:00 (somebody turned NRV v1 from 7 to 26)
16:01 reading v2 target 20
> 16:03:00 heating: Hall: NRV v2 is set to 7 °C (switched off in MQTT; the frost floor stays)
> 16:03:00 accessory/v2/target = 7 (switched off in MQTT; the frost floor stays)
16:10 nothing
