# A device that takes nothing: seldom asked, at most twelve times a day over the plan, and a person is told.
zone Europe/Paris
start 2025-10-29 12:00
home h1 Maison default=3h
room bath Bath
week 06:30=day
target day bath=20
device v1 NRV room=bath face=accessory target=7..30/0.5

12:00 reading v1 target 20
12:00 view bath=schedule/20
12:10 probe cloud-down "Netatmo answers 503" every=15s lasting=2m
> 12:11:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503 since 12:10)
13:00 wish "Home app" bath 22 for=20h
> 13:00:00 wish: Bath: 22 °C until 09:00 (asked for in Home app)
> 13:00:00 heating: Bath: NRV v1 is set to 22 °C (set in Home app until 09:00, then schedule)
> 13:00:00 accessory/v1/target = 22 until Thu 09:00 (set in Home app until 09:00, then schedule)
13:00:01 outcome accessory/v1/target ok
> 13:05:01 accessory/v1/target = 22 until Thu 09:00 (set in Home app until 09:00, then schedule)
13:05:10 outcome accessory/v1/target ok
> 13:10:10 accessory/v1/target = 22 until Thu 09:00 (set in Home app until 09:00, then schedule)
> 13:12:10 heating: Bath: NRV v1 does not take 22 °C; it is asked again, ever more seldom (it was asked some times and still shows another target)
> 13:12:10 accessory/v1/target = 22 until Thu 09:00 (set in Home app until 09:00, then schedule)
> 13:16:10 accessory/v1/target = 22 until Thu 09:00 (set in Home app until 09:00, then schedule)
> 13:24:10 accessory/v1/target = 22 until Thu 09:00 (set in Home app until 09:00, then schedule)
> 13:40:10 accessory/v1/target = 22 until Thu 09:00 (set in Home app until 09:00, then schedule)
> 14:12:10 accessory/v1/target = 22 until Thu 09:00 (set in Home app until 09:00, then schedule)
> 15:16:10 accessory/v1/target = 22 until Thu 09:00 (set in Home app until 09:00, then schedule)
> 17:16:10 accessory/v1/target = 22 until Thu 09:00 (set in Home app until 09:00, then schedule)
> 19:16:10 accessory/v1/target = 22 until Thu 09:00 (set in Home app until 09:00, then schedule)
> 21:16:10 accessory/v1/target = 22 until Thu 09:00 (set in Home app until 09:00, then schedule)
> 23:16:10 accessory/v1/target = 22 until Thu 09:00 (set in Home app until 09:00, then schedule)
> 09:00:00 heating: Bath follows the home again (22 °C was set until 09:00)
> 09:00:00 heating: Bath: NRV v1 is set to 20 °C (schedule Week, zone day)
> 09:00:00 accessory/v1/target = 20 (schedule Week, zone day)
12:00 nothing
