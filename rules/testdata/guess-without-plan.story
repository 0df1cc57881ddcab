# Without a plan nobody asked for any temperature, however doubtful the clock is.
zone Europe/Paris
start 2025-10-29 16:30
room bath Bath
device v1 Foreign foreign room=bath face=accessory target=7..30/0.5 obeys

16:30 clock guess "restored after a power cut"
> 16:30:00 clock: the clock is only a guess: no slot changes by schedule until it is confirmed (restored after a power cut)
16:30 reading v1 target 22
16:31 probe cloud-down "Netatmo answers 503" every=15s lasting=5m
> 16:32:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503 since 16:31)
17:00 nothing
