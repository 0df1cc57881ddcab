# The evening of 29 October 2025 in small: the cloud sickens, a slot falls due, a person turns a room
# up, and the cloud comes back.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison default=3h
room bath Bath
room bed Bedroom
week 06:30=day 17:00=evening 22:30=night
target day bath=19 bed=18
target evening bath=22 bed=18
target night bath=17 bed=16
device v1 NRV room=bath face=accessory target=7..30/0.5 obeys
device v2 NRV room=bed face=accessory target=7..30/0.5

16:30 reading v1 target 19
16:30 reading v2 target 18
16:30 view bath=schedule/19 bed=schedule/18
16:31 probe ok "Netatmo answers"
16:41 probe cloud-down "Netatmo answers 503 with HTML" every=15s lasting=20m
> 16:42:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503 with HTML since 16:41)
# v1 does not follow the plan at 17:00 by itself: looked at first, written to after a while
> 17:02:00 heating: Bath: NRV v1 is set to 22 °C (schedule Week, zone evening)
> 17:02:00 accessory/v1/target = 22 until Wed 22:30 (schedule Week, zone evening)
17:05 wish "Home app" bed 20 for=4h
> 17:05:00 wish: Bedroom: 20 °C until 21:05 (asked for in Home app)
> 17:05:00 heating: Bedroom: NRV v2 is set to 20 °C (set in Home app until 21:05, then schedule)
> 17:05:00 accessory/v2/target = 20 until Wed 21:05 (set in Home app until 21:05, then schedule)
17:05:05 reading v2 target 20
# at 22:30 the bathroom is written to at once, the bedroom keeps its wish until 21:05
> 21:05:05 heating: Bedroom follows the home again (20 °C was set until 21:05)
> 21:05:05 heating: Bedroom: NRV v2 is set to 18 °C (schedule Week, zone evening)
> 21:05:05 accessory/v2/target = 18 until Wed 22:30 (schedule Week, zone evening)
> 21:05:35 accessory/v2/target = 18 until Wed 22:30 (schedule Week, zone evening)
> 21:06:35 accessory/v2/target = 18 until Wed 22:30 (schedule Week, zone evening)
> 21:08:35 heating: Bedroom: NRV v2 does not take 18 °C; it is asked again, ever more seldom (it was asked some times and still shows another target)
> 21:08:35 accessory/v2/target = 18 until Wed 22:30 (schedule Week, zone evening)
> 21:12:35 accessory/v2/target = 18 until Wed 22:30 (schedule Week, zone evening)
> 21:20:35 accessory/v2/target = 18 until Wed 22:30 (schedule Week, zone evening)
> 21:36:35 accessory/v2/target = 18 until Wed 22:30 (schedule Week, zone evening)
> 22:08:35 accessory/v2/target = 18 until Wed 22:30 (schedule Week, zone evening)
22:29 probe cloud-down "no connection"
> 22:30:00 heating: Bath: NRV v1 is set to 17 °C (schedule Week, zone night)
> 22:30:00 heating: Bedroom: NRV v2 is set to 16 °C (schedule Week, zone night)
> 22:30:00 accessory/v1/target = 17 until Thu 06:30 (schedule Week, zone night)
> 22:30:00 accessory/v2/target = 16 until Thu 06:30 (schedule Week, zone night)
> 22:30:30 accessory/v2/target = 16 until Thu 06:30 (schedule Week, zone night)
> 22:31:30 accessory/v2/target = 16 until Thu 06:30 (schedule Week, zone night)
> 22:33:30 heating: Bedroom: NRV v2 does not take 16 °C; it is asked again, ever more seldom (it was asked some times and still shows another target)
> 22:33:30 accessory/v2/target = 16 until Thu 06:30 (schedule Week, zone night)
22:35 reading v2 target 16
22:40 probe ok "Netatmo answers" every=20s lasting=2m
> 22:40:20 netatmo/h1/look = 2025-10-29T21:40:00Z (Netatmo may be back)
> 22:40:30 netatmo/h1/look = 2025-10-29T21:40:30Z (Netatmo may be back)
> 22:41:00 netatmo/h1/look = 2025-10-29T21:41:00Z (Netatmo may be back)
> 22:41:30 netatmo/h1/look = 2025-10-29T21:41:30Z (Netatmo may be back)
> 22:42:00 netatmo/h1/look = 2025-10-29T21:42:00Z (Netatmo may be back)
22:42:30 view bath=manual/17/01:30 bed=schedule/16
22:43 probe ok "Netatmo answers" every=20s lasting=6m
> 22:43:00 netatmo/h1/look = 2025-10-29T21:43:00Z (Netatmo may be back)
> 22:43:30 netatmo/h1/look = 2025-10-29T21:43:30Z (Netatmo may be back)
> 22:44:00 netatmo/h1/look = 2025-10-29T21:44:00Z (Netatmo may be back)
> 22:44:30 netatmo/h1/look = 2025-10-29T21:44:30Z (Netatmo may be back)
> 22:45:00 netatmo/h1/look = 2025-10-29T21:45:00Z (Netatmo may be back)
> 22:45:30 netatmo/h1/look = 2025-10-29T21:45:30Z (Netatmo may be back)
> 22:46:00 netatmo/h1/look = 2025-10-29T21:46:00Z (Netatmo may be back)
> 22:46:20 authority: the house is handed back to Netatmo (it has answered since 22:40; it was gone for 6h5m)
> 22:46:20 return: Bath is set back to follow the home (our writes over the LAN left it in manual)
> 22:46:20 netatmo/bath/mode = home (our writes over the LAN left it in manual)
> 22:46:50 netatmo/bath/mode = home (our writes over the LAN left it in manual)
> 22:47:50 netatmo/bath/mode = home (our writes over the LAN left it in manual)
> 22:49:50 netatmo/bath/mode = home (our writes over the LAN left it in manual)
22:50 view bath=manual/17/01:30 bed=schedule/16
