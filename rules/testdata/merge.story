# Both sides acted while they were apart: the later human act wins, room by room.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison
room a Antechamber
room b Bedroom
room c Cellar
room d Dining
week 06:30=day
target day a=20 b=20 c=20 d=20

16:30 view a=schedule/20 b=schedule/20 c=schedule/20 d=manual/23/19:00
16:41 probe cloud-down "Netatmo answers 503" every=15s lasting=3m
> 16:42:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503 since 16:41)
17:00 wish "Home app" a 22 for=6h
> 17:00:00 wish: Antechamber: 22 °C until 23:00 (asked for in Home app)
17:00 wish MQTT b 22 for=6h
> 17:00:00 wish: Bedroom: 22 °C until 23:00 (asked for in MQTT)
17:01 wish MQTT d home
> 17:01:00 wish: Dining follows the home (asked for in MQTT)
17:05 wish page mode away for=8h
> 17:05:00 mode: the home's mode away until 01:05 (asked for in page)
17:06 wish page mode schedule
> 17:06:00 mode: the home's mode schedule (asked for in page)
18:00 probe ok "Netatmo answers" every=15s lasting=2m
> 18:00:15 netatmo/h1/look = 2025-10-29T17:00:00Z (Netatmo may be back)
> 18:00:30 netatmo/h1/look = 2025-10-29T17:00:30Z (Netatmo may be back)
> 18:01:00 netatmo/h1/look = 2025-10-29T17:01:00Z (Netatmo may be back)
> 18:01:30 netatmo/h1/look = 2025-10-29T17:01:30Z (Netatmo may be back)
> 18:02:00 netatmo/h1/look = 2025-10-29T17:02:00Z (Netatmo may be back)
18:02:30 view a=schedule/20 b=manual/18/20:00 c=manual/15/20:00 d=manual/23/19:00
> 18:02:30 return: Bedroom keeps what was set in Netatmo (it was set later than here)
18:03 probe ok "Netatmo answers" every=15s lasting=5m
> 18:03:00 netatmo/h1/look = 2025-10-29T17:03:00Z (Netatmo may be back)
> 18:03:15 authority: the house is handed back to Netatmo (it has answered since 18:00; it was gone for 1h22m)
> 18:03:15 return: Netatmo is told: Antechamber 22 °C until 23:00 (set in Home app while it was gone)
> 18:03:15 return: Dining is set back to follow the home (set in MQTT while Netatmo was gone)
> 18:03:15 netatmo/a/target = 22 until Wed 23:00 (set here while Netatmo was gone)
> 18:03:15 netatmo/d/mode = home (set in MQTT while Netatmo was gone)
> 18:03:45 netatmo/a/target = 22 until Wed 23:00 (set here while Netatmo was gone)
> 18:03:45 netatmo/d/mode = home (set in MQTT while Netatmo was gone)
> 18:04:45 netatmo/a/target = 22 until Wed 23:00 (set here while Netatmo was gone)
> 18:04:45 netatmo/d/mode = home (set in MQTT while Netatmo was gone)
> 18:06:45 netatmo/a/target = 22 until Wed 23:00 (set here while Netatmo was gone)
> 18:06:45 netatmo/d/mode = home (set in MQTT while Netatmo was gone)
18:10 outcome netatmo/a/target ok
> 18:10:50 netatmo/d/mode = home (set in MQTT while Netatmo was gone)
18:11 view a=manual/22/23:00 b=manual/18/20:00 c=manual/15/20:00 d=schedule/20
