# Who stands in the plan at two times is told at both, and between them and afterwards at the usual rounds.
zone Europe/Paris
start 2025-10-29 18:00
device smoke1 NSD face=accessory
plan tell=mqtt run=/usr/local/bin/call/30s tell=mqtt/60s run=/usr/local/bin/call/300s repeat=2m

18:00 reading smoke1 smoke yes
> 18:00:00 alarm: smoke ALARM: NSD smoke1 (reported over accessory)
> 18:00:00 mqtt/alarm-1/tell = 1 (smoke alarm: NSD smoke1 says smoke)
18:00:01 outcome mqtt/alarm-1/tell ok
> 18:00:01 alarm: told: MQTT (confirmed)
> 18:00:30 command/alarm-1//usr/local/bin/call/tell = 1 (nobody has answered for 30 s: smoke alarm: NSD smoke1 says smoke)
18:00:31 outcome command/alarm-1//usr/local/bin/call/tell ok
> 18:00:31 alarm: told: /usr/local/bin/call (confirmed)
> 18:01:00 mqtt/alarm-1/tell = 2 (nobody has answered for 60 s: smoke alarm: NSD smoke1 says smoke)
18:01:01 outcome mqtt/alarm-1/tell ok
> 18:02:01 mqtt/alarm-1/tell = 3 (nobody has answered for 60 s: smoke alarm: NSD smoke1 says smoke)
18:02:05 outcome mqtt/alarm-1/tell ok
18:02:35 outcome command/alarm-1//usr/local/bin/call/tell ok
> 18:02:35 command/alarm-1//usr/local/bin/call/tell = 2 (nobody has answered for 30 s: smoke alarm: NSD smoke1 says smoke)
> 18:02:45 command/alarm-1//usr/local/bin/call/tell = 2 (nobody has answered for 30 s: smoke alarm: NSD smoke1 says smoke)
> 18:02:55 command/alarm-1//usr/local/bin/call/tell = 2 (nobody has answered for 30 s: smoke alarm: NSD smoke1 says smoke)
> 18:03:15 command/alarm-1//usr/local/bin/call/tell = 2 (nobody has answered for 30 s: smoke alarm: NSD smoke1 says smoke)
> 18:03:55 command/alarm-1//usr/local/bin/call/tell = 2 (nobody has answered for 30 s: smoke alarm: NSD smoke1 says smoke)
18:04:05 outcome mqtt/alarm-1/tell ok
> 18:04:05 mqtt/alarm-1/tell = 4 (nobody has answered for 60 s: smoke alarm: NSD smoke1 says smoke)
> 18:04:15 mqtt/alarm-1/tell = 4 (nobody has answered for 60 s: smoke alarm: NSD smoke1 says smoke)
> 18:04:25 mqtt/alarm-1/tell = 4 (nobody has answered for 60 s: smoke alarm: NSD smoke1 says smoke)
18:04:35 outcome command/alarm-1//usr/local/bin/call/tell ok
> 18:04:35 command/alarm-1//usr/local/bin/call/tell = 3 (nobody has answered for 30 s: smoke alarm: NSD smoke1 says smoke)
> 18:04:45 mqtt/alarm-1/tell = 4 (nobody has answered for 60 s: smoke alarm: NSD smoke1 says smoke)
> 18:04:45 command/alarm-1//usr/local/bin/call/tell = 3 (nobody has answered for 30 s: smoke alarm: NSD smoke1 says smoke)
> 18:04:55 command/alarm-1//usr/local/bin/call/tell = 3 (nobody has answered for 30 s: smoke alarm: NSD smoke1 says smoke)
> 18:05:00 command/alarm-1//usr/local/bin/call/tell = 4 (nobody has answered for 5 minutes: smoke alarm: NSD smoke1 says smoke)
18:05:01 outcome command/alarm-1//usr/local/bin/call/tell ok
18:05:30 reading smoke1 smoke no
> 18:05:30 alarm: smoke alarm is over: NSD smoke1 (the detector that raised it says so)
