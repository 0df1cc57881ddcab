# A revoked sign-in is no outage of the vendor's, but nobody can serve the house: it is run from here,
# and people are told what to do. It is not forgotten with time.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison
room bath Bath
week 06:30=day
target day bath=19

16:30 view bath=schedule/19
16:30 probe ok "Netatmo answers"
16:31 call auth auth-revoked "the vendor no longer accepts the sign-in: log in again: veilleuse login"
16:31:10 probe ok "Netatmo answers" every=15s lasting=3m
> 16:32:40 authority: nobody is signed in at Netatmo any more: the house is run from here (Netatmo has not accepted the sign-in since 16:31; log in again: veilleuse login)
16:40 probe ok "Netatmo answers" every=2m lasting=60m
17:41 call auth ok "token: ok"
> 17:41:00 netatmo/h1/look = 2025-10-29T16:40:00Z (Netatmo may be back)
17:41:05 call read ok "homestatus: ok"
17:41:20 probe ok "Netatmo answers" every=15s lasting=2m
> 17:42:00 netatmo/h1/look = 2025-10-29T16:42:00Z (Netatmo may be back)
> 17:42:30 netatmo/h1/look = 2025-10-29T16:42:30Z (Netatmo may be back)
> 17:43:00 netatmo/h1/look = 2025-10-29T16:43:00Z (Netatmo may be back)
17:43:30 view bath=schedule/19
17:43:40 probe ok "Netatmo answers" every=15s lasting=2m
> 17:44:05 netatmo/h1/look = 2025-10-29T16:44:00Z (Netatmo may be back)
> 17:44:35 netatmo/h1/look = 2025-10-29T16:44:30Z (Netatmo may be back)
> 17:45:05 authority: the house is handed back to Netatmo (it has answered since 17:41; it was gone for 1h14m)
