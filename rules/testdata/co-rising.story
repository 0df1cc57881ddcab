# Gas that lasts is told before the detector sounds; only its own level ends that.
zone Europe/Paris
start 2025-10-29 18:00
device co1 NCO face=accessory
device siren1 NIS face=accessory siren obeys

18:00 reading co1 co-level 60
18:30 reading co1 co-level 40
18:31 reading co1 co-level 60
18:40 restart
19:31 nothing
> 19:31:00 alarm: carbon monoxide PRE-ALARM: NCO co1: open the windows (50 ppm or more for 60 minutes)
19:32 reading co1 co no
19:33 reading co1 co-level 20
> 19:33:00 alarm: carbon monoxide pre-alarm is over: NCO co1 (its level is 20 ppm)
19:40 reading co1 co-level 150
> 19:50:00 alarm: carbon monoxide PRE-ALARM: NCO co1: open the windows (100 ppm or more for 10 minutes)
19:51 reading co1 co yes
> 19:51:00 alarm: carbon monoxide ALARM: NCO co1 (reported over accessory)
> 19:51:00 accessory/siren1/siren = yes (carbon monoxide alarm: NCO co1 says carbon monoxide)
19:55 reading co1 co-level 0
19:56 reading co1 co no
> 19:56:00 alarm: carbon monoxide alarm is over: NCO co1 (the detector that raised it says so)
> 19:56:00 accessory/siren1/siren = no (no alarm sounds any more)
