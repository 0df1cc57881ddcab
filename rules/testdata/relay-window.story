# A window that stands open for a minute is not heated against, for half an hour at most; a door that
# somebody goes through changes nothing. A room near the frost floor is told once.
zone Europe/Paris
start 2025-10-29 16:00
room bath Bath
device t1 thermometer room=bath foreign face=mqtt
device window contact room=bath foreign face=mqtt
relay boiler rooms=bath heats=boiler obeys

16:00 reading boiler relay no from=mqtt
16:00 reading window contact no from=mqtt
16:00 reading t1 temperature 19 from=mqtt
16:05 wish "Home app" bath 20 for=8h
> 16:05:00 wish: Bath: 20 °C until 00:05 (asked for in Home app)
> 16:05:00 heating: boiler is switched on (Bath: 19.0 °C, 20.0 wished; the room is not known yet)
> 16:05:00 mqtt/boiler/relay = yes until Wed 16:20 (Bath: 19.0 °C, 20.0 wished; the room is not known yet)
> 16:10:00 mqtt/boiler/relay = yes until Wed 16:25 (Bath: 19.0 °C, 20.0 wished; the room is not known yet)
> 16:15:00 mqtt/boiler/relay = yes until Wed 16:30 (Bath: 19.0 °C, 20.0 wished; the room is not known yet)
16:20 reading t1 temperature 19 from=mqtt
> 16:20:10 mqtt/boiler/relay = yes until Wed 16:35 (Bath: 19.0 °C, 20.0 wished; the room is not known yet)
16:20:30 reading window contact yes from=mqtt
16:21 reading window contact no from=mqtt
16:25 reading window contact yes from=mqtt
> 16:25:10 mqtt/boiler/relay = yes until Wed 16:40 (Bath: 19.0 °C, 20.0 wished; the room is not known yet)
> 16:26:00 heating: boiler is switched off (Bath: a window is open; it is not heated for half an hour at most)
> 16:26:00 mqtt/boiler/relay = no (Bath: a window is open; it is not heated for half an hour at most)
16:30 reading t1 temperature 18 from=mqtt
16:40 reading t1 temperature 17 from=mqtt
16:50 reading t1 temperature 16 from=mqtt
> 16:56:00 heating: boiler is switched on (Bath: 16.0 °C, 20.0 wished; the room is not known yet)
> 16:56:00 mqtt/boiler/relay = yes until Wed 17:11 (Bath: 16.0 °C, 20.0 wished; the room is not known yet)
17:00 reading t1 temperature 15 from=mqtt
> 17:01:00 mqtt/boiler/relay = yes until Wed 17:16 (Bath: 15.0 °C, 20.0 wished; the room is not known yet)
17:05 reading t1 temperature 7.5 from=mqtt every=5m lasting=15m
> 17:05:00 alarm: Bath is only 7.5 °C warm (the frost floor is 7 °C: look whether the heating works there)
> 17:06:00 mqtt/boiler/relay = yes until Wed 17:21 (Bath: 7.5 °C, 20.0 wished; the room is not known yet)
> 17:11:00 mqtt/boiler/relay = yes until Wed 17:26 (Bath: 7.5 °C, 20.0 wished; the room is not known yet)
> 17:16:00 mqtt/boiler/relay = yes until Wed 17:31 (Bath: 7.5 °C, 20.0 wished; the room is not known yet)
> 17:21:00 mqtt/boiler/relay = yes until Wed 17:36 (Bath: 7.5 °C, 20.0 wished; the room is not known yet)
17:25 reading window contact no from=mqtt
> 17:26:00 mqtt/boiler/relay = yes until Wed 17:41 (Bath: 7.5 °C, 20.0 wished; the room is not known yet)
17:30 reading t1 temperature 9.5 from=mqtt
> 17:31:00 mqtt/boiler/relay = yes until Wed 17:46 (Bath: 9.5 °C, 20.0 wished; the room is not known yet)
> 17:36:00 mqtt/boiler/relay = yes until Wed 17:51 (Bath: 9.5 °C, 20.0 wished; the room is not known yet)
17:40 reading t1 temperature 7.9 from=mqtt
> 17:40:00 alarm: Bath is only 7.9 °C warm (the frost floor is 7 °C: look whether the heating works there)
