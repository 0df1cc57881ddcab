# Without a trusted clock no slot changes by schedule: a safe temperature is held.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison
room bath Bath
week 06:30=day 22:30=night
target day bath=21
target night bath=17
device v1 NRV room=bath face=accessory target=7..30/0.5 obeys

16:30 reading v1 target 21
16:30 view bath=schedule/21
16:41 probe internet-down "no host outside answers" every=15s lasting=5m
> 16:44:00 authority: Netatmo is gone: the house is run from here (no host outside answers since 16:41)
17:00 clock guess "restored after a power cut"
> 17:00:00 clock: the clock is only a guess: no slot changes by schedule until it is confirmed (restored after a power cut)
> 17:02:00 heating: Bath: NRV v1 is set to 19 °C (the clock is not trusted: a safe temperature is held)
> 17:02:00 accessory/v1/target = 19 (the clock is not trusted: a safe temperature is held)
22:45 clock trusted "a time server on the LAN"
> 22:45:00 clock: the clock is kept in step by a time server (a time server on the LAN)
> 22:45:00 heating: Bath: NRV v1 is set to 17 °C (schedule Week, zone night)
> 22:45:00 accessory/v1/target = 17 until Thu 06:30 (schedule Week, zone night)
