# An alarm that two paths have brought is over when neither says so any more.
zone Europe/Paris
start 2025-10-29 18:00
device smoke1 NSD face=accessory

18:00 reading smoke1 smoke yes from=netatmo
> 18:00:00 alarm: smoke ALARM: NSD smoke1 (reported over netatmo)
18:00:10 reading smoke1 smoke yes
18:01 reading smoke1 smoke no
18:02 reading smoke1 smoke no from=netatmo
> 18:02:00 alarm: smoke alarm is over: NSD smoke1 (the detector that raised it says so)
