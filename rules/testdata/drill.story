# A drill plays an outage on the real house: marked as one everywhere, ended by its time, by a person,
# at once by an alarm, and by a restart; an outage that begins meanwhile makes it real.
zone Europe/Paris
start 2025-10-29 16:00
home h1 Maison
room bath Bath
room bed Bedroom
week 06:30=day 17:00=evening
target day bath=19 bed=18
target evening bath=22 bed=18
device v1 NRV room=bath face=accessory target=7..30/0.5 obeys
device v2 NRV room=bed face=accessory target=7..30/0.5 obeys
device s1 NSD face=accessory
device siren Siren face=accessory siren obeys

16:00 reading v1 target 19
16:00 reading v2 target 18
16:00 view bath=schedule/19 bed=schedule/18
16:01 probe ok "Netatmo answers"
# what cannot be played is refused
16:02 wish control drill for=30s
> 16:02:00 refused: control: a drill of 30s (a drill lasts 1 min to 4 h)
16:02 wish control drill for=5h
> 16:02:00 refused: control: a drill of 5h (a drill lasts 1 min to 4 h)
16:02 wish control drill end
> 16:02:00 refused: control: the end of the drill (no drill is on)
# it begins at once, and a slot falls due in it
16:50 wish control drill for=20m
> 16:50:00 authority: drill: the house is run from here until 17:10 (asked for in control; Netatmo is not touched meanwhile)
16:51 wish control drill for=20m
> 16:51:00 refused: control: a drill of 20m (a drill is on already, until 17:10)
16:55 probe ok "Netatmo answers"
> 17:02:00 heating: drill: Bath: NRV v1 is set to 22 °C (schedule Week, zone evening)
> 17:02:00 accessory/v1/target = 22 until Thu 06:30 (drill: schedule Week, zone evening)
17:05 wish "Home app" bed 20 for=4h
> 17:05:00 wish: drill: Bedroom: 20 °C until 21:05 (asked for in Home app)
> 17:05:00 heating: drill: Bedroom: NRV v2 is set to 20 °C (set in Home app until 21:05, then schedule)
> 17:05:00 accessory/v2/target = 20 until Wed 21:05 (drill: set in Home app until 21:05, then schedule)
# it ends at its time: the cloud is read, then it is told what a person wished
> 17:10:00 authority: drill: it ends: Netatmo is read first, nothing is written there (its time is over)
> 17:10:00 netatmo/h1/look = 2025-10-29T16:10:00Z (drill: the house is about to be handed back)
17:10:20 view bath=schedule/22 bed=schedule/18
> 17:10:20 authority: drill: the house is handed back to Netatmo (the drill is over after 20m)
> 17:10:20 return: drill: Netatmo is told: Bedroom 20 °C until 21:05 (set in Home app while it was gone)
> 17:10:20 netatmo/bed/target = 20 until Wed 21:05 (drill: set here while Netatmo was gone)
17:10:25 outcome netatmo/bed/target ok
17:12 view bath=schedule/22 bed=manual/20/21:05
# a real alarm ends it at once
17:20 wish control drill for=1h
> 17:20:00 authority: drill: the house is run from here until 18:20 (asked for in control; Netatmo is not touched meanwhile)
17:25 reading s1 smoke yes
> 17:25:00 alarm: smoke ALARM: NSD s1 (reported over accessory)
> 17:25:00 authority: drill: it ends: Netatmo is read first, nothing is written there (an alarm sounds, and it is no drill)
> 17:25:00 accessory/siren/siren = yes (smoke alarm: NSD s1 says smoke)
> 17:25:00 netatmo/h1/look = 2025-10-29T16:25:00Z (drill: the house is about to be handed back)
17:25 wish control drill for=1h
> 17:25:00 refused: control: a drill of 1h (an alarm is on: NSD s1 says smoke)
17:25:10 view bath=schedule/22 bed=manual/20/21:05
> 17:25:10 authority: drill: the house is handed back to Netatmo (the drill is over after 5m)
17:30 reading s1 smoke no
> 17:30:00 alarm: smoke alarm is over: NSD s1 (the detector that raised it says so)
> 17:30:00 accessory/siren/siren = no (no alarm sounds any more)
# a restart ends it
17:40 wish control drill for=1h
> 17:40:00 authority: drill: the house is run from here until 18:40 (asked for in control; Netatmo is not touched meanwhile)
17:45 restart
> 17:45:00 authority: drill: it ends: Netatmo is read first, nothing is written there (Veilleuse was restarted meanwhile)
> 17:45:00 netatmo/h1/look = 2025-10-29T16:45:00Z (drill: the house is about to be handed back)
17:45 clock trusted "told so"
> 17:45:00 clock: drill: the clock is kept in step by a time server (told so)
17:45:05 view bath=schedule/22 bed=manual/20/21:05
> 17:45:05 authority: drill: the house is handed back to Netatmo (the drill is over after 5m)
# a person ends it
17:50 wish control drill for=1h
> 17:50:00 authority: drill: the house is run from here until 18:50 (asked for in control; Netatmo is not touched meanwhile)
17:55 wish control drill end
> 17:55:00 authority: drill: it ends: Netatmo is read first, nothing is written there (asked for in control)
> 17:55:00 netatmo/h1/look = 2025-10-29T16:55:00Z (drill: the house is about to be handed back)
17:55 wish control drill end
> 17:55:00 refused: control: the end of the drill (it is just ending)
17:55:05 view bath=schedule/22 bed=manual/20/21:05
> 17:55:05 authority: drill: the house is handed back to Netatmo (the drill is over after 5m)
# the cloud fails in the middle of it: it has become real, and its end is not the outage's
18:00 wish control drill for=10m
> 18:00:00 authority: drill: the house is run from here until 18:10 (asked for in control; Netatmo is not touched meanwhile)
18:05 probe cloud-down "Netatmo answers 503" every=15s lasting=15m
> 18:06:30 authority: Netatmo is gone: the drill has become real, the house stays run from here (Netatmo answers 503 since 18:05)
18:20 wish control drill for=10m
> 18:20:00 refused: control: a drill of 10m (this is no drill: Netatmo is gone since 18:05)
18:20:15 probe cloud-down "Netatmo answers 503" every=15s lasting=5m
18:30 probe ok "Netatmo answers" every=15s lasting=2m30s
> 18:30:25 netatmo/h1/look = 2025-10-29T17:30:00Z (Netatmo may be back)
> 18:30:30 netatmo/h1/look = 2025-10-29T17:30:30Z (Netatmo may be back)
> 18:31:00 netatmo/h1/look = 2025-10-29T17:31:00Z (Netatmo may be back)
> 18:31:30 netatmo/h1/look = 2025-10-29T17:31:30Z (Netatmo may be back)
> 18:32:00 netatmo/h1/look = 2025-10-29T17:32:00Z (Netatmo may be back)
> 18:32:30 netatmo/h1/look = 2025-10-29T17:32:30Z (Netatmo may be back)
18:32:40 view bath=schedule/22 bed=manual/20/21:05
18:32:45 probe ok "Netatmo answers" every=15s lasting=3m
> 18:33:10 netatmo/h1/look = 2025-10-29T17:33:00Z (Netatmo may be back)
> 18:33:25 authority: the house is handed back to Netatmo (it has answered since 18:30; it was gone for 28m)
18:37 wish control drill for=10m
> 18:37:00 authority: drill: the house is run from here until 18:47 (asked for in control; Netatmo is not touched meanwhile)
