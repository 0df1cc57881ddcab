# A call that failed while the door was shut does not keep the house waiting once it is open.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison
room bath Bath
week 06:30=day
target day bath=20

16:30 view bath=schedule/20
16:31 probe cloud-down "no connection; 3 of 3 witnesses answered" every=15s lasting=90s
> 16:32:30 authority: Netatmo is gone: the house is run from here (no connection since 16:31; 3 of 3 witnesses answered)
16:32:40 call read cloud-down "homestatus: connection refused"
16:33 probe cloud-down "no connection; 3 of 3 witnesses answered"
16:33:30 probe ok "Netatmo answers" every=15s lasting=2m
16:35:40 view bath=schedule/20
16:36 probe ok "Netatmo answers" every=15s lasting=6m
> 16:36:30 netatmo/h1/look = 2025-10-29T15:36:30Z (Netatmo may be back)
> 16:37:00 netatmo/h1/look = 2025-10-29T15:37:00Z (Netatmo may be back)
> 16:37:30 netatmo/h1/look = 2025-10-29T15:37:30Z (Netatmo may be back)
> 16:38:00 netatmo/h1/look = 2025-10-29T15:38:00Z (Netatmo may be back)
> 16:38:30 netatmo/h1/look = 2025-10-29T15:38:30Z (Netatmo may be back)
> 16:39:00 netatmo/h1/look = 2025-10-29T15:39:00Z (Netatmo may be back)
> 16:39:30 netatmo/h1/look = 2025-10-29T15:39:30Z (Netatmo may be back)
> 16:40:00 netatmo/h1/look = 2025-10-29T15:40:00Z (Netatmo may be back)
> 16:40:30 netatmo/h1/look = 2025-10-29T15:40:30Z (Netatmo may be back)
> 16:41:00 netatmo/h1/look = 2025-10-29T15:41:00Z (Netatmo may be back)
> 16:41:30 netatmo/h1/look = 2025-10-29T15:41:30Z (Netatmo may be back)
> 16:42:00 netatmo/h1/look = 2025-10-29T15:42:00Z (Netatmo may be back)
16:42:10 view bath=schedule/20
> 16:42:30 authority: the house is handed back to Netatmo (it has answered since 16:33; it was gone for 12m)
16:42:40 probe ok "Netatmo answers"
