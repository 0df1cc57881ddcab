# A restart never silences a fire, silence of the detector ends nothing, a second detector sounds anew.
zone Europe/Paris
start 2025-10-29 18:00
home h1 Maison
room kitchen Kitchen
device co1 NCO room=kitchen face=accessory
device smoke1 NSD room=kitchen face=accessory
device siren1 NIS face=accessory siren obeys

18:00 reading co1 co no
18:01 reading co1 co yes
> 18:01:00 alarm: carbon monoxide ALARM: NCO co1 in Kitchen (reported over accessory)
> 18:01:00 accessory/siren1/siren = yes (carbon monoxide alarm: NCO co1 in Kitchen says carbon monoxide)
18:02 restart
18:03 reach co1 no "no answer"
18:04 wish "Home app" hush
> 18:04:00 alarm: the sirens are hushed; the alarm goes on (asked for in Home app)
> 18:04:00 accessory/siren1/siren = no (the sirens were hushed)
18:05 restart
18:06 reading smoke1 smoke yes
> 18:06:00 alarm: smoke ALARM: NSD smoke1 in Kitchen (reported over accessory)
> 18:06:00 accessory/siren1/siren = yes (smoke alarm: NSD smoke1 in Kitchen says smoke)
18:07 reading co1 co no
> 18:07:00 alarm: carbon monoxide alarm is over: NCO co1 (the detector that raised it says so)
18:08 reading smoke1 smoke no
> 18:08:00 alarm: smoke alarm is over: NSD smoke1 (the detector that raised it says so)
> 18:08:00 accessory/siren1/siren = no (no alarm sounds any more)
18:09 reading siren1 siren no
18:10 wish "Home app" hush
> 18:10:00 refused: Home app: hush (no alarm sounds)
