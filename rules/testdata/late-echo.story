# A device that is slow shows what was written to it when something else was asked of it already: that is
# nobody's hand.
zone Europe/Paris
start 2025-10-29 12:00
home h1 Maison default=3h
room bath Bath
week 06:30=day
target day bath=20
device v1 NRV room=bath face=accessory target=7..30/0.5

12:00 reading v1 target 20
12:00 view bath=schedule/20
12:10 probe cloud-down "Netatmo answers 503" every=15s lasting=2m
> 12:11:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503 since 12:10)
13:00 wish MQTT bath 23 for=3h
> 13:00:00 wish: Bath: 23 °C until 16:00 (asked for in MQTT)
> 13:00:00 heating: Bath: NRV v1 is set to 23 °C (set in MQTT until 16:00, then schedule)
> 13:00:00 accessory/v1/target = 23 until Wed 16:00 (set in MQTT until 16:00, then schedule)
13:00:10 wish MQTT bath 18 for=3h
> 13:00:10 wish: Bath: 18 °C until 16:00 (asked for in MQTT)
> 13:00:10 heating: Bath: NRV v1 is set to 18 °C (set in MQTT until 16:00, then schedule)
> 13:00:10 accessory/v1/target = 18 until Wed 16:00 (set in MQTT until 16:00, then schedule)
13:00:20 reading v1 target 23
13:00:30 reading v1 target 18
13:10 reading v1 target 23
> 13:10:00 wish: Bath: 23 °C until 16:10 (somebody turned NRV v1 from 18 to 23)
13:12 nothing
