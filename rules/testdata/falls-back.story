# What is written over the LAN the vendor's device takes for a manual set point of the home's usual time. Then
# it falls back to its own programme, an old one here: one write each time, and that is nobody's hand.
zone Europe/Paris
start 2025-10-29 12:00
home h1 Maison default=3h
room bath Bath
week 06:30=day 22:30=night
target day bath=20
target night bath=17
device v1 NRV room=bath face=accessory target=7..30/0.5 obeys

12:00 reading v1 target 20
12:00 view bath=schedule/20
12:10 probe cloud-down "Netatmo answers 503" every=15s lasting=2m
> 12:11:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503 since 12:10)
13:00 reading v1 target 16
> 13:00:00 wish: Bath: 16 °C until 16:00 (somebody turned NRV v1 from 20 to 16)
> 16:00:00 heating: Bath follows the home again (16 °C was set until 16:00)
16:00:10 reading v1 target 15
> 16:02:00 heating: Bath: NRV v1 is set to 20 °C (schedule Week, zone day)
> 16:02:00 accessory/v1/target = 20 until Wed 22:30 (schedule Week, zone day)
19:03 reading v1 target 15
> 19:05:00 heating: Bath: NRV v1 is set to 20 °C (schedule Week, zone day)
> 19:05:00 accessory/v1/target = 20 until Wed 22:30 (schedule Week, zone day)
22:06 reading v1 target 15
> 22:08:00 heating: Bath: NRV v1 is set to 20 °C (schedule Week, zone day)
> 22:08:00 accessory/v1/target = 20 until Wed 22:30 (schedule Week, zone day)
> 22:30:00 heating: Bath: NRV v1 is set to 17 °C (schedule Week, zone night)
> 22:30:00 accessory/v1/target = 17 until Thu 06:30 (schedule Week, zone night)
01:31 reading v1 target 15
> 01:33:00 heating: Bath: NRV v1 is set to 17 °C (schedule Week, zone night)
> 01:33:00 accessory/v1/target = 17 until Thu 06:30 (schedule Week, zone night)
02:00 nothing
