# A siren that does not answer is asked again, sooner than a valve would be.
zone Europe/Paris
start 2025-10-29 18:00
device smoke1 NSD face=accessory
device siren1 NIS face=accessory siren

18:00 reading smoke1 smoke yes
> 18:00:00 alarm: smoke ALARM: NSD smoke1 (reported over accessory)
> 18:00:00 accessory/siren1/siren = yes (smoke alarm: NSD smoke1 says smoke)
> 18:00:10 accessory/siren1/siren = yes (smoke alarm: NSD smoke1 says smoke)
18:00:12 outcome accessory/siren1/siren "no answer"
> 18:00:12 device: yes for siren of NIS siren1 was not carried out (no answer)
> 18:00:22 accessory/siren1/siren = yes (smoke alarm: NSD smoke1 says smoke)
> 18:00:42 accessory/siren1/siren = yes (smoke alarm: NSD smoke1 says smoke)
> 18:01:22 accessory/siren1/siren = yes (smoke alarm: NSD smoke1 says smoke)
> 18:02:22 accessory/siren1/siren = yes (smoke alarm: NSD smoke1 says smoke)
18:03 outcome accessory/siren1/siren ok
18:05 reading smoke1 smoke no
> 18:05:00 alarm: smoke alarm is over: NSD smoke1 (the detector that raised it says so)
> 18:05:00 accessory/siren1/siren = no (no alarm sounds any more)
