# While the house was gone, somebody set the home's mode in the vendor's app, which ends there what a room
# had. It shows in the outage, long before the house is handed back: then the room is not told again what
# that mode has ended.
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
16:30 reading v2 target 20
16:30 view bath=off/7 hall=schedule/20
16:41 probe cloud-down "Netatmo answers 503" every=15s lasting=2m
> 16:42:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503 since 16:41)
17:00 wish page mode away for=30m
> 17:00:00 mode: the home's mode away until 17:30 (asked for in page)
> 17:02:00 heating: Bath: NRV v1 is set to 12 °C (the home is away until 17:30, then schedule)
> 17:02:00 heating: Hall: NRV v2 is set to 12 °C (the home is away until 17:30, then schedule)
> 17:02:00 accessory/v1/target = 12 until Wed 17:30 (the home is away until 17:30, then schedule)
> 17:02:00 accessory/v2/target = 12 until Wed 17:30 (the home is away until 17:30, then schedule)
17:10 nothing
> 17:30:00 mode: the home follows its schedule again (away was set until 17:30)
> 17:30:00 heating: Bath: NRV v1 is set to 7 °C (switched off in Netatmo; the frost floor stays)
> 17:30:00 heating: Hall: NRV v2 is set to 20 °C (schedule Week, zone day)
> 17:30:00 accessory/v1/target = 7 (switched off in Netatmo; the frost floor stays)
> 17:30:00 accessory/v2/target = 20 (schedule Week, zone day)
18:00 probe ok "Netatmo answers" every=15s lasting=30s
> 18:00:15 netatmo/h1/look = 2025-10-29T17:00:00Z (Netatmo may be back)
> 18:00:30 netatmo/h1/look = 2025-10-29T17:00:30Z (Netatmo may be back)
18:00:40 view mode=frost bath=manual/7/20:30 hall=manual/20/20:30
18:01 probe ok "Netatmo answers" every=15s lasting=6m
> 18:01:10 netatmo/h1/look = 2025-10-29T17:01:00Z (Netatmo may be back)
> 18:01:30 netatmo/h1/look = 2025-10-29T17:01:30Z (Netatmo may be back)
> 18:02:00 netatmo/h1/look = 2025-10-29T17:02:00Z (Netatmo may be back)
> 18:02:30 netatmo/h1/look = 2025-10-29T17:02:30Z (Netatmo may be back)
> 18:03:00 netatmo/h1/look = 2025-10-29T17:03:00Z (Netatmo may be back)
> 18:03:15 authority: the house is handed back to Netatmo (it has answered since 18:00; it was gone for 1h22m)
> 18:03:15 return: Bath is set back to follow the home (our writes over the LAN left it in manual)
> 18:03:15 return: Hall is set back to follow the home (our writes over the LAN left it in manual)
> 18:03:15 netatmo/bath/mode = home (our writes over the LAN left it in manual)
> 18:03:15 netatmo/hall/mode = home (our writes over the LAN left it in manual)
> 18:03:45 netatmo/bath/mode = home (our writes over the LAN left it in manual)
> 18:03:45 netatmo/hall/mode = home (our writes over the LAN left it in manual)
> 18:04:45 netatmo/bath/mode = home (our writes over the LAN left it in manual)
> 18:04:45 netatmo/hall/mode = home (our writes over the LAN left it in manual)
> 18:06:45 netatmo/bath/mode = home (our writes over the LAN left it in manual)
> 18:06:45 netatmo/hall/mode = home (our writes over the LAN left it in manual)
18:08 view mode=frost bath=frost/7 hall=frost/7
18:10 nothing
