# A device that keeps the vendor's programme by itself gets no write, however long the outage is.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison
room bath Bath
week 06:30=day 22:30=night
target day bath=21
target night bath=17
device v1 NRV room=bath face=accessory target=7..30/0.5

16:30 reading v1 target 21
16:30 view bath=schedule/21
16:41 probe cloud-down "Netatmo answers 503" every=15s lasting=5m
> 16:42:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503 since 16:41)
22:31 reading v1 target 17
06:29 reading v1 target 21
12:00 nothing
