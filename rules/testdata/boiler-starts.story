# Two rooms that ask in turn do not start their boiler more than four times in an hour.
zone Europe/Paris
start 2025-10-29 16:00
room bath Bath
room bed Bed
device t1 thermometer room=bath foreign face=mqtt
device t2 thermometer room=bed foreign face=mqtt
relay boiler rooms=bath,bed heats=boiler obeys

16:00 reading boiler relay no from=mqtt
16:00 reading t1 temperature 19 from=mqtt
16:00 reading t2 temperature 21 from=mqtt
16:00 wish "Home app" bath 20 for=8h
> 16:00:00 wish: Bath: 20 °C until 00:00 (asked for in Home app)
16:00 wish "Home app" bed 20 for=8h
> 16:00:00 wish: Bed: 20 °C until 00:00 (asked for in Home app)
> 16:03:00 heating: boiler is switched on (Bath: 19.0 °C, 20.0 wished; the room is not known yet)
> 16:03:00 mqtt/boiler/relay = yes until Wed 16:18 (Bath: 19.0 °C, 20.0 wished; the room is not known yet)
16:04 reading t1 temperature 20.5 from=mqtt
> 16:07:00 heating: boiler is switched off (no room asks for heat)
> 16:07:00 mqtt/boiler/relay = no (no room asks for heat)
16:10 reading t2 temperature 19 from=mqtt
> 16:10:10 heating: boiler is switched on (Bed: 19.0 °C, 20.0 wished; the room is not known yet)
> 16:10:10 mqtt/boiler/relay = yes until Wed 16:25 (Bed: 19.0 °C, 20.0 wished; the room is not known yet)
16:14 reading t2 temperature 20.5 from=mqtt
> 16:14:10 heating: boiler is switched off (no room asks for heat)
> 16:14:10 mqtt/boiler/relay = no (no room asks for heat)
16:22 reading t1 temperature 19 from=mqtt
> 16:22:10 heating: boiler is switched on (Bath: 19.0 °C, 20.0 wished; the room is not known yet)
> 16:22:10 mqtt/boiler/relay = yes until Wed 16:37 (Bath: 19.0 °C, 20.0 wished; the room is not known yet)
16:27 reading t1 temperature 20.5 from=mqtt
> 16:27:10 heating: boiler is switched off (no room asks for heat)
> 16:27:10 mqtt/boiler/relay = no (no room asks for heat)
16:34 reading t2 temperature 19 from=mqtt
> 16:34:10 heating: boiler is switched on (Bed: 19.0 °C, 20.0 wished; the room is not known yet)
> 16:34:10 mqtt/boiler/relay = yes until Wed 16:49 (Bed: 19.0 °C, 20.0 wished; the room is not known yet)
16:39 reading t2 temperature 20.5 from=mqtt
> 16:39:10 heating: boiler is switched off (no room asks for heat)
> 16:39:10 mqtt/boiler/relay = no (no room asks for heat)
16:46 reading t1 temperature 19 from=mqtt
> 16:46:10 heating: boiler does not heat (it has started 4 times within an hour)
16:58 reading t1 temperature 19 from=mqtt
16:58 reading t2 temperature 20.4 from=mqtt
> 17:03:00 heating: boiler is switched on (Bath: 19.0 °C, 20.0 wished; the room is not known yet)
> 17:03:00 mqtt/boiler/relay = yes until Wed 17:18 (Bath: 19.0 °C, 20.0 wished; the room is not known yet)
17:05 reading t1 temperature 19 from=mqtt
> 17:08:00 mqtt/boiler/relay = yes until Wed 17:23 (Bath: 19.0 °C, 20.0 wished; the room is not known yet)
17:10 nothing
