# A thermostat that stands in no room that anybody knows is a room of its own, until the cloud knows better.
zone Europe/Paris
start 2025-10-29 18:00

18:00 found 12:34 Study target=7..30/0.5
> 18:00:00 device: Study is known (found by accessory)
18:00 reading 12:34 target 18
18:01 wish "Home app" own-12:34 21
> 18:01:00 wish: Study: 21 °C until 21:01 (asked for in Home app)
> 18:01:00 heating: Study: Study is set to 21 °C (set in Home app until 21:01)
> 18:01:00 accessory/12:34/target = 21 until Wed 21:01 (set in Home app until 21:01)
> 18:01:30 accessory/12:34/target = 21 until Wed 21:01 (set in Home app until 21:01)
18:02 plan h1 study=Study
> 18:02:00 authority: the plan of h1 is copied (2 rooms, 0 schedules; it will go on here if Netatmo is gone)
18:02 found 12:34 Study room=study from=netatmo
18:03 wish "Home app" study 22
> 18:03:00 wish: Study: 22 °C until 21:03 (asked for in Home app)
> 18:03:00 netatmo/study/target = 22 until Wed 21:03 (asked for in Home app)
