# Open pages are told of an alarm. That no page is open is said once, not at every round; one that is opened later confirms, and
# what is answered from it is answered for all.
zone Europe/Paris
start 2025-10-29 18:00
home h1 Maison
room kitchen Kitchen
device smoke1 NSD room=kitchen face=accessory
plan tell=page repeat=2m

18:01 reading smoke1 smoke yes
> 18:01:00 alarm: smoke ALARM: NSD smoke1 in Kitchen (reported over accessory)
> 18:01:00 web/alarm-1/tell = 1 (smoke alarm: NSD smoke1 in Kitchen says smoke)
18:01:01 outcome web/alarm-1/tell "no page is open"
> 18:01:01 alarm: not told: page (no page is open)
> 18:01:11 web/alarm-1/tell = 1 (smoke alarm: NSD smoke1 in Kitchen says smoke)
> 18:01:21 web/alarm-1/tell = 1 (smoke alarm: NSD smoke1 in Kitchen says smoke)
> 18:01:41 web/alarm-1/tell = 1 (smoke alarm: NSD smoke1 in Kitchen says smoke)
> 18:02:21 web/alarm-1/tell = 1 (smoke alarm: NSD smoke1 in Kitchen says smoke)
18:03:01 outcome web/alarm-1/tell "no page is open"
> 18:03:01 web/alarm-1/tell = 2 (smoke alarm: NSD smoke1 in Kitchen says smoke)
> 18:03:11 web/alarm-1/tell = 2 (smoke alarm: NSD smoke1 in Kitchen says smoke)
> 18:03:21 web/alarm-1/tell = 2 (smoke alarm: NSD smoke1 in Kitchen says smoke)
18:03:30 outcome web/alarm-1/tell ok
> 18:03:30 alarm: told: page (confirmed)
18:04 wish page acknowledge
> 18:04:00 alarm: somebody has taken note: nobody else is told; the alarm goes on (acknowledged in page)
18:10 reading smoke1 smoke no
> 18:10:00 alarm: smoke alarm is over: NSD smoke1 (the detector that raised it says so)
