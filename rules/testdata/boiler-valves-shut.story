# A boiler does not start against shut valves. An open bypass is a way, an open valve is one.
zone Europe/Paris
start 2025-10-29 16:00
room bath Bath
room bed Bedroom
device v1 TRV room=bath foreign face=mqtt
device v2 TRV room=bed foreign face=mqtt
device by TRV foreign face=mqtt
relay boiler rooms=bath,bed heats=boiler bypass=by obeys

16:00 reading boiler relay no from=mqtt
16:00 reading v1 position 0 from=mqtt
16:00 reading v2 position 2 from=mqtt
16:00 reading by position 0 from=mqtt
16:00 reading v1 temperature 17 from=mqtt
16:00 reading v2 temperature 19 from=mqtt
16:01 wish "Home app" bath 20 for=8h
> 16:01:00 wish: Bath: 20 °C until 00:01 (asked for in Home app)
> 16:01:00 heating: boiler does not heat (every valve of its rooms is shut and no bypass is open)
16:10 reading by position 40 from=mqtt
> 16:10:10 heating: boiler is switched on (Bath: 17.0 °C, 20.0 wished; the room is not known yet)
> 16:10:10 mqtt/boiler/relay = yes until Wed 16:25 (Bath: 17.0 °C, 20.0 wished; the room is not known yet)
> 16:15:10 mqtt/boiler/relay = yes until Wed 16:30 (Bath: 17.0 °C, 20.0 wished; the room is not known yet)
16:18 reading v1 temperature 17 from=mqtt
16:18:10 reading v2 temperature 19 from=mqtt
16:20 reading by position 0 from=mqtt
> 16:20:10 heating: boiler is switched off (every valve of its rooms is shut and no bypass is open)
> 16:20:10 mqtt/boiler/relay = no (every valve of its rooms is shut and no bypass is open)
16:30 reading v1 position 80 from=mqtt
> 16:30:10 heating: boiler is switched on (Bath: 17.0 °C, 20.0 wished; the room is not known yet)
> 16:30:10 mqtt/boiler/relay = yes until Wed 16:45 (Bath: 17.0 °C, 20.0 wished; the room is not known yet)
16:35 reading v1 temperature 17.1 from=mqtt
> 16:35:10 mqtt/boiler/relay = yes until Wed 16:50 (Bath: 17.0 °C, 20.0 wished; the room is not known yet)
> 16:40:10 mqtt/boiler/relay = yes until Wed 16:55 (Bath: 17.1 °C, 20.0 wished; the room is not known yet)
> 16:45:10 mqtt/boiler/relay = yes until Wed 17:00 (Bath: 17.1 °C, 20.0 wished; the room is not known yet)
16:50 nothing
