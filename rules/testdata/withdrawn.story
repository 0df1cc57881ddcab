# What was written over the LAN shows in the vendor's app as manual. Who ends it there, long before its
# time, has acted later than who set it here. In a home that is on frost guard, a room on frost guard is
# nobody's wish, also when the frost guard has ended since.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison default=3h
room bath Bath
room hall Hall
week 06:30=day
target day bath=20 hall=20
device v1 NRV room=bath face=accessory target=7..30/0.5 obeys
device v2 NRV room=hall face=accessory target=7..30/0.5 obeys

16:30 reading v1 target 7
16:30 reading v2 target 7
16:30 view mode=frost bath=frost/7 hall=frost/7
16:41 probe cloud-down "Netatmo answers 503" every=15s lasting=2m
> 16:42:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503 since 16:41)
17:00 wish MQTT bath 23 for=3h
> 17:00:00 wish: Bath: 23 °C until 20:00 (asked for in MQTT)
> 17:00:00 heating: Bath: NRV v1 is set to 23 °C (set in MQTT until 20:00, then frost guard)
> 17:00:00 accessory/v1/target = 23 until Wed 20:00 (set in MQTT until 20:00, then frost guard)
17:00 wish page mode schedule
> 17:00:00 mode: the home's mode schedule (asked for in page)
> 17:02:00 heating: Hall: NRV v2 is set to 20 °C (schedule Week, zone day)
> 17:02:00 accessory/v2/target = 20 (schedule Week, zone day)
17:05 wish MQTT hall off
> 17:05:00 wish: Hall is switched off, down to the frost floor (asked for in MQTT)
> 17:05:00 heating: Hall: NRV v2 is set to 7 °C (switched off in MQTT; the frost floor stays)
> 17:05:00 accessory/v2/target = 7 (switched off in MQTT; the frost floor stays)
18:00 probe ok "Netatmo answers" every=15s lasting=30s
> 18:00:15 netatmo/h1/look = 2025-10-29T17:00:00Z (Netatmo may be back)
> 18:00:30 netatmo/h1/look = 2025-10-29T17:00:30Z (Netatmo may be back)
18:00:40 view mode=schedule bath=manual/23/20:00 hall=schedule/20
> 18:00:40 return: the home's mode is schedule, as set in Netatmo (it was set later than here)
18:01 probe ok "Netatmo answers" every=15s lasting=30s
> 18:01:10 netatmo/h1/look = 2025-10-29T17:01:00Z (Netatmo may be back)
> 18:01:30 netatmo/h1/look = 2025-10-29T17:01:30Z (Netatmo may be back)
18:01:40 view mode=schedule bath=schedule/20 hall=schedule/20
> 18:01:40 return: Bath keeps what was set in Netatmo (it was set later than here)
> 18:01:40 heating: Bath: NRV v1 is set to 20 °C (schedule Week, zone day)
> 18:01:40 accessory/v1/target = 20 (schedule Week, zone day)
18:02 probe ok "Netatmo answers" every=15s lasting=4m
> 18:02:10 netatmo/h1/look = 2025-10-29T17:02:00Z (Netatmo may be back)
> 18:02:30 netatmo/h1/look = 2025-10-29T17:02:30Z (Netatmo may be back)
> 18:03:00 netatmo/h1/look = 2025-10-29T17:03:00Z (Netatmo may be back)
> 18:03:15 authority: the house is handed back to Netatmo (it has answered since 18:00; it was gone for 1h22m)
> 18:03:15 return: Netatmo is told: Hall off (set in MQTT while it was gone)
> 18:03:15 netatmo/hall/mode = off (set here while Netatmo was gone)
> 18:03:45 netatmo/hall/mode = off (set here while Netatmo was gone)
> 18:04:45 netatmo/hall/mode = off (set here while Netatmo was gone)
18:06:30 view mode=schedule bath=schedule/20 hall=schedule/20
> 18:06:50 netatmo/hall/mode = off (set here while Netatmo was gone)
18:07 nothing
