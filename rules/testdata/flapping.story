# A cloud that comes and goes gets the house neither taken nor given every few minutes: one takeover,
# one return.
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
# five minutes gone, five minutes there, three times; it can be read while it is there
17:00 probe cloud-down "Netatmo answers 503; your internet works: 3 of 3 witnesses answered" every=15s lasting=4m45s
> 17:01:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503 since 17:00; your internet works: 3 of 3 witnesses answered)
17:05 probe ok "Netatmo answers" every=15s lasting=2m
17:07:10 view bath=schedule/21
17:07:15 probe ok "Netatmo answers" every=15s lasting=2m30s
17:10 probe cloud-down "Netatmo answers 502; your internet works: 3 of 3 witnesses answered" every=15s lasting=4m45s
17:15 probe ok "Netatmo answers" every=15s lasting=2m
17:17:10 view bath=schedule/21
17:17:15 probe ok "Netatmo answers" every=15s lasting=2m30s
17:20 probe cloud-down "Netatmo answers 503; your internet works: 3 of 3 witnesses answered" every=15s lasting=4m45s
# and there to stay: believed after longer than it was ever there between two losses, and no sooner
# than an hour after it was lost
17:25 probe ok "Netatmo answers" every=15s lasting=5m
17:30:10 view bath=schedule/21
17:30:30 probe ok "Netatmo answers" every=1m lasting=29m
> 17:51:30 netatmo/h1/look = 2025-10-29T16:51:30Z (Netatmo may be back)
> 17:52:00 netatmo/h1/look = 2025-10-29T16:52:00Z (Netatmo may be back)
> 17:52:30 netatmo/h1/look = 2025-10-29T16:52:30Z (Netatmo may be back)
> 17:53:00 netatmo/h1/look = 2025-10-29T16:53:00Z (Netatmo may be back)
> 17:53:30 netatmo/h1/look = 2025-10-29T16:53:30Z (Netatmo may be back)
> 17:54:00 netatmo/h1/look = 2025-10-29T16:54:00Z (Netatmo may be back)
> 17:54:30 netatmo/h1/look = 2025-10-29T16:54:30Z (Netatmo may be back)
> 17:55:00 netatmo/h1/look = 2025-10-29T16:55:00Z (Netatmo may be back)
> 17:55:30 netatmo/h1/look = 2025-10-29T16:55:30Z (Netatmo may be back)
> 17:56:00 netatmo/h1/look = 2025-10-29T16:56:00Z (Netatmo may be back)
> 17:56:30 netatmo/h1/look = 2025-10-29T16:56:30Z (Netatmo may be back)
> 17:57:00 netatmo/h1/look = 2025-10-29T16:57:00Z (Netatmo may be back)
> 17:57:30 netatmo/h1/look = 2025-10-29T16:57:30Z (Netatmo may be back)
> 17:58:00 netatmo/h1/look = 2025-10-29T16:58:00Z (Netatmo may be back)
> 17:58:30 netatmo/h1/look = 2025-10-29T16:58:30Z (Netatmo may be back)
> 17:59:00 netatmo/h1/look = 2025-10-29T16:59:00Z (Netatmo may be back)
> 17:59:30 netatmo/h1/look = 2025-10-29T16:59:30Z (Netatmo may be back)
18:00 view bath=schedule/21
18:00:10 probe ok "Netatmo answers" every=15s lasting=4m
> 18:00:35 netatmo/h1/look = 2025-10-29T17:00:30Z (Netatmo may be back)
> 18:01:05 netatmo/h1/look = 2025-10-29T17:01:00Z (Netatmo may be back)
> 18:01:35 authority: the house is handed back to Netatmo (it has answered since 17:25; it was gone for 1h2m)
18:05 nothing
