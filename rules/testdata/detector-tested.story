# Who announces a test hears no siren; an alarm that outlasts the test is real.
zone Europe/Paris
start 2025-10-29 18:00
device smoke1 NSD face=accessory
device siren1 NIS face=accessory siren obeys

18:00 wish MQTT test for=5m of=nobody
> 18:00:00 refused: MQTT: a test of the detectors for 5m (nobody is no smoke or carbon monoxide detector that is known here)
18:00 wish MQTT test for=5h
> 18:00:00 refused: MQTT: a test of the detectors for 5h (a test lasts 1 to 30 min)
18:00 wish MQTT test for=5m of=siren1
> 18:00:00 refused: MQTT: a test of the detectors for 5m (siren1 is no smoke or carbon monoxide detector that is known here)
18:00 reading smoke1 smoke no
18:01 wish MQTT test for=5m of=smoke1
> 18:01:00 alarm: a test of NSD smoke1 for 5m: what sounds until 18:06 is a test (asked for in MQTT)
18:02 reading smoke1 smoke yes from=ear
> 18:02:00 alarm: test: NSD smoke1 is heard over ear (0 s after the first sign of it)
18:02:02 reading smoke1 smoke yes
> 18:02:02 alarm: test: NSD smoke1 is heard over accessory (2 s after the first sign of it)
18:02:30 reading smoke1 smoke no from=ear
18:02:31 reading smoke1 smoke no
> 18:02:31 alarm: the test of NSD smoke1 is over (the detector that raised it says so)
18:05:30 reading smoke1 smoke yes
> 18:06:00 alarm: the test of the detectors is over: from now on an alarm is one (its time is over)
> 18:07:00 alarm: smoke ALARM: NSD smoke1 (it goes on although the test is over)
> 18:07:00 accessory/siren1/siren = yes (smoke alarm: NSD smoke1 says smoke, and the test is over)
18:08 wish MQTT test for=5m
> 18:08:00 refused: MQTT: a test of the detectors for 5m (an alarm is on: NSD smoke1 says smoke, and the test is over)
18:09 reading smoke1 smoke no
> 18:09:00 alarm: smoke alarm is over: NSD smoke1 (the detector that raised it says so)
> 18:09:00 accessory/siren1/siren = no (no alarm sounds any more)
# the detector's own word, before the alarm and after it
18:30 reading smoke1 self-test yes from=netatmo
> 18:30:00 alarm: test: NSD smoke1 is heard over netatmo (0 s after the first sign of it)
18:30:05 reading smoke1 smoke yes
> 18:30:05 alarm: test: NSD smoke1 is heard over accessory (5 s after the first sign of it)
18:30:20 reading smoke1 smoke no
> 18:30:20 alarm: the test of NSD smoke1 is over (the detector that raised it says so)
19:30 reading smoke1 smoke yes
> 19:30:00 alarm: smoke ALARM: NSD smoke1 (reported over accessory)
> 19:30:00 accessory/siren1/siren = yes (smoke alarm: NSD smoke1 says smoke)
19:30:10 reading smoke1 self-test yes from=netatmo
> 19:30:10 alarm: test: NSD smoke1 is heard over netatmo (0 s after the first sign of it)
> 19:30:10 alarm: the alarm of NSD smoke1 is a test (the detector says so)
> 19:30:10 accessory/siren1/siren = no (no alarm sounds any more)
19:30:30 reading smoke1 smoke no
> 19:30:30 alarm: the test of NSD smoke1 is over (the detector that raised it says so)
19:40 wish MQTT test for=5m
> 19:40:00 alarm: a test of the detectors for 5m: what sounds until 19:45 is a test (asked for in MQTT)
19:41 wish MQTT test end
> 19:41:00 alarm: the test of the detectors is over: from now on an alarm is one (asked for in MQTT)
19:42 wish MQTT test end
> 19:42:00 refused: MQTT: the end of the test (no test is on)
