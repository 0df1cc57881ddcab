# An alarm in a drill is none of the drill: nobody who is told of it, and no light, reads that it is only one.
zone Europe/Paris
start 2025-10-29 16:00
home h1 Maison
room bath Bath
week 06:30=day
target day bath=19
device v1 NRV room=bath face=accessory target=7..30/0.5 obeys
device s1 NSD room=bath face=accessory
device lamp1 Lamp face=accessory lamp obeys
plan tell=mqtt run=/usr/local/bin/call light=all

16:00 reading v1 target 19
16:00 reading lamp1 on no
16:00 view bath=schedule/19
16:01 probe ok "Netatmo answers"
16:10 wish control drill for=20m
> 16:10:00 authority: drill: the house is run from here until 16:30 (asked for in control; Netatmo is not touched meanwhile)
16:15 reading s1 smoke yes
> 16:15:00 alarm: smoke ALARM: NSD s1 in Bath (reported over accessory)
> 16:15:00 authority: drill: it ends: Netatmo is read first, nothing is written there (an alarm sounds, and it is no drill)
> 16:15:00 mqtt/alarm-2/tell = 1 (smoke alarm: NSD s1 in Bath says smoke)
> 16:15:00 command/alarm-2//usr/local/bin/call/tell = 1 (smoke alarm: NSD s1 in Bath says smoke)
> 16:15:00 accessory/lamp1/on = yes (smoke alarm: NSD s1 in Bath says smoke)
> 16:15:00 netatmo/h1/look = 2025-10-29T15:15:00Z (drill: the house is about to be handed back)
