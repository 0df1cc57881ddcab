# What fails alone: commands, news, the sign-in, the quota. None of it takes the schedule over while the
# cloud still runs it, but what people ask goes over the LAN at once.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison
room bath Bath
week 06:30=day
target day bath=19
device v1 NRV room=bath face=accessory target=7..30/0.5 obeys

16:30 reading v1 target 19
16:30 view bath=schedule/19
16:30 probe ok "Netatmo answers" every=2m lasting=4m
16:34 call read ok "homestatus: ok"
# commands fail, reads go on; the first wish waits for the answer, the next ones do not
16:35 wish "Home app" bath 21 for=6h
> 16:35:00 wish: Bath: 21 °C until 22:35 (asked for in Home app)
> 16:35:00 netatmo/bath/target = 21 until Wed 22:35 (asked for in Home app)
16:35:02 call write cloud-down "setroomthermpoint: 503 with HTML"
> 16:35:02 heating: Bath: NRV v1 is set to 21 °C (set in Home app until 22:35, then schedule; Netatmo may not carry it out just now)
> 16:35:02 accessory/v1/target = 21 until Wed 22:35 (set in Home app until 22:35, then schedule; Netatmo may not carry it out just now)
16:35:02 outcome netatmo/bath/target "setroomthermpoint: 503 with HTML"
> 16:35:02 device: 21 for target of Bath in Netatmo was not carried out (setroomthermpoint: 503 with HTML)
16:35:10 call read ok "homestatus: ok"
> 16:35:30 netatmo/bath/target = 21 until Wed 22:35 (asked for in Home app)
16:36 call read ok "homestatus: ok" every=2m lasting=2m
> 16:36:30 netatmo/bath/target = 21 until Wed 22:35 (asked for in Home app)
16:38:30 wish "Home app" bath 22 for=6h
> 16:38:30 wish: Bath: 22 °C until 22:38 (asked for in Home app)
> 16:38:30 heating: Bath: NRV v1 is set to 22 °C (set in Home app until 22:38, then schedule; Netatmo may not carry it out just now)
> 16:38:30 netatmo/bath/target = 22 until Wed 22:38 (asked for in Home app)
> 16:38:30 accessory/v1/target = 22 until Wed 22:38 (set in Home app until 22:38, then schedule; Netatmo may not carry it out just now)
16:38:40 call read ok "homestatus: ok" every=2m lasting=10m
> 16:39:00 netatmo/bath/target = 22 until Wed 22:38 (asked for in Home app)
> 16:40:00 netatmo/bath/target = 22 until Wed 22:38 (asked for in Home app)
> 16:42:00 netatmo/bath/target = 22 until Wed 22:38 (asked for in Home app)
> 16:46:00 netatmo/bath/target = 22 until Wed 22:38 (asked for in Home app)
# what a person asked stays, though the cloud shows another target
16:49 view bath=schedule/19
16:50 call write ok "setroomthermpoint: ok"
16:50:01 outcome netatmo/bath/target ok
16:52 view bath=manual/22/22:38
# no news are pushed: that takes nothing over
16:53 call push degraded "webhook_deactivation"
16:54 call read ok "homestatus: ok" every=2m lasting=10m
17:05 call push ok "webhook_activation"
# the quota is used up: no outage
17:06 call read rate-limited "homestatus: 429"
17:06:10 wish "Home app" bath 20 for=5h
> 17:06:10 wish: Bath: 20 °C until 22:06 (asked for in Home app)
> 17:06:10 heating: Bath: NRV v1 is set to 20 °C (set in Home app until 22:06, then schedule; Netatmo may not carry it out just now)
> 17:06:10 netatmo/bath/target = 20 until Wed 22:06 (asked for in Home app)
> 17:06:10 accessory/v1/target = 20 until Wed 22:06 (set in Home app until 22:06, then schedule; Netatmo may not carry it out just now)
17:06:11 outcome netatmo/bath/target "the quota of requests is spent until 17:08"
> 17:06:11 device: 20 for target of Bath in Netatmo was not carried out (the quota of requests is spent until 17:08)
> 17:06:41 netatmo/bath/target = 20 until Wed 22:06 (asked for in Home app)
> 17:07:41 netatmo/bath/target = 20 until Wed 22:06 (asked for in Home app)
17:08 call read ok "homestatus: ok"
17:08:01 outcome netatmo/bath/target ok
17:08:10 view bath=manual/20/22:06
# the sign-in cannot be renewed; the present one still works until 18:00
17:10 call auth degraded "token: 503 with HTML" expires=18:00
17:11 call read ok "homestatus: ok" every=2m lasting=38m
17:49:30 call auth degraded "token: 503 with HTML" expires=18:00
17:49:45 call read ok "homestatus: ok"
# ten minutes before its end the house is taken over
> 17:50:05 authority: the sign-in at Netatmo ends at 18:00 and cannot be renewed: the house is run from here (Netatmo does not renew the sign-in: token: 503 with HTML since 17:49; the present one still works)
17:55 nothing
