# Ten days without the cloud: the device that keeps its programme gets no write at all.
zone Europe/Paris
start 2025-10-22 16:30
home h1 Maison
room bath Bath
week 06:30=day 22:30=night
target day bath=21
target night bath=17
device v1 NRV room=bath face=accessory target=7..30/0.5

16:30 reading v1 target 21
16:30 view bath=schedule/21
16:41 probe cloud-down "Netatmo answers 503" every=15s lasting=5m
> 16:42:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503, for 1m30s)
22:31 reading v1 target 17
06:29 reading v1 target 21
22:31 reading v1 target 17
06:29 reading v1 target 21
22:31 reading v1 target 17
06:29 reading v1 target 21
22:31 reading v1 target 17
06:29 reading v1 target 21
22:31 reading v1 target 17
06:29 reading v1 target 21
22:31 reading v1 target 17
06:29 reading v1 target 21
22:31 reading v1 target 17
06:29 reading v1 target 21
22:31 reading v1 target 17
06:29 reading v1 target 21
22:31 reading v1 target 17
06:29 reading v1 target 21
22:31 reading v1 target 17
06:29 reading v1 target 21
12:00 nothing
