# A clean outage is handed back soon; one that follows it within two hours is a relapse, and the house
# stays for two hours, however well the cloud does meanwhile.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison
room bath Bath
week 06:30=day
target day bath=21

16:30 view bath=schedule/21
17:00 probe cloud-down "Netatmo answers 503" every=15s lasting=20m
> 17:01:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503 since 17:00)
17:20:15 probe ok "Netatmo answers" every=15s lasting=2m30s
> 17:21:00 netatmo/h1/look = 2025-10-29T16:21:00Z (Netatmo may be back)
> 17:21:30 netatmo/h1/look = 2025-10-29T16:21:30Z (Netatmo may be back)
> 17:22:00 netatmo/h1/look = 2025-10-29T16:22:00Z (Netatmo may be back)
> 17:22:30 netatmo/h1/look = 2025-10-29T16:22:30Z (Netatmo may be back)
17:22:50 view bath=schedule/21
17:23 probe ok "Netatmo answers" every=15s lasting=2m
> 17:23:25 netatmo/h1/look = 2025-10-29T16:23:00Z (Netatmo may be back)
> 17:23:30 netatmo/h1/look = 2025-10-29T16:23:30Z (Netatmo may be back)
> 17:24:00 authority: the house is handed back to Netatmo (it has answered since 17:20; it was gone for 24m)
17:40 probe cloud-down "Netatmo answers 503" every=15s lasting=10m
> 17:41:30 authority: Netatmo is gone: the house is run from here (Netatmo answers 503 since 17:40)
17:50:15 probe ok "Netatmo answers" every=15s lasting=5m
17:56 view bath=schedule/21
17:57 probe ok "Netatmo answers" every=2m lasting=100m
> 19:31:30 netatmo/h1/look = 2025-10-29T18:31:30Z (Netatmo may be back)
> 19:32:00 netatmo/h1/look = 2025-10-29T18:32:00Z (Netatmo may be back)
> 19:32:30 netatmo/h1/look = 2025-10-29T18:32:30Z (Netatmo may be back)
> 19:33:00 netatmo/h1/look = 2025-10-29T18:33:00Z (Netatmo may be back)
> 19:33:30 netatmo/h1/look = 2025-10-29T18:33:30Z (Netatmo may be back)
> 19:34:00 netatmo/h1/look = 2025-10-29T18:34:00Z (Netatmo may be back)
> 19:34:30 netatmo/h1/look = 2025-10-29T18:34:30Z (Netatmo may be back)
> 19:35:00 netatmo/h1/look = 2025-10-29T18:35:00Z (Netatmo may be back)
> 19:35:30 netatmo/h1/look = 2025-10-29T18:35:30Z (Netatmo may be back)
> 19:36:00 netatmo/h1/look = 2025-10-29T18:36:00Z (Netatmo may be back)
> 19:36:30 netatmo/h1/look = 2025-10-29T18:36:30Z (Netatmo may be back)
> 19:37:00 netatmo/h1/look = 2025-10-29T18:37:00Z (Netatmo may be back)
> 19:37:30 netatmo/h1/look = 2025-10-29T18:37:30Z (Netatmo may be back)
> 19:38:00 netatmo/h1/look = 2025-10-29T18:38:00Z (Netatmo may be back)
> 19:38:30 netatmo/h1/look = 2025-10-29T18:38:30Z (Netatmo may be back)
> 19:39:00 netatmo/h1/look = 2025-10-29T18:39:00Z (Netatmo may be back)
> 19:39:30 netatmo/h1/look = 2025-10-29T18:39:30Z (Netatmo may be back)
19:40 view bath=schedule/21
19:40:10 probe ok "Netatmo answers" every=15s lasting=4m
> 19:40:35 netatmo/h1/look = 2025-10-29T18:40:30Z (Netatmo may be back)
> 19:41:05 netatmo/h1/look = 2025-10-29T18:41:00Z (Netatmo may be back)
> 19:41:35 authority: the house is handed back to Netatmo (it has answered since 17:50; it was gone for 2h2m)
19:50 nothing
