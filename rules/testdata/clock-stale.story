# A power cut in an outage: the Pi starts with the time it saved last, here ten hours behind. What a
# person wished before goes on, then a safe temperature is held until the clock is confirmed.
zone Europe/Paris
start 2026-01-14 16:30
home h1 Maison
room bath Bath
week 06:30=day 22:30=night
target day bath=21
target night bath=17
device v1 NRV room=bath face=accessory target=7..30/0.5 obeys
device smoke NSD room=bath face=accessory
device siren NIS face=accessory siren obeys

16:30 reading v1 target 21
16:30 view bath=schedule/21
16:30 reading siren siren no
16:41 probe cloud-down "no connection" every=15s lasting=5m
> 16:42:30 authority: Netatmo is gone: the house is run from here (no connection since 16:41)
17:00 reading smoke smoke no
17:00 wish "Home app" bath 22 for=12h
> 17:00:00 wish: Bath: 22 °C until 05:00 (asked for in Home app)
> 17:00:00 heating: Bath: NRV v1 is set to 22 °C (set in Home app until 05:00, then schedule)
> 17:00:00 accessory/v1/target = 22 until Thu 05:00 (set in Home app until 05:00, then schedule)
17:10 ahead -10h15m
> 17:10:00 clock: the clock is only a guess: no slot changes by schedule until it is confirmed (it was put back by 10 h and is being looked at)
03:10 restart
03:10:30 clock guess "nobody has confirmed the clock since this machine started"
> 03:10:30 clock: the clock is only a guess: no slot changes by schedule until it is confirmed (nobody has confirmed the clock since this machine started)
# the detector's word is new, though the clock shows less than when it spoke last
03:12 reading smoke smoke yes
> 03:12:00 alarm: smoke ALARM: NSD smoke in Bath (reported over accessory)
> 03:12:00 accessory/siren/siren = yes (smoke alarm: NSD smoke in Bath says smoke)
03:13 reading smoke smoke no
> 03:13:00 alarm: smoke alarm is over: NSD smoke (the detector that raised it says so)
> 03:13:00 accessory/siren/siren = no (no alarm sounds any more)
03:30 ahead 0s
03:30:30 clock trusted "a time server keeps the clock in step"
> 03:30:30 clock: the clock is kept in step by a time server (a time server keeps the clock in step)
# now the wish has its true end again
> 05:00:00 heating: Bath follows the home again (22 °C was set until 05:00)
> 05:00:00 heating: Bath: NRV v1 is set to 17 °C (schedule Week, zone night)
> 05:00:00 accessory/v1/target = 17 until Thu 06:30 (schedule Week, zone night)
05:05 nothing
