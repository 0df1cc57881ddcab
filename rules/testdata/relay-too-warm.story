# A room that is three kelvin too warm for a quarter of an hour with the relay on switches it off, and it
# stays off until the room has cooled down.
zone Europe/Paris
start 2025-10-29 16:00
room bath Bath
room bed Bedroom
device t1 thermometer room=bath foreign face=mqtt
device t2 thermometer room=bed foreign face=mqtt
relay boiler rooms=bath,bed heats=boiler obeys

16:00 reading boiler relay no from=mqtt
16:00 reading t1 temperature 19.9 from=mqtt
16:00 reading t2 temperature 17 from=mqtt
16:01 wish "Home app" bath 20 for=8h
> 16:01:00 wish: Bath: 20 °C until 00:01 (asked for in Home app)
16:01 wish "Home app" bed 19 for=8h
> 16:01:00 wish: Bedroom: 19 °C until 00:01 (asked for in Home app)
> 16:03:00 heating: boiler is switched on (Bedroom: 17.0 °C, 19.0 wished; the room is not known yet)
> 16:03:00 mqtt/boiler/relay = yes until Wed 16:18 (Bedroom: 17.0 °C, 19.0 wished; the room is not known yet)
> 16:08:00 mqtt/boiler/relay = yes until Wed 16:23 (Bedroom: 17.0 °C, 19.0 wished; the room is not known yet)
16:10 reading t1 temperature 23.4 from=mqtt
> 16:13:00 mqtt/boiler/relay = yes until Wed 16:28 (Bedroom: 17.0 °C, 19.0 wished; the room is not known yet)
16:15 reading t2 temperature 17.1 from=mqtt
> 16:18:00 mqtt/boiler/relay = yes until Wed 16:33 (Bedroom: 17.1 °C, 19.0 wished; the room is not known yet)
16:20 reading t1 temperature 23.4 from=mqtt
> 16:23:00 mqtt/boiler/relay = yes until Wed 16:38 (Bedroom: 17.1 °C, 19.0 wished; the room is not known yet)
> 16:25:10 alarm: boiler heats Bath too far: it is switched off (Bath: 23.4 °C for 15m with the relay on)
> 16:25:10 heating: boiler is switched off (Bath: 23.4 °C for 15m with the relay on)
> 16:25:10 mqtt/boiler/relay = no (Bath: 23.4 °C for 15m with the relay on)
16:35 reading t2 temperature 17.5 from=mqtt
16:50 reading t1 temperature 19.4 from=mqtt
> 16:50:10 heating: boiler may heat again (Bath has cooled down)
> 16:50:10 heating: boiler is switched on (Bath: 19.4 °C, 20.0 wished; the room is not known yet)
> 16:50:10 mqtt/boiler/relay = yes until Wed 17:05 (Bath: 19.4 °C, 20.0 wished; the room is not known yet)
> 16:55:10 mqtt/boiler/relay = yes until Wed 17:10 (Bath: 19.4 °C, 20.0 wished; the room is not known yet)
17:00 nothing
