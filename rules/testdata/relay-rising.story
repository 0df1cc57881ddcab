# Without a meter it is the rooms that tell, at night, when no sun can be the reason.
zone Europe/Paris
start 2025-10-29 23:00
room bath Bath
device t1 thermometer room=bath foreign face=mqtt
relay boiler rooms=bath heats=boiler obeys

23:00 reading boiler relay no from=mqtt
23:00 wish "Home app" bath 16 for=9h
> 23:00:00 wish: Bath: 16 °C until 08:00 (asked for in Home app)
23:00 reading t1 temperature 19 from=mqtt
> 23:21:00 heating: Bath: there has been no temperature for 21 min: look after the sensor and its battery (no temperature to go by: heated 0 % of the time, as was usual)
23:30 reading t1 temperature 18.9 from=mqtt
23:45 reading t1 temperature 19.1 from=mqtt
00:00 reading t1 temperature 19.3 from=mqtt
> 00:00:10 alarm: boiler is off and heats all the same: its contact may be stuck (its rooms have grown warmer by 0.4 K in 30m; the valves of its rooms are kept open so that the heat spreads, switch it off at the fuse)
00:15 reading t1 temperature 19.6 from=mqtt
00:30 reading t1 temperature 19.9 from=mqtt
00:40 nothing
