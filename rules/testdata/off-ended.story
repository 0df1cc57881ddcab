# A room was switched off in the vendor's app. What was written there in the outage shows in the cloud as
# manual in place of that, and comes to its end before the house is handed back: nobody has switched the
# room on, so Netatmo is told again.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison default=1h
room bath Bath
week 06:30=day
target day bath=20
device v1 NRV room=bath face=accessory target=7..30/0.5 obeys

16:30 reading v1 target 7
16:30 view bath=off/7
16:41 probe cloud-down "Netatmo answers 503" every=15s lasting=2m
> 16:42:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503 since 16:41)
17:00 wish page mode away for=30m
> 17:00:00 mode: the home's mode away until 17:30 (asked for in page)
> 17:02:00 heating: Bath: NRV v1 is set to 12 °C (the home is away until 17:30, then schedule)
> 17:02:00 accessory/v1/target = 12 until Wed 17:30 (the home is away until 17:30, then schedule)
17:10 nothing
> 17:30:00 mode: the home follows its schedule again (away was set until 17:30)
> 17:30:00 heating: Bath: NRV v1 is set to 7 °C (switched off in Netatmo; the frost floor stays)
> 17:30:00 accessory/v1/target = 7 (switched off in Netatmo; the frost floor stays)
18:22 probe ok "Netatmo answers" every=15s lasting=30s
> 18:22:15 netatmo/h1/look = 2025-10-29T17:22:00Z (Netatmo may be back)
> 18:22:30 netatmo/h1/look = 2025-10-29T17:22:30Z (Netatmo may be back)
18:22:40 view bath=manual/7/18:24
18:23 probe ok "Netatmo answers" every=15s lasting=1m
> 18:23:10 netatmo/h1/look = 2025-10-29T17:23:00Z (Netatmo may be back)
> 18:23:30 netatmo/h1/look = 2025-10-29T17:23:30Z (Netatmo may be back)
> 18:24:00 netatmo/h1/look = 2025-10-29T17:24:00Z (Netatmo may be back)
18:24:10 view bath=schedule/20
18:24:15 probe ok "Netatmo answers" every=15s lasting=3m
> 18:24:40 netatmo/h1/look = 2025-10-29T17:24:30Z (Netatmo may be back)
> 18:25:00 netatmo/h1/look = 2025-10-29T17:25:00Z (Netatmo may be back)
> 18:25:15 authority: the house is handed back to Netatmo (it has answered since 18:22; it was gone for 1h44m)
> 18:25:15 return: Netatmo is told again: Bath off (a write of ours has ended it there)
> 18:25:15 netatmo/bath/mode = off (it was lost by a write of ours)
> 18:25:45 netatmo/bath/mode = off (it was lost by a write of ours)
> 18:26:45 netatmo/bath/mode = off (it was lost by a write of ours)
18:27:30 view bath=off/7
18:31 nothing
