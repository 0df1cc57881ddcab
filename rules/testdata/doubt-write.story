# A wish went over the LAN while Netatmo was only in doubt. When it is back, its manual set point is what we
# wrote, and nobody's act in the app.
zone Europe/Paris
start 2025-10-29 12:00
home h1 Maison default=3h
room bath Bath
week 06:30=day
target day bath=20
device v1 NRV room=bath face=accessory target=7..30/0.5 obeys

12:00 reading v1 target 20
12:00 view bath=schedule/20
12:10 probe cloud-down "Netatmo answers 503"
12:10:05 wish MQTT bath 23 for=4h
> 12:10:05 wish: Bath: 23 °C until 16:10 (asked for in MQTT)
> 12:10:05 heating: Bath: NRV v1 is set to 23 °C (set in MQTT until 16:10, then schedule; Netatmo may not carry it out just now)
> 12:10:05 netatmo/bath/target = 23 until Wed 16:10 (asked for in MQTT)
> 12:10:05 accessory/v1/target = 23 until Wed 16:10 (set in MQTT until 16:10, then schedule; Netatmo may not carry it out just now)
12:10:15 probe cloud-down "Netatmo answers 503" every=15s lasting=2m
> 12:10:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503 since 12:10)
13:00 probe ok "Netatmo answers" every=15s lasting=1m
13:01:10 view bath=manual/23/15:10
13:01:15 probe ok "Netatmo answers" every=15s lasting=4m
> 13:02:00 netatmo/h1/look = 2025-10-29T12:02:00Z (Netatmo may be back)
> 13:02:30 netatmo/h1/look = 2025-10-29T12:02:30Z (Netatmo may be back)
> 13:03:00 netatmo/h1/look = 2025-10-29T12:03:00Z (Netatmo may be back)
> 13:03:30 netatmo/h1/look = 2025-10-29T12:03:30Z (Netatmo may be back)
> 13:04:00 netatmo/h1/look = 2025-10-29T12:04:00Z (Netatmo may be back)
> 13:04:30 netatmo/h1/look = 2025-10-29T12:04:30Z (Netatmo may be back)
> 13:05:00 netatmo/h1/look = 2025-10-29T12:05:00Z (Netatmo may be back)
13:05:30 view bath=manual/23/15:10
> 13:05:30 authority: the house is handed back to Netatmo (it has answered since 13:00; it was gone for 56m)
> 13:05:30 return: Netatmo is told: Bath 23 °C until 16:10 (set in MQTT while it was gone)
> 13:05:30 netatmo/bath/target = 23 until Wed 16:10 (set here while Netatmo was gone)
13:05:45 probe ok "Netatmo answers" every=15s lasting=2m
> 13:06:00 netatmo/bath/target = 23 until Wed 16:10 (set here while Netatmo was gone)
> 13:07:00 netatmo/bath/target = 23 until Wed 16:10 (set here while Netatmo was gone)
13:08 nothing
