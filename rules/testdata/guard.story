# A guarded house: time to leave, time to switch it off, and an alarm that goes through the plan and ends when a person says so.
zone Europe/Paris
start 2025-10-29 08:00
room hall Hall
room living Living
device door Door foreign room=hall face=accessory
device eye Motion foreign room=living face=accessory
device siren Siren foreign face=accessory siren obeys
guard exit=45s entry=30s sirens=3m door=stay,away,night,entrance eye=away
plan tell=mqtt sound=all repeat=2m

08:00 reading door contact no
08:00 reading eye motion no
08:00 reading siren siren no
08:01 wish "Home app" guard away
> 08:01:00 guard: the house will be guarded (away) in 45 s (set in Home app)
08:01:10 reading eye motion yes
08:01:20 reading door contact yes
08:01:30 reading door contact no
08:01:40 reading eye motion no
# somebody of the house comes home and switches it off in time
> 08:01:45 guard: the house is guarded (away) (the time to leave is over)
12:00 reading door contact yes
> 12:00:00 guard: somebody comes in: the guard can be switched off for 30 s (Door door in Hall was opened)
12:00:10 reading door contact no
12:00:15 reading eye motion no
12:00:20 wish "Home app" guard off
> 12:00:20 guard: the house is no longer guarded (switched off in Home app)
# at night the motion in the living room does not count
22:00 wish MQTT guard night
> 22:00:00 guard: the house is guarded (night) (set in MQTT)
22:30 reading eye motion yes
22:31 reading eye motion no
# a stranger comes in by the door, and nobody switches it off
03:00 reading door contact yes
> 03:00:00 guard: somebody comes in: the guard can be switched off for 30 s (Door door in Hall was opened)
# another sensor that counts would sound anew; the sirens fall silent by themselves, people go on being told
> 03:00:30 alarm: intrusion ALARM: Door door in Hall (Door door in Hall was opened)
> 03:00:30 mqtt/alarm-7/tell = 1 (intrusion alarm: Door door in Hall was opened)
> 03:00:30 accessory/siren/siren = yes (intrusion alarm: Door door in Hall was opened)
> 03:00:40 mqtt/alarm-7/tell = 1 (intrusion alarm: Door door in Hall was opened)
> 03:00:50 mqtt/alarm-7/tell = 1 (intrusion alarm: Door door in Hall was opened)
> 03:01:10 mqtt/alarm-7/tell = 1 (intrusion alarm: Door door in Hall was opened)
> 03:01:50 mqtt/alarm-7/tell = 1 (intrusion alarm: Door door in Hall was opened)
> 03:02:30 mqtt/alarm-7/tell = 2 (intrusion alarm: Door door in Hall was opened)
> 03:02:40 mqtt/alarm-7/tell = 2 (intrusion alarm: Door door in Hall was opened)
> 03:02:50 mqtt/alarm-7/tell = 2 (intrusion alarm: Door door in Hall was opened)
> 03:03:10 mqtt/alarm-7/tell = 2 (intrusion alarm: Door door in Hall was opened)
> 03:03:30 alarm: the sirens fall silent; the alarm goes on (they have sounded for 3 minutes)
> 03:03:30 accessory/siren/siren = no (the sirens were hushed)
> 03:03:50 mqtt/alarm-7/tell = 2 (intrusion alarm: Door door in Hall was opened)
> 03:04:30 mqtt/alarm-7/tell = 3 (intrusion alarm: Door door in Hall was opened)
> 03:04:40 mqtt/alarm-7/tell = 3 (intrusion alarm: Door door in Hall was opened)
> 03:04:50 mqtt/alarm-7/tell = 3 (intrusion alarm: Door door in Hall was opened)
> 03:05:10 mqtt/alarm-7/tell = 3 (intrusion alarm: Door door in Hall was opened)
> 03:05:50 mqtt/alarm-7/tell = 3 (intrusion alarm: Door door in Hall was opened)
03:06 restart
> 03:06:00 mqtt/alarm-7/tell = 3 (intrusion alarm: Door door in Hall was opened)
> 03:06:10 mqtt/alarm-7/tell = 3 (intrusion alarm: Door door in Hall was opened)
> 03:06:20 mqtt/alarm-7/tell = 3 (intrusion alarm: Door door in Hall was opened)
> 03:06:30 mqtt/alarm-7/tell = 4 (intrusion alarm: Door door in Hall was opened)
> 03:06:40 mqtt/alarm-7/tell = 4 (intrusion alarm: Door door in Hall was opened)
> 03:06:50 mqtt/alarm-7/tell = 4 (intrusion alarm: Door door in Hall was opened)
> 03:07:10 mqtt/alarm-7/tell = 4 (intrusion alarm: Door door in Hall was opened)
> 03:07:50 mqtt/alarm-7/tell = 4 (intrusion alarm: Door door in Hall was opened)
03:08 wish "Home app" acknowledge
> 03:08:00 alarm: somebody has taken note: nobody else is told; the alarm goes on (acknowledged in Home app)
# a restart keeps the alarm; the door that is shut again ends nothing
03:10 reading door contact no
03:11 wish MQTT guard stay
> 03:11:00 refused: MQTT: the guard for stay (somebody has come in: switch it off first)
03:12 wish "Home app" guard off
> 03:12:00 guard: the house is no longer guarded (switched off in Home app)
> 03:12:00 alarm: intrusion alarm is over: Door door (switched off in Home app)
