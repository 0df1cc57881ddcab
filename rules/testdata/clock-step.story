# The clock is put back by ten years and comes back: no slot changes by it, a fire sounds at once, and
# a wish holds neither for ten years nor twice.
zone Europe/Paris
start 2026-01-14 22:00
home h1 Maison
room bath Bath
room bed Bedroom
week 06:30=day 22:30=night
target day bath=21 bed=18
target night bath=17 bed=16
device v1 NRV room=bath face=accessory target=7..30/0.5 obeys
device v2 NRV room=bed face=accessory target=7..30/0.5 obeys
device smoke NSD room=bath face=accessory
device siren NIS face=accessory siren obeys

22:00 reading v1 target 21
22:00 reading v2 target 18
22:00 view bath=schedule/21 bed=schedule/18
22:00 reading siren siren no
22:00 reading smoke smoke no
22:01 probe cloud-down "no connection" every=15s lasting=5m
> 22:02:30 authority: Netatmo is gone: the house is run from here (no connection since 22:01)
22:10 wish "Home app" bed 20 for=1h
> 22:10:00 wish: Bedroom: 20 °C until 23:10 (asked for in Home app)
> 22:10:00 heating: Bedroom: NRV v2 is set to 20 °C (set in Home app until 23:10, then schedule)
> 22:10:00 accessory/v2/target = 20 until Wed 23:10 (set in Home app until 23:10, then schedule)
22:20 ahead -87660h
> 22:20:00 clock: the clock is only a guess: no slot changes by schedule until it is confirmed (it was put back by 3652 days and is being looked at)
> 22:22:00 heating: Bath: NRV v1 is set to 19 °C (the clock is not trusted: a safe temperature is held)
> 22:22:00 accessory/v1/target = 19 (the clock is not trusted: a safe temperature is held)
22:31 reading smoke smoke yes
> 22:31:00 alarm: smoke ALARM: NSD smoke in Bath (reported over accessory)
> 22:31:00 accessory/siren/siren = yes (smoke alarm: NSD smoke in Bath says smoke)
22:32 reading smoke smoke no
> 22:32:00 alarm: smoke alarm is over: NSD smoke (the detector that raised it says so)
> 22:32:00 accessory/siren/siren = no (no alarm sounds any more)
> 23:10:10 heating: Bedroom follows the home again (20 °C was set until Wed 14 Jan 23:10)
> 23:10:10 heating: Bedroom: NRV v2 is set to 18 °C (the clock is not trusted: a safe temperature is held)
> 23:10:10 accessory/v2/target = 18 (the clock is not trusted: a safe temperature is held)
23:15 ahead 0s
23:15:10 clock trusted "a time server keeps the clock in step"
> 23:15:10 clock: the clock is kept in step by a time server (a time server keeps the clock in step)
> 23:15:10 heating: Bath: NRV v1 is set to 17 °C (schedule Week, zone night)
> 23:15:10 heating: Bedroom: NRV v2 is set to 16 °C (schedule Week, zone night)
> 23:15:10 accessory/v1/target = 17 until Thu 06:30 (schedule Week, zone night)
> 23:15:10 accessory/v2/target = 16 until Thu 06:30 (schedule Week, zone night)
23:30 nothing
