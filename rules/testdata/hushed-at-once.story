# A hush that comes before the siren has shown that it sounds turns it off all the same.
zone Europe/Paris
start 2025-10-29 18:00
device smoke1 NSD face=accessory
device siren1 NIS face=accessory siren

18:00 reading siren1 siren no
18:00:01 reading smoke1 smoke yes
> 18:00:01 alarm: smoke ALARM: NSD smoke1 (reported over accessory)
> 18:00:01 accessory/siren1/siren = yes (smoke alarm: NSD smoke1 says smoke)
18:00:01 wish MQTT hush
> 18:00:01 alarm: the sirens are hushed; the alarm goes on (asked for in MQTT)
> 18:00:01 accessory/siren1/siren = no (the sirens were hushed)
18:00:02 outcome accessory/siren1/siren ok
18:00:02 reading siren1 siren yes
18:00:03 reading siren1 siren no
18:01 nothing
