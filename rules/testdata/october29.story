# 29 October 2025 as a house in Paris saw it, composed from the outage study (reliability 1.1) and the
# press: from 15:41 UTC to 00:05 UTC connections time out, names are not found, 503 and empty answers take turns;
# from 18:30 UTC it comes back slowly and by fits; from 20:40 UTC the vendor itself is back little by little, with
# two relapses. One notice, one takeover, one return, and every slot to the minute (replay_test.go).
# Times are those of the wall in Paris, one hour ahead of UTC.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison default=3h
room bath Bath
room bed Bedroom
room live Living
week 06:30=day 17:00=evening 19:00=dinner 21:30=late 22:30=night
target day bath=19 bed=18 live=19
target evening bath=22 bed=18 live=20
target dinner bath=20 bed=18 live=21
target late bath=20 bed=19 live=20
target night bath=17 bed=16 live=17
device v1 NRV room=bath face=accessory target=7..30/0.5 obeys
device v2 NRV room=bed face=accessory target=7..30/0.5 obeys
device v3 NATherm1 room=live face=accessory target=7..30/0.5 obeys

16:30 reading v1 target 19
16:30 reading v2 target 18
16:30 reading v3 target 19
16:30 view bath=schedule/19 bed=schedule/18 live=schedule/19
16:30:00 probe ok "Netatmo answers as it should"
16:31 call read ok "homestatus: ok"
16:32 probe ok "Netatmo answers as it should"
16:33 call read ok "homestatus: ok"
16:34 probe ok "Netatmo answers as it should"
16:35 call read ok "homestatus: ok"
16:36 probe ok "Netatmo answers as it should"
16:37 call read ok "homestatus: ok"
16:38 probe ok "Netatmo answers as it should"
16:39 call read ok "homestatus: ok"
# 15:41 UTC: the edge crashes, minutes after it loaded what it could not bear
16:41:20 call read degraded "homestatus: no answer in time"
16:41:40 probe cloud-down "The connection to Netatmo was not answered; your internet works: 3 of 3 witnesses answered" every=18s lasting=4m
> 16:43:46 authority: Netatmo is gone: the house is run from here (The connection to Netatmo was not answered since 16:41; your internet works: 3 of 3 witnesses answered)
16:46 call read cloud-down "homestatus: no connection in time"
# its name is not found, then it is, and the edge answers 503
16:47 probe cloud-down "Netatmo's name could not be looked up (SERVFAIL); your internet works: 3 of 3 witnesses answered" every=2m lasting=25m
> 17:02:00 heating: Bath: NRV v1 is set to 22 °C (schedule Week, zone evening)
> 17:02:00 heating: Living: NATherm1 v3 is set to 20 °C (schedule Week, zone evening)
> 17:02:00 accessory/v1/target = 22 until Wed 19:00 (schedule Week, zone evening)
> 17:02:00 accessory/v3/target = 20 until Wed 19:00 (schedule Week, zone evening)
17:14 call read cloud-down "homestatus: no such name"
17:15 probe cloud-down "Netatmo answers 503 with HTML; your internet works: 3 of 3 witnesses answered" every=2m lasting=70m
18:27 wish "Home app" bath 21.5 for=90m
> 18:27:00 wish: Bath: 21.5 °C until 19:57 (asked for in Home app)
> 18:27:00 heating: Bath: NRV v1 is set to 21.5 °C (set in Home app until 19:57, then schedule)
> 18:27:00 accessory/v1/target = 21.5 until Wed 19:57 (set in Home app until 19:57, then schedule)
18:28 probe cloud-down "The connection to Netatmo was not answered; your internet works: 3 of 3 witnesses answered" every=2m lasting=30m
19:00 call read degraded "homestatus: 200 with nothing in it"
> 19:00:00 heating: Living: NATherm1 v3 is set to 21 °C (schedule Week, zone dinner)
> 19:00:00 accessory/v3/target = 21 until Wed 21:30 (schedule Week, zone dinner)
19:01 probe degraded "Netatmo answers 200 with nothing; your internet works: 3 of 3 witnesses answered" every=2m lasting=28m
# 18:30 UTC: Microsoft turns the edge back; some answers come, late, and most do not
19:30 probe ok "Netatmo answers as it should" every=40s lasting=2m
> 19:31:00 netatmo/h1/look = 2025-10-29T18:31:00Z (Netatmo may be back)
> 19:31:30 netatmo/h1/look = 2025-10-29T18:31:30Z (Netatmo may be back)
> 19:32:00 netatmo/h1/look = 2025-10-29T18:32:00Z (Netatmo may be back)
19:32:20 call read degraded "homestatus: no answer in time"
19:33 probe degraded "Netatmo takes the request and does not answer in time; your internet works: 3 of 3 witnesses answered" every=30s lasting=5m
19:39 probe ok "Netatmo answers as it should" every=30s lasting=4m
> 19:40:00 netatmo/h1/look = 2025-10-29T18:40:00Z (Netatmo may be back)
> 19:40:30 netatmo/h1/look = 2025-10-29T18:40:30Z (Netatmo may be back)
> 19:41:00 netatmo/h1/look = 2025-10-29T18:41:00Z (Netatmo may be back)
> 19:41:30 netatmo/h1/look = 2025-10-29T18:41:30Z (Netatmo may be back)
> 19:42:00 netatmo/h1/look = 2025-10-29T18:42:00Z (Netatmo may be back)
> 19:42:30 netatmo/h1/look = 2025-10-29T18:42:30Z (Netatmo may be back)
> 19:43:00 netatmo/h1/look = 2025-10-29T18:43:00Z (Netatmo may be back)
19:43:30 probe cloud-down "Netatmo answers 502 with HTML; your internet works: 3 of 3 witnesses answered" every=1m lasting=20m
> 19:43:30 netatmo/h1/look = 2025-10-29T18:43:30Z (Netatmo may be back)
> 19:44:00 netatmo/h1/look = 2025-10-29T18:44:00Z (Netatmo may be back)
> 19:57:00 heating: Bath follows the home again (21.5 °C was set until 19:57)
> 19:57:00 heating: Bath: NRV v1 is set to 20 °C (schedule Week, zone dinner)
> 19:57:00 accessory/v1/target = 20 until Wed 22:30 (schedule Week, zone dinner)
20:04 probe ok "Netatmo answers as it should" every=1m lasting=3m
> 20:05:00 netatmo/h1/look = 2025-10-29T19:05:00Z (Netatmo may be back)
> 20:05:30 netatmo/h1/look = 2025-10-29T19:05:30Z (Netatmo may be back)
> 20:06:00 netatmo/h1/look = 2025-10-29T19:06:00Z (Netatmo may be back)
> 20:06:30 netatmo/h1/look = 2025-10-29T19:06:30Z (Netatmo may be back)
> 20:07:00 netatmo/h1/look = 2025-10-29T19:07:00Z (Netatmo may be back)
20:07:30 probe cloud-down "Netatmo answers 504 with HTML; your internet works: 3 of 3 witnesses answered" every=2m lasting=90m
> 20:07:30 netatmo/h1/look = 2025-10-29T19:07:30Z (Netatmo may be back)
> 20:08:00 netatmo/h1/look = 2025-10-29T19:08:00Z (Netatmo may be back)
> 20:08:30 netatmo/h1/look = 2025-10-29T19:08:30Z (Netatmo may be back)
> 20:09:00 netatmo/h1/look = 2025-10-29T19:09:00Z (Netatmo may be back)
> 21:30:00 heating: Living: NATherm1 v3 is set to 20 °C (schedule Week, zone late)
> 21:30:00 accessory/v3/target = 20 until Wed 22:30 (schedule Week, zone late)
> 21:32:00 heating: Bedroom: NRV v2 is set to 19 °C (schedule Week, zone late)
> 21:32:00 accessory/v2/target = 19 until Wed 22:30 (schedule Week, zone late)
# 20:40 UTC: Netatmo is back, little by little: it is read, and gone again
21:40 probe ok "Netatmo answers as it should" every=20s lasting=3m
> 21:41:00 netatmo/h1/look = 2025-10-29T20:41:00Z (Netatmo may be back)
> 21:41:30 netatmo/h1/look = 2025-10-29T20:41:30Z (Netatmo may be back)
> 21:42:00 netatmo/h1/look = 2025-10-29T20:42:00Z (Netatmo may be back)
> 21:42:30 netatmo/h1/look = 2025-10-29T20:42:30Z (Netatmo may be back)
> 21:43:00 netatmo/h1/look = 2025-10-29T20:43:00Z (Netatmo may be back)
21:43:10 view bath=schedule/20 bed=schedule/19 live=schedule/20 stale=3h
21:43:20 probe ok "Netatmo answers as it should" every=20s lasting=1m
> 21:43:40 netatmo/h1/look = 2025-10-29T20:43:30Z (Netatmo may be back)
> 21:44:00 netatmo/h1/look = 2025-10-29T20:44:00Z (Netatmo may be back)
> 21:44:30 netatmo/h1/look = 2025-10-29T20:44:30Z (Netatmo may be back)
21:44:40 probe cloud-down "The connection to Netatmo was cut off at once; your internet works: 3 of 3 witnesses answered" every=30s lasting=15m
> 21:45:00 netatmo/h1/look = 2025-10-29T20:45:00Z (Netatmo may be back)
# once more, for eight minutes
22:00 probe ok "Netatmo answers as it should" every=20s lasting=5m
> 22:01:00 netatmo/h1/look = 2025-10-29T21:01:00Z (Netatmo may be back)
> 22:01:30 netatmo/h1/look = 2025-10-29T21:01:30Z (Netatmo may be back)
> 22:02:00 netatmo/h1/look = 2025-10-29T21:02:00Z (Netatmo may be back)
> 22:02:30 netatmo/h1/look = 2025-10-29T21:02:30Z (Netatmo may be back)
> 22:03:00 netatmo/h1/look = 2025-10-29T21:03:00Z (Netatmo may be back)
> 22:03:30 netatmo/h1/look = 2025-10-29T21:03:30Z (Netatmo may be back)
> 22:04:00 netatmo/h1/look = 2025-10-29T21:04:00Z (Netatmo may be back)
> 22:04:30 netatmo/h1/look = 2025-10-29T21:04:30Z (Netatmo may be back)
> 22:05:00 netatmo/h1/look = 2025-10-29T21:05:00Z (Netatmo may be back)
22:05:10 view bath=schedule/20 bed=schedule/19 live=schedule/20 stale=30m
22:05:20 probe ok "Netatmo answers as it should" every=20s lasting=150s
> 22:05:40 netatmo/h1/look = 2025-10-29T21:05:30Z (Netatmo may be back)
> 22:06:00 netatmo/h1/look = 2025-10-29T21:06:00Z (Netatmo may be back)
> 22:06:30 netatmo/h1/look = 2025-10-29T21:06:30Z (Netatmo may be back)
> 22:07:00 netatmo/h1/look = 2025-10-29T21:07:00Z (Netatmo may be back)
> 22:07:30 netatmo/h1/look = 2025-10-29T21:07:30Z (Netatmo may be back)
22:08 probe cloud-down "Netatmo answers 503 with HTML; your internet works: 3 of 3 witnesses answered" every=1m lasting=60m
> 22:08:00 netatmo/h1/look = 2025-10-29T21:08:00Z (Netatmo may be back)
> 22:08:30 netatmo/h1/look = 2025-10-29T21:08:30Z (Netatmo may be back)
> 22:30:00 heating: Bath: NRV v1 is set to 17 °C (schedule Week, zone night)
> 22:30:00 heating: Bedroom: NRV v2 is set to 16 °C (schedule Week, zone night)
> 22:30:00 heating: Living: NATherm1 v3 is set to 17 °C (schedule Week, zone night)
> 22:30:00 accessory/v1/target = 17 until Thu 06:30 (schedule Week, zone night)
> 22:30:00 accessory/v2/target = 16 until Thu 06:30 (schedule Week, zone night)
> 22:30:00 accessory/v3/target = 17 until Thu 06:30 (schedule Week, zone night)
23:09 probe degraded "Netatmo takes the request and does not answer in time; your internet works: 3 of 3 witnesses answered" every=3m lasting=110m
# 00:05 UTC: all clear
01:05 probe ok "Netatmo answers as it should" every=30s lasting=10m
> 01:07:00 netatmo/h1/look = 2025-10-30T00:07:00Z (Netatmo may be back)
> 01:07:30 netatmo/h1/look = 2025-10-30T00:07:30Z (Netatmo may be back)
> 01:08:00 netatmo/h1/look = 2025-10-30T00:08:00Z (Netatmo may be back)
> 01:08:30 netatmo/h1/look = 2025-10-30T00:08:30Z (Netatmo may be back)
> 01:09:00 netatmo/h1/look = 2025-10-30T00:09:00Z (Netatmo may be back)
> 01:09:30 netatmo/h1/look = 2025-10-30T00:09:30Z (Netatmo may be back)
> 01:10:00 netatmo/h1/look = 2025-10-30T00:10:00Z (Netatmo may be back)
> 01:10:30 netatmo/h1/look = 2025-10-30T00:10:30Z (Netatmo may be back)
> 01:11:00 netatmo/h1/look = 2025-10-30T00:11:00Z (Netatmo may be back)
> 01:11:30 netatmo/h1/look = 2025-10-30T00:11:30Z (Netatmo may be back)
> 01:12:00 netatmo/h1/look = 2025-10-30T00:12:00Z (Netatmo may be back)
> 01:12:30 netatmo/h1/look = 2025-10-30T00:12:30Z (Netatmo may be back)
> 01:13:00 netatmo/h1/look = 2025-10-30T00:13:00Z (Netatmo may be back)
> 01:13:30 netatmo/h1/look = 2025-10-30T00:13:30Z (Netatmo may be back)
> 01:14:00 netatmo/h1/look = 2025-10-30T00:14:00Z (Netatmo may be back)
> 01:14:30 netatmo/h1/look = 2025-10-30T00:14:30Z (Netatmo may be back)
> 01:15:00 netatmo/h1/look = 2025-10-30T00:15:00Z (Netatmo may be back)
01:15:10 view bath=manual/17/04:00 bed=manual/16/04:00 live=schedule/17
01:15:20 probe ok "Netatmo answers as it should" every=20s lasting=15m
> 01:15:40 netatmo/h1/look = 2025-10-30T00:15:30Z (Netatmo may be back)
> 01:16:00 netatmo/h1/look = 2025-10-30T00:16:00Z (Netatmo may be back)
> 01:16:30 netatmo/h1/look = 2025-10-30T00:16:30Z (Netatmo may be back)
> 01:17:00 authority: the house is handed back to Netatmo (it has answered since 01:05; it was gone for 8h36m)
> 01:17:00 return: Bath is set back to follow the home (our writes over the LAN left it in manual)
> 01:17:00 return: Bedroom is set back to follow the home (our writes over the LAN left it in manual)
> 01:17:00 netatmo/bath/mode = home (our writes over the LAN left it in manual)
> 01:17:00 netatmo/bed/mode = home (our writes over the LAN left it in manual)
> 01:17:30 netatmo/bath/mode = home (our writes over the LAN left it in manual)
> 01:17:30 netatmo/bed/mode = home (our writes over the LAN left it in manual)
> 01:18:30 netatmo/bath/mode = home (our writes over the LAN left it in manual)
> 01:18:30 netatmo/bed/mode = home (our writes over the LAN left it in manual)
> 01:20:30 netatmo/bath/mode = home (our writes over the LAN left it in manual)
> 01:20:30 netatmo/bed/mode = home (our writes over the LAN left it in manual)
> 01:24:30 netatmo/bath/mode = home (our writes over the LAN left it in manual)
> 01:24:30 netatmo/bed/mode = home (our writes over the LAN left it in manual)
01:30:30 view bath=manual/17/04:00 bed=manual/16/04:00 live=schedule/17
01:30:40 probe ok "Netatmo answers as it should" every=20s lasting=10m
> 01:32:30 netatmo/bath/mode = home (our writes over the LAN left it in manual)
> 01:32:30 netatmo/bed/mode = home (our writes over the LAN left it in manual)
01:41 outcome netatmo/bath/mode ok
01:41 outcome netatmo/bed/mode ok
01:42 view bath=schedule/17 bed=schedule/16 live=schedule/17
01:43 probe ok "Netatmo answers as it should" every=2m lasting=2h
06:31 nothing
