# A cloud that is half there for half an hour gets the house neither taken nor given every few minutes.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison
room bath Bath
week 06:30=day
target day bath=21

16:30 view bath=schedule/21
# single failures: doubt, no more
16:40 probe cloud-down "no answer in 3 s"
16:40:15 probe ok "Netatmo answers"
16:45 probe cloud-down "no answer in 3 s" every=15s lasting=60s
16:46:15 probe ok "Netatmo answers"
# five minutes gone, five minutes there
17:00 probe cloud-down "Netatmo answers 503" every=15s lasting=5m
> 17:01:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503, for 1m30s)
17:05:15 probe ok "Netatmo answers" every=15s lasting=4m
> 17:05:15 netatmo/h1/look = 2025-10-29T16:05:00Z (Netatmo may be back)
> 17:05:25 authority: Netatmo answers again: it is read first, nothing is written there (Netatmo answers)
> 17:05:30 netatmo/h1/look = 2025-10-29T16:05:30Z (Netatmo may be back)
> 17:06:00 netatmo/h1/look = 2025-10-29T16:06:00Z (Netatmo may be back)
> 17:06:30 netatmo/h1/look = 2025-10-29T16:06:30Z (Netatmo may be back)
> 17:07:00 netatmo/h1/look = 2025-10-29T16:07:00Z (Netatmo may be back)
> 17:07:30 netatmo/h1/look = 2025-10-29T16:07:30Z (Netatmo may be back)
> 17:08:00 netatmo/h1/look = 2025-10-29T16:08:00Z (Netatmo may be back)
> 17:08:30 netatmo/h1/look = 2025-10-29T16:08:30Z (Netatmo may be back)
> 17:09:00 netatmo/h1/look = 2025-10-29T16:09:00Z (Netatmo may be back)
17:07 view bath=schedule/21
> 17:07:30 netatmo/h1/look = 2025-10-29T16:07:30Z (Netatmo may be back)
> 17:08:00 netatmo/h1/look = 2025-10-29T16:08:00Z (Netatmo may be back)
> 17:08:20 authority: the house is handed back to Netatmo (it has answered since 17:05; it was gone for 8m)
17:09:30 probe cloud-down "Netatmo answers 503" every=15s lasting=5m
> 17:11:00 authority: Netatmo is gone: the house is run from here (Netatmo answers 503, for 1m30s)
17:14:45 probe ok "Netatmo answers" every=15s lasting=4m
> 17:14:45 netatmo/h1/look = 2025-10-29T16:14:30Z (Netatmo may be back)
> 17:14:55 authority: Netatmo answers again: it is read first, nothing is written there (Netatmo answers)
> 17:15:00 netatmo/h1/look = 2025-10-29T16:15:00Z (Netatmo may be back)
> 17:15:30 netatmo/h1/look = 2025-10-29T16:15:30Z (Netatmo may be back)
> 17:16:00 netatmo/h1/look = 2025-10-29T16:16:00Z (Netatmo may be back)
> 17:16:30 netatmo/h1/look = 2025-10-29T16:16:30Z (Netatmo may be back)
> 17:17:00 netatmo/h1/look = 2025-10-29T16:17:00Z (Netatmo may be back)
> 17:17:30 netatmo/h1/look = 2025-10-29T16:17:30Z (Netatmo may be back)
> 17:18:00 netatmo/h1/look = 2025-10-29T16:18:00Z (Netatmo may be back)
> 17:18:30 netatmo/h1/look = 2025-10-29T16:18:30Z (Netatmo may be back)
17:18:50 view bath=schedule/21
17:19 probe ok "Netatmo answers" every=15s lasting=4m
> 17:19:25 netatmo/h1/look = 2025-10-29T16:19:00Z (Netatmo may be back)
> 17:19:30 netatmo/h1/look = 2025-10-29T16:19:30Z (Netatmo may be back)
> 17:20:00 netatmo/h1/look = 2025-10-29T16:20:00Z (Netatmo may be back)
> 17:20:30 netatmo/h1/look = 2025-10-29T16:20:30Z (Netatmo may be back)
> 17:20:45 authority: the house is handed back to Netatmo (it has answered since 17:14; it was gone for 11m)
