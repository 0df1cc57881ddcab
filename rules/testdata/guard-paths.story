# A sensor counts by the path by which it is heard: what the cloud says late means nothing, and without the cloud nothing that only it hears is watched.
zone Europe/Paris
start 2025-10-29 08:00
home h1 Maison
room hall Hall
device camera NACamera room=hall
device door Door foreign room=hall face=accessory
guard exit=30s entry=20s camera=away door=away,stay
plan tell=mqtt

08:00 reading camera motion no from=netatmo
08:00 reading door contact no
# people are seen to leave: that is neither a reason to refuse nor an intruder
08:00:30 reading camera motion yes from=netatmo
08:01 wish "Home app" guard away
> 08:01:00 guard: the house will be guarded (away) in 30 s (set in Home app)
08:01:20 reading camera motion yes from=netatmo
> 08:01:30 guard: the house is guarded (away) (the time to leave is over)
08:01:40 reading camera motion no from=netatmo
09:00 reading camera motion yes from=netatmo
> 09:00:00 alarm: intrusion ALARM: NACamera camera in Hall (NACamera camera in Hall sees motion)
> 09:00:00 mqtt/alarm-3/tell = 1 (intrusion alarm: NACamera camera in Hall sees motion)
09:00:10 wish "Home app" guard off
> 09:00:10 guard: the house is no longer guarded (switched off in Home app)
> 09:00:10 alarm: intrusion alarm is over: NACamera camera (switched off in Home app)
09:05 reading camera motion no from=netatmo
# with the cloud gone the camera's own motion is not heard
09:10 probe cloud-down "Netatmo answers 503" every=15s lasting=5m
> 09:11:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503 since 09:10)
09:20 wish "Home app" guard away
> 09:20:00 refused: Home app: the guard for away (NACamera camera in Hall (not heard); see to it, or leave it out by a wish with bypass)
09:21 wish MQTT guard away bypass
> 09:21:00 guard: the house will be guarded (away) in 30 s (set in MQTT, without NACamera camera in Hall (not heard))
> 09:21:30 guard: the house is guarded (away) (the time to leave is over)
09:30 reading door contact yes
> 09:30:00 alarm: intrusion ALARM: Door door in Hall (Door door in Hall was opened)
> 09:30:00 mqtt/alarm-10/tell = 1 (intrusion alarm: Door door in Hall was opened)
> 09:30:10 mqtt/alarm-10/tell = 1 (intrusion alarm: Door door in Hall was opened)
> 09:30:20 mqtt/alarm-10/tell = 1 (intrusion alarm: Door door in Hall was opened)
> 09:30:40 mqtt/alarm-10/tell = 1 (intrusion alarm: Door door in Hall was opened)
09:31 wish MQTT guard off
> 09:31:00 guard: the house is no longer guarded (switched off in MQTT)
> 09:31:00 alarm: intrusion alarm is over: Door door (switched off in MQTT)
# an alarm that is on is switched off before the guard is set anew
09:32 reading door contact no
09:33 wish MQTT guard stay
> 09:33:00 guard: the house is guarded (stay) (set in MQTT)
09:34 reading door contact yes
> 09:34:00 alarm: intrusion ALARM: Door door in Hall (Door door in Hall was opened)
> 09:34:00 mqtt/alarm-14/tell = 1 (intrusion alarm: Door door in Hall was opened)
> 09:34:10 mqtt/alarm-14/tell = 1 (intrusion alarm: Door door in Hall was opened)
> 09:34:20 mqtt/alarm-14/tell = 1 (intrusion alarm: Door door in Hall was opened)
09:34:30 wish MQTT acknowledge
> 09:34:30 alarm: somebody has taken note: nobody else is told; the alarm goes on (acknowledged in MQTT)
09:35 wish MQTT guard away bypass
> 09:35:00 refused: MQTT: the guard for away (somebody has come in: switch it off first)
