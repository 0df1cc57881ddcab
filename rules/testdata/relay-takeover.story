# Taking over makes no jolt: the relay is read, left as it is, and changed no sooner than its minimum time
# allows. Handing back lets the lease run out.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison
room bath Bath
week 06:30=day
target day bath=21
device v1 NRV room=bath face=accessory
relay boiler rooms=bath heats=boiler obeys

16:30 reading boiler relay yes from=mqtt
16:30 reading v1 temperature 19
16:30 view bath=schedule/21
16:41 probe cloud-down "503" every=15s lasting=2m
> 16:42:30 authority: Netatmo is gone: the house is run from here (503 since 16:41)
> 16:43:00 mqtt/boiler/relay = yes until Wed 16:58 (Bath: 19.0 °C, 21.0 wished; the room is not known yet)
16:45 reading v1 temperature 19.2
> 16:48:00 mqtt/boiler/relay = yes until Wed 17:03 (Bath: 19.2 °C, 21.0 wished; the room is not known yet)
> 16:53:00 mqtt/boiler/relay = yes until Wed 17:08 (Bath: 19.2 °C, 21.0 wished; the room is not known yet)
16:55 reading v1 temperature 20.1
> 16:58:00 mqtt/boiler/relay = yes until Wed 17:13 (Bath: 20.1 °C, 21.0 wished; the room is not known yet)
17:00 reading v1 temperature 21.5
> 17:00:10 heating: boiler is switched off (no room asks for heat)
> 17:00:10 mqtt/boiler/relay = no (no room asks for heat)
17:15 reading v1 temperature 21.2
17:20 reading v1 temperature 20.5
> 17:20:10 heating: boiler is switched on (Bath: 20.5 °C, 21.0 wished; the room is not known yet)
> 17:20:10 mqtt/boiler/relay = yes until Wed 17:35 (Bath: 20.5 °C, 21.0 wished; the room is not known yet)
> 17:25:10 mqtt/boiler/relay = yes until Wed 17:40 (Bath: 20.5 °C, 21.0 wished; the room is not known yet)
17:30 probe ok "Netatmo answers" every=20s lasting=2m
> 17:30:10 mqtt/boiler/relay = yes until Wed 17:45 (Bath: 20.5 °C, 21.0 wished; the room is not known yet)
> 17:30:20 netatmo/h1/look = 2025-10-29T16:30:00Z (Netatmo may be back)
> 17:30:30 netatmo/h1/look = 2025-10-29T16:30:30Z (Netatmo may be back)
> 17:31:00 netatmo/h1/look = 2025-10-29T16:31:00Z (Netatmo may be back)
> 17:31:30 netatmo/h1/look = 2025-10-29T16:31:30Z (Netatmo may be back)
> 17:32:00 netatmo/h1/look = 2025-10-29T16:32:00Z (Netatmo may be back)
> 17:32:30 netatmo/h1/look = 2025-10-29T16:32:30Z (Netatmo may be back)
17:33 view bath=schedule/21
17:33:10 probe ok "Netatmo answers" every=20s lasting=5m
> 17:33:20 authority: the house is handed back to Netatmo (it has answered since 17:30; it was gone for 52m)
> 17:33:20 return: boiler is left alone: its lease runs out by itself (Netatmo is in charge)
> 17:45:10 boiler switches off by itself: its lease is over
18:00 nothing
