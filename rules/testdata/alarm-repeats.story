# Who is to be told is told again, round after round, also after a restart, until the alarm is over; then it is shown as cleared for an hour.
zone Europe/Paris
start 2025-10-29 18:00
device smoke1 NSD face=accessory
plan tell=mqtt repeat=2m

18:00 reading smoke1 smoke yes
> 18:00:00 alarm: smoke ALARM: NSD smoke1 (reported over accessory)
> 18:00:00 mqtt/alarm-1/tell = 1 (smoke alarm: NSD smoke1 says smoke)
18:00:01 outcome mqtt/alarm-1/tell ok
> 18:00:01 alarm: told: MQTT (confirmed)
> 18:02:01 mqtt/alarm-1/tell = 2 (smoke alarm: NSD smoke1 says smoke)
> 18:02:11 mqtt/alarm-1/tell = 2 (smoke alarm: NSD smoke1 says smoke)
> 18:02:21 mqtt/alarm-1/tell = 2 (smoke alarm: NSD smoke1 says smoke)
18:02:30 outcome mqtt/alarm-1/tell ok
18:03 restart
> 18:04:00 mqtt/alarm-1/tell = 3 (smoke alarm: NSD smoke1 says smoke)
> 18:04:10 mqtt/alarm-1/tell = 3 (smoke alarm: NSD smoke1 says smoke)
> 18:04:20 mqtt/alarm-1/tell = 3 (smoke alarm: NSD smoke1 says smoke)
18:04:30 outcome mqtt/alarm-1/tell ok
18:05 reading smoke1 smoke no
> 18:05:00 alarm: smoke alarm is over: NSD smoke1 (the detector that raised it says so)
18:30 reading smoke1 smoke yes
> 18:30:00 alarm: smoke ALARM: NSD smoke1 (reported over accessory)
> 18:30:00 mqtt/alarm-4/tell = 1 (smoke alarm: NSD smoke1 says smoke)
> 18:30:10 mqtt/alarm-4/tell = 1 (smoke alarm: NSD smoke1 says smoke)
> 18:30:20 mqtt/alarm-4/tell = 1 (smoke alarm: NSD smoke1 says smoke)
> 18:30:40 mqtt/alarm-4/tell = 1 (smoke alarm: NSD smoke1 says smoke)
18:31 wish MQTT hush
> 18:31:00 alarm: the sirens are hushed; the alarm goes on (asked for in MQTT)
18:35 reading smoke1 smoke no
> 18:35:00 alarm: smoke alarm is over: NSD smoke1 (the detector that raised it says so)
