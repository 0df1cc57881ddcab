# A detector of which nothing is heard for longer than its family may be silent is at fault; that ends no alarm and begins none.
zone Europe/Paris
start 2025-10-29 18:00
device smoke1 NSD
device foreign Detector foreign face=accessory
silent NSD=192h

18:00 reading smoke1 smoke no from=netatmo
18:00 reading foreign smoke no
18:10 reach foreign no "no answer"
> 18:10:00 device: Detector foreign does not answer over accessory (no answer)
> 20:00:10 device: Detector foreign is at fault: it is silent, and nobody knows whether it smells anything (nothing was heard of it for 2 hours)
20:20 nothing
20:30 reach foreign yes
> 20:30:00 device: Detector foreign is heard again (it was silent)
> 20:30:00 device: Detector foreign answers over accessory ()
20:31 reading foreign smoke yes
> 20:31:00 alarm: smoke ALARM: Detector foreign (reported over accessory)
23:59 reach foreign no "no answer"
> 23:59:00 device: Detector foreign does not answer over accessory (no answer)
