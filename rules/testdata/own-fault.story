# What we saw while we were at fault ourselves proves nothing: a void probe, our own failure, and a
# cause of our own that hides what follows from it.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison
room bath Bath
week 06:30=day
target day bath=19

16:30 view bath=schedule/19
16:30 probe ok "Netatmo answers"
16:40 probe cloud-down "no answer in 3 s" every=15s lasting=75s
16:41:30 probe cloud-down "no answer in 3 s" void
16:41:45 probe cloud-down "no answer in 3 s" every=15s lasting=75s
16:43:15 probe self "This machine has no certificate authorities; install ca-certificates"
16:43:30 probe ok "Netatmo answers"
# without the witnesses' word it takes as long as a fault of our own line
16:50 probe cloud-down "no answer in 3 s; internet or cloud, that cannot be told without witnesses" witness=unknown every=15s lasting=2m45s
16:53 probe ok "Netatmo answers"
# a line that reconnects is no outage, and nothing is said of the cloud behind it
17:00 call read cloud-down "homestatus: no answer in time"
17:00:05 probe internet-down "The router answers, the internet does not" witness=no
17:00:20 call read cloud-down "homestatus: no answer in time"
17:00:20 probe internet-down "The router answers, the internet does not" witness=no
17:00:35 call read cloud-down "homestatus: no answer in time"
17:00:35 probe internet-down "The router answers, the internet does not" witness=no
17:00:50 call read cloud-down "homestatus: no answer in time"
17:00:50 probe internet-down "The router answers, the internet does not" witness=no
17:01:05 call read cloud-down "homestatus: no answer in time"
17:01:05 probe internet-down "The router answers, the internet does not" witness=no
17:01:20 call read cloud-down "homestatus: no answer in time"
17:01:20 probe internet-down "The router answers, the internet does not" witness=no
17:01:35 probe internet-down "The router answers, the internet does not" witness=no every=15s lasting=30s
17:02:20 probe ok "Netatmo answers"
17:02:25 call read ok "homestatus: ok"
17:05 nothing
