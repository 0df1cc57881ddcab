# A person's wish goes to the cloud while it is there; if it is not carried out within 3 s, the LAN does it.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison
room bath Bath
week 06:30=day
target day bath=19
device v1 NRV room=bath face=accessory target=7..30/0.5 obeys

16:30 reading v1 target 19
16:30 view bath=schedule/19
16:35 wish "Home app" bath 21 for=1h
> 16:35:00 wish: Bath: 21 °C until 17:35 (asked for in Home app)
> 16:35:00 netatmo/bath/target = 21 until Wed 17:35 (asked for in Home app)
16:35:01 outcome netatmo/bath/target ok
16:40 view bath=manual/21/17:35
16:41 reading v1 target 21
16:50 wish "Home app" bath 22 for=1h
> 16:50:00 wish: Bath: 22 °C until 17:50 (asked for in Home app)
> 16:50:00 netatmo/bath/target = 22 until Wed 17:50 (asked for in Home app)
16:50:02 outcome netatmo/bath/target "503 with HTML"
> 16:50:02 device: 22 for target of Bath in Netatmo was not carried out (503 with HTML)
> 16:50:02 heating: Bath: NRV v1 is set to 22 °C (set in Home app until 17:50, then schedule; Netatmo did not carry it out: 503 with HTML)
> 16:50:02 accessory/v1/target = 22 until Wed 17:50 (set in Home app until 17:50, then schedule; Netatmo did not carry it out: 503 with HTML)
> 16:50:32 netatmo/bath/target = 22 until Wed 17:50 (asked for in Home app)
> 16:51:32 netatmo/bath/target = 22 until Wed 17:50 (asked for in Home app)
> 16:53:32 netatmo/bath/target = 22 until Wed 17:50 (asked for in Home app)
> 16:57:32 netatmo/bath/target = 22 until Wed 17:50 (asked for in Home app)
17:00 wish "Home app" bath 23 for=1h
> 17:00:00 wish: Bath: 23 °C until 18:00 (asked for in Home app)
> 17:00:00 netatmo/bath/target = 23 until Wed 18:00 (asked for in Home app)
> 17:00:03 heating: Bath: NRV v1 is set to 23 °C (set in Home app until 18:00, then schedule; Netatmo has not answered within 3s)
> 17:00:03 accessory/v1/target = 23 until Wed 18:00 (set in Home app until 18:00, then schedule; Netatmo has not answered within 3s)
> 17:00:33 netatmo/bath/target = 23 until Wed 18:00 (asked for in Home app)
> 17:01:33 netatmo/bath/target = 23 until Wed 18:00 (asked for in Home app)
> 17:03:33 netatmo/bath/target = 23 until Wed 18:00 (asked for in Home app)
> 17:07:33 netatmo/bath/target = 23 until Wed 18:00 (asked for in Home app)
17:10 nothing
