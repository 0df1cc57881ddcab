# A relay that is off and draws power is stuck: people are told, and the valves are kept open.
zone Europe/Paris
start 2025-10-29 16:00
home h1 Maison
room bath Bath
room bed Bedroom
week 06:30=day
target day bath=16 bed=16
device v1 NRV room=bath face=accessory target=7..30/0.5 obeys
relay boiler rooms=bath,bed heats=boiler obeys
device t2 thermometer room=bed foreign face=mqtt

16:00 reading v1 target 16
16:00 reading v1 temperature 19
16:00 reading t2 temperature 19 from=mqtt
16:00 reading boiler relay no from=mqtt
16:00 view bath=schedule/16 bed=schedule/16
16:01 probe cloud-down "503" every=15s lasting=2m
> 16:02:30 authority: Netatmo is gone: the house is run from here (503 since 16:01)
16:05 reading boiler power 3 from=mqtt
16:10 reading boiler power 85 from=mqtt
> 16:12:10 alarm: boiler is off and heats all the same: its contact may be stuck (its meter shows 85 W; the valves of its rooms are kept open so that the heat spreads, switch it off at the fuse)
> 16:12:20 heating: Bath: NRV v1 is set to 28 °C (boiler heats although it is off: the valve is kept open so that the heat spreads)
> 16:12:20 accessory/v1/target = 28 (boiler heats although it is off: the valve is kept open so that the heat spreads)
16:15 reading v1 temperature 21
16:20 reading boiler power 1 from=mqtt
> 16:20:10 heating: Bedroom: there has been no temperature for 20 min: look after the sensor and its battery (no temperature to go by: heated 0 % of the time, as was usual)
> 16:20:10 device: boiler no longer heats (its meter shows no power and its rooms grow no warmer)
16:21 reading v1 temperature 21.5
> 16:21:00 heating: Bath: NRV v1 is set to 16 °C (schedule Week, zone day)
> 16:21:00 accessory/v1/target = 16 (schedule Week, zone day)
16:30 nothing
