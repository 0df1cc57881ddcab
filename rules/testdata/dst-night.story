# The October night has the hour from 2 to 3 twice: its slots come a second time, and nothing else does.
zone Europe/Paris
start 2025-10-26 00:30
home h1 Maison
room bath Bath
week 02:30=early 06:30=day 22:30=night
target early bath=19
target day bath=21
target night bath=17
device v1 NRV room=bath face=accessory target=7..30/0.5 obeys

00:30 reading v1 target 17
00:30 view bath=schedule/17
00:31 probe cloud-down "no connection" every=15s lasting=5m
> 00:32:30 authority: Netatmo is gone: the house is run from here (no connection since 00:31)
> 02:32:00 heating: Bath: NRV v1 is set to 19 °C (schedule Week, zone early)
> 02:32:00 accessory/v1/target = 19 until Sun 02:00 (schedule Week, zone early)
> 02:00:00 heating: Bath: NRV v1 is set to 17 °C (schedule Week, zone night)
> 02:00:00 accessory/v1/target = 17 until Sun 02:30 (schedule Week, zone night)
> 02:30:00 heating: Bath: NRV v1 is set to 19 °C (schedule Week, zone early)
> 02:30:00 accessory/v1/target = 19 until Sun 06:30 (schedule Week, zone early)
> 06:30:00 heating: Bath: NRV v1 is set to 21 °C (schedule Week, zone day)
> 06:30:00 accessory/v1/target = 21 until Sun 22:30 (schedule Week, zone day)
07:00 nothing
