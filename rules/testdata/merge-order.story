# What the merge must not do: warm a house that was left, bring back what was replaced, end what a person set in
# the vendor's app because our own write shows there, or tell a room before the mode that would wipe it.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison
room a Antechamber
room b Bedroom
room c Cellar
room d Dining
week 06:30=day
target day a=20 b=20 c=20 d=20
device vc NRV room=c face=accessory target=7..30/0.5 obeys

16:30 reading vc target 23
16:30 view a=schedule/20 b=manual/25/23:00 c=manual/23/22:00 d=schedule/20
16:41 probe cloud-down "Netatmo answers 503" every=15s lasting=3m
> 16:42:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503 since 16:41)
17:00 wish "Home app" a 22 for=6h
> 17:00:00 wish: Antechamber: 22 °C until 23:00 (asked for in Home app)
17:01 wish "Home app" b 18 for=30m
> 17:01:00 wish: Bedroom: 18 °C until 17:31 (asked for in Home app)
17:02 reading vc target 20
> 17:04:00 heating: Cellar: NRV vc is set to 23 °C (set in Netatmo until 22:00, then schedule)
> 17:04:00 accessory/vc/target = 23 until Wed 22:00 (set in Netatmo until 22:00, then schedule)
17:10 wish page mode away
> 17:10:00 mode: the home's mode away (asked for in page)
> 17:10:00 heating: Cellar: NRV vc is set to 12 °C (the home is away)
> 17:10:00 accessory/vc/target = 12 (the home is away)
17:20 wish MQTT d 19 for=5h
> 17:20:00 wish: Dining: 19 °C until 22:20 (asked for in MQTT)
> 17:31:00 heating: Bedroom follows the home again (18 °C was set until 17:31)
18:00 probe ok "Netatmo answers" every=15s lasting=2m
> 18:00:15 netatmo/h1/look = 2025-10-29T17:00:00Z (Netatmo may be back)
> 18:00:30 netatmo/h1/look = 2025-10-29T17:00:30Z (Netatmo may be back)
> 18:01:00 netatmo/h1/look = 2025-10-29T17:01:00Z (Netatmo may be back)
> 18:01:30 netatmo/h1/look = 2025-10-29T17:01:30Z (Netatmo may be back)
> 18:02:00 netatmo/h1/look = 2025-10-29T17:02:00Z (Netatmo may be back)
18:02:30 view a=schedule/20 b=manual/25/23:00 c=manual/23/22:00 d=schedule/20
18:03 probe ok "Netatmo answers" every=15s lasting=2m
> 18:03:00 netatmo/h1/look = 2025-10-29T17:03:00Z (Netatmo may be back)
> 18:03:15 authority: the house is handed back to Netatmo (it has answered since 18:00; it was gone for 1h22m)
> 18:03:15 return: Netatmo is told: the home's mode is away (set in page while it was gone)
> 18:03:15 return: Netatmo is told: Dining 19 °C until 22:20 (set in MQTT while it was gone)
> 18:03:15 netatmo/h1/mode = away (set here while Netatmo was gone)
> 18:03:45 netatmo/h1/mode = away (set here while Netatmo was gone)
> 18:04:45 netatmo/h1/mode = away (set here while Netatmo was gone)
18:06 outcome netatmo/h1/mode ok
> 18:06:00 netatmo/d/target = 19 until Wed 22:20 (set here while Netatmo was gone)
18:06:10 outcome netatmo/d/target ok
18:07 view mode=away a=away/12 b=away/12 c=away/12 d=manual/19/22:20
18:30 nothing
