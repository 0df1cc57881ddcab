# Who waits gets a quicker verdict: a command that is not answered is one sign, a probe that fails the
# other. Without a person waiting the same takes 90 s.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison
room bath Bath
week 06:30=day
target day bath=19
device v1 NRV room=bath face=accessory target=7..30/0.5 obeys

16:30 reading v1 target 19
16:30 view bath=schedule/19
16:30 probe ok "Netatmo answers"
16:35 wish "Home app" bath 21 for=1h
> 16:35:00 wish: Bath: 21 °C until 17:35 (asked for in Home app)
> 16:35:00 netatmo/bath/target = 21 until Wed 17:35 (asked for in Home app)
> 16:35:03 heating: Bath: NRV v1 is set to 21 °C (set in Home app until 17:35, then schedule; Netatmo has not answered within 3s)
> 16:35:03 accessory/v1/target = 21 until Wed 17:35 (set in Home app until 17:35, then schedule; Netatmo has not answered within 3s)
16:35:06 probe cloud-down "The connection to Netatmo was not answered; your internet works: 3 of 3 witnesses answered" every=15s lasting=1m
> 16:35:31 netatmo/bath/target = 21 until Wed 17:35 (asked for in Home app)
> 16:35:36 authority: Netatmo is gone: the house is run from here (The connection to Netatmo was not answered since 16:35; your internet works: 3 of 3 witnesses answered)
16:37 nothing
