# What is open or not heard is not guarded: setting the guard is refused, or it is left out in words. A sensor that counts always does so whatever the guard is set to.
zone Europe/Paris
start 2025-10-29 08:00
room hall Hall
device door Door foreign room=hall face=accessory
device window Window foreign room=hall face=accessory
device eye Motion foreign room=hall face=accessory
device glass Glass foreign face=accessory
guard exit=30s entry=20s door=stay,away,night,entrance window=stay,away,night eye=away,entrance glass=always lost=away
plan tell=mqtt

08:00 reading door contact no
08:00 reading window contact yes
08:00 reading eye motion no
08:00 wish MQTT guard stay
> 08:00:00 refused: MQTT: the guard for stay (Window window in Hall (open), Glass glass (not heard); see to it, or leave it out by a wish with bypass)
08:00 reading glass motion no
08:01 wish MQTT guard stay
> 08:01:00 refused: MQTT: the guard for stay (Window window in Hall (open); see to it, or leave it out by a wish with bypass)
08:02 wish MQTT guard holiday
> 08:02:00 refused: MQTT: the guard for "holiday" (it is set to stay, away, night or off)
08:03 reading window contact no
08:04 wish MQTT guard stay
> 08:04:00 guard: the house is guarded (stay) (set in MQTT)
08:05 wish MQTT guard off
> 08:05:00 guard: the house is no longer guarded (switched off in MQTT)
08:06 wish MQTT guard away
> 08:06:00 refused: MQTT: the guard for away (lost (not known here); see to it, or leave it out by a wish with bypass)
08:07 wish MQTT guard away bypass
> 08:07:00 guard: the house will be guarded (away) in 30 s (set in MQTT, without lost (not known here))
# the door stands open when the time to leave is over: it counts once it is shut
08:07:10 reading door contact yes
08:07:29 nothing
> 08:07:30 guard: the house is guarded (away) (the time to leave is over; not watched until it is shut: Door door in Hall (open))
08:10 reading door contact no
> 08:10:00 guard: Door door in Hall is watched, too (it is shut now)
08:12 reading door contact yes
> 08:12:00 guard: somebody comes in: the guard can be switched off for 20 s (Door door in Hall was opened)
08:12:10 wish "Home app" guard off
> 08:12:10 guard: the house is no longer guarded (switched off in Home app)
08:12:20 reading door contact no
08:15 wish MQTT guard away bypass
> 08:15:00 guard: the house will be guarded (away) in 30 s (set in MQTT, without lost (not known here))
# who comes in by the window has no time
> 08:15:30 guard: the house is guarded (away) (the time to leave is over)
08:30 reading window contact yes
> 08:30:00 alarm: intrusion ALARM: Window window in Hall (Window window in Hall was opened)
> 08:30:00 mqtt/alarm-14/tell = 1 (intrusion alarm: Window window in Hall was opened)
> 08:30:10 mqtt/alarm-14/tell = 1 (intrusion alarm: Window window in Hall was opened)
> 08:30:20 mqtt/alarm-14/tell = 1 (intrusion alarm: Window window in Hall was opened)
> 08:30:40 mqtt/alarm-14/tell = 1 (intrusion alarm: Window window in Hall was opened)
08:31 wish "Home app" guard off
> 08:31:00 guard: the house is no longer guarded (switched off in Home app)
> 08:31:00 alarm: intrusion alarm is over: Window window (switched off in Home app)
08:31:10 reading window contact no
08:31:10 reading door contact no
# a broken pane counts although the guard is off
09:00 reading glass motion yes
> 09:00:00 alarm: intrusion ALARM: Glass glass (Glass glass sees motion)
> 09:00:00 mqtt/alarm-17/tell = 1 (intrusion alarm: Glass glass sees motion)
09:00:05 wish MQTT guard off
> 09:00:05 alarm: intrusion alarm is over: Glass glass (switched off in MQTT)
# the clock is put back while people leave: the delay stays what it is
10:00 reading glass motion no
10:00 wish MQTT guard night
> 10:00:00 guard: the house is guarded (night) (set in MQTT)
10:01 wish MQTT guard off
> 10:01:00 guard: the house is no longer guarded (switched off in MQTT)
10:02 wish MQTT guard away bypass
> 10:02:00 guard: the house will be guarded (away) in 30 s (set in MQTT, without lost (not known here))
10:02:10 restart
> 10:02:40 guard: the house is guarded (away) (the time to leave is over)
10:02:45 nothing
10:05 reading door contact no
10:05 reading window contact no
10:05 reading eye motion no
10:05 reading glass motion no
10:06 reach door yes
> 10:06:00 device: Door door answers over accessory ()
10:06 reach window yes
> 10:06:00 device: Window window answers over accessory ()
10:06 reach eye yes
> 10:06:00 device: Motion eye answers over accessory ()
10:06 reach glass yes
> 10:06:00 device: Glass glass answers over accessory ()
# a sensor that is lost while it counts is told
11:00 reach window no "no route"
> 11:00:00 device: Window window does not answer over accessory (no route)
> 11:00:10 guard: the guard does not see what happens at Window window in Hall (it is not heard)
11:01 reach window yes
> 11:01:00 device: Window window answers over accessory ()
11:02 reading window contact yes
> 11:02:00 alarm: intrusion ALARM: Window window in Hall (Window window in Hall was opened)
> 11:02:00 mqtt/alarm-30/tell = 1 (intrusion alarm: Window window in Hall was opened)
