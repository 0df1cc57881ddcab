# A cloud that comes and goes keeps the house here for an hour and more, and answers most of that time. The
# plan is kept all the while: at a slot the device that does not follow is written to. A hand at a device is
# a wish, and what the vendor's app has set is taken over as soon as it shows, with its own end.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison default=3h
room bath Bath
room hall Hall
week 06:30=day 17:40=evening
target day bath=20 hall=18
target evening bath=22 hall=18
device v1 NRV room=bath face=accessory target=7..30/0.5 obeys
device v2 NRV room=hall face=accessory target=7..30/0.5 obeys

16:30 reading v1 target 20
16:30 reading v2 target 18
16:30 view bath=schedule/20 hall=schedule/18
17:00 probe cloud-down "Netatmo answers 503" every=15s lasting=4m45s
> 17:01:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503 since 17:00)
17:05 probe ok "Netatmo answers" every=15s lasting=1m45s
> 17:05:45 netatmo/h1/look = 2025-10-29T16:05:30Z (Netatmo may be back)
> 17:06:00 netatmo/h1/look = 2025-10-29T16:06:00Z (Netatmo may be back)
> 17:06:30 netatmo/h1/look = 2025-10-29T16:06:30Z (Netatmo may be back)
17:07 view bath=schedule/20 hall=schedule/18
17:07:15 probe ok "Netatmo answers" every=15s lasting=2m30s
> 17:07:30 netatmo/h1/look = 2025-10-29T16:07:30Z (Netatmo may be back)
> 17:08:00 netatmo/h1/look = 2025-10-29T16:08:00Z (Netatmo may be back)
> 17:08:30 netatmo/h1/look = 2025-10-29T16:08:30Z (Netatmo may be back)
> 17:09:00 netatmo/h1/look = 2025-10-29T16:09:00Z (Netatmo may be back)
> 17:09:30 netatmo/h1/look = 2025-10-29T16:09:30Z (Netatmo may be back)
17:10 probe cloud-down "Netatmo answers 503" every=15s lasting=4m45s
> 17:10:00 netatmo/h1/look = 2025-10-29T16:10:00Z (Netatmo may be back)
17:15 probe ok "Netatmo answers" every=1m lasting=4m
# set in the app, which the device shows first
17:20 reading v2 target 21
> 17:20:00 wish: Hall: 21 °C until 20:20 (somebody turned NRV v2 from 18 to 21)
17:22 view bath=schedule/20 hall=manual/21/18:45
> 17:22:00 return: Hall keeps what was set in Netatmo (it was set later than here)
17:23 probe ok "Netatmo answers" every=1m lasting=20m
> 17:42:00 heating: Bath: NRV v1 is set to 22 °C (schedule Week, zone evening)
> 17:42:00 accessory/v1/target = 22 until Thu 06:30 (schedule Week, zone evening)
# turned by hand, while the cloud is not read
17:44 reading v2 target 23
> 17:44:00 wish: Hall: 23 °C until 20:44 (somebody turned NRV v2 from 21 to 23)
17:45 probe ok "Netatmo answers" every=1m lasting=12m
> 17:54:00 netatmo/h1/look = 2025-10-29T16:54:00Z (Netatmo may be back)
> 17:54:30 netatmo/h1/look = 2025-10-29T16:54:30Z (Netatmo may be back)
> 17:55:00 netatmo/h1/look = 2025-10-29T16:55:00Z (Netatmo may be back)
> 17:55:30 netatmo/h1/look = 2025-10-29T16:55:30Z (Netatmo may be back)
> 17:56:00 netatmo/h1/look = 2025-10-29T16:56:00Z (Netatmo may be back)
> 17:56:30 netatmo/h1/look = 2025-10-29T16:56:30Z (Netatmo may be back)
> 17:57:00 netatmo/h1/look = 2025-10-29T16:57:00Z (Netatmo may be back)
> 17:57:30 netatmo/h1/look = 2025-10-29T16:57:30Z (Netatmo may be back)
17:58 view bath=manual/22/20:42 hall=manual/23/20:44
17:58:30 probe ok "Netatmo answers" every=30s lasting=16m
> 17:58:30 netatmo/h1/look = 2025-10-29T16:58:30Z (Netatmo may be back)
> 17:59:00 netatmo/h1/look = 2025-10-29T16:59:00Z (Netatmo may be back)
> 17:59:30 netatmo/h1/look = 2025-10-29T16:59:30Z (Netatmo may be back)
> 18:00:00 netatmo/h1/look = 2025-10-29T17:00:00Z (Netatmo may be back)
> 18:00:30 netatmo/h1/look = 2025-10-29T17:00:30Z (Netatmo may be back)
> 18:01:00 netatmo/h1/look = 2025-10-29T17:01:00Z (Netatmo may be back)
> 18:01:30 authority: the house is handed back to Netatmo (it has answered since 17:15; it was gone for 1h2m)
> 18:01:30 return: Bath is set back to follow the home (our writes over the LAN left it in manual)
> 18:01:30 netatmo/bath/mode = home (our writes over the LAN left it in manual)
> 18:02:00 netatmo/bath/mode = home (our writes over the LAN left it in manual)
> 18:03:00 netatmo/bath/mode = home (our writes over the LAN left it in manual)
> 18:05:00 netatmo/bath/mode = home (our writes over the LAN left it in manual)
> 18:09:00 netatmo/bath/mode = home (our writes over the LAN left it in manual)
18:15 view bath=manual/22/20:42 hall=manual/23/20:44
18:15:30 probe ok "Netatmo answers" every=30s lasting=2m
> 18:17:00 netatmo/bath/mode = home (our writes over the LAN left it in manual)
18:18 nothing
