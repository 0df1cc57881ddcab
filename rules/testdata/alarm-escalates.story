# An alarm goes through its plan until somebody answers; sirens that sound then go on, what was not yet due never comes.
zone Europe/Paris
start 2025-10-29 18:00
home h1 Maison
room kitchen Kitchen
device smoke1 NSD room=kitchen face=accessory
device siren1 NIS face=accessory siren obeys
device siren2 NIS face=accessory siren obeys
device porch NOC face=camera floodlight obeys
device lamp1 Lamp face=accessory lamp obeys
plan tell=homekit tell=mqtt sound=siren1 light=all/30s run=/usr/local/bin/call/60s sound=all/120s repeat=2m

18:00 reading porch floodlight auto from=camera
18:01 reading smoke1 smoke yes
> 18:01:00 alarm: smoke ALARM: NSD smoke1 in Kitchen (reported over accessory)
> 18:01:00 homekit/alarm-1/tell = 1 (smoke alarm: NSD smoke1 in Kitchen says smoke)
> 18:01:00 mqtt/alarm-1/tell = 1 (smoke alarm: NSD smoke1 in Kitchen says smoke)
> 18:01:00 accessory/siren1/siren = yes (smoke alarm: NSD smoke1 in Kitchen says smoke)
18:01:01 outcome homekit/alarm-1/tell ok
> 18:01:01 alarm: told: Home app (confirmed)
18:01:01 outcome mqtt/alarm-1/tell "MQTT broker is not there"
> 18:01:01 alarm: not told: MQTT (MQTT broker is not there)
> 18:01:11 mqtt/alarm-1/tell = 1 (smoke alarm: NSD smoke1 in Kitchen says smoke)
18:01:20 outcome mqtt/alarm-1/tell ok
> 18:01:20 alarm: told: MQTT (confirmed)
> 18:01:30 camera/porch/floodlight = on (nobody has answered for 30 s: smoke alarm: NSD smoke1 in Kitchen says smoke)
> 18:01:30 accessory/lamp1/on = yes (nobody has answered for 30 s: smoke alarm: NSD smoke1 in Kitchen says smoke)
> 18:02:00 command/alarm-1//usr/local/bin/call/tell = 1 (nobody has answered for 60 s: smoke alarm: NSD smoke1 in Kitchen says smoke)
18:02:05 outcome command/alarm-1//usr/local/bin/call/tell ok
> 18:02:05 alarm: told: /usr/local/bin/call (confirmed)
18:02:06 restart
18:02:30 wish MQTT acknowledge
> 18:02:30 alarm: somebody has taken note: nobody else is told; the alarm goes on (acknowledged in MQTT)
18:02:31 wish MQTT acknowledge
> 18:02:31 refused: MQTT: acknowledge (no alarm waits for an answer)
18:05 restart
18:06 wish "Home app" hush
> 18:06:00 alarm: the sirens are hushed; the alarm goes on (asked for in Home app)
> 18:06:00 accessory/siren1/siren = no (the sirens were hushed)
> 18:06:00 accessory/siren2/siren = no (the sirens were hushed)
18:08 reading smoke1 smoke no
> 18:08:00 alarm: smoke alarm is over: NSD smoke1 (the detector that raised it says so)
> 18:08:00 accessory/lamp1/on = no (the alarm is over: as it was before)
> 18:08:00 camera/porch/floodlight = auto (the alarm is over: as it was before)
18:09 wish MQTT acknowledge
> 18:09:00 refused: MQTT: acknowledge (no alarm waits for an answer)
