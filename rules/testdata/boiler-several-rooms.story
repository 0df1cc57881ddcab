# One boiler heats two rooms without a cloud: it is on while any of them asks for heat, each order is a
# lease, and its minimum times hold.
zone Europe/Paris
start 2025-10-29 16:00
room bath Bath
room bed Bedroom
device t1 thermometer room=bath foreign face=mqtt
device t2 thermometer room=bed foreign face=mqtt
relay boiler rooms=bath,Bedroom heats=boiler obeys

16:00 reading boiler relay no from=mqtt
16:00 reading t1 temperature 20 from=mqtt
16:00 reading t2 temperature 19.9 from=mqtt
16:05 wish "Home app" bath 20 for=8h
> 16:05:00 wish: Bath: 20 °C until 00:05 (asked for in Home app)
16:05 wish "Home app" bed 19 for=8h
> 16:05:00 wish: Bedroom: 19 °C until 00:05 (asked for in Home app)
16:10 reading t1 temperature 19.7 from=mqtt
> 16:10:10 heating: boiler is switched on (Bath: 19.7 °C, 20.0 wished; the room is not known yet)
> 16:10:10 mqtt/boiler/relay = yes until Wed 16:25 (Bath: 19.7 °C, 20.0 wished; the room is not known yet)
> 16:15:10 mqtt/boiler/relay = yes until Wed 16:30 (Bath: 19.7 °C, 20.0 wished; the room is not known yet)
16:20 reading t1 temperature 19.9 from=mqtt
16:20 reading t2 temperature 19.5 from=mqtt
> 16:20:10 mqtt/boiler/relay = yes until Wed 16:35 (Bath: 19.9 °C, 20.0 wished; the room is not known yet)
> 16:25:10 mqtt/boiler/relay = yes until Wed 16:40 (Bath: 19.9 °C, 20.0 wished; the room is not known yet)
16:30 reading t1 temperature 20.3 from=mqtt
> 16:30:10 heating: boiler is switched off (no room asks for heat)
> 16:30:10 mqtt/boiler/relay = no (no room asks for heat)
16:35 reading t2 temperature 18.7 from=mqtt
> 16:35:10 heating: boiler is switched on (Bedroom: 18.7 °C, 19.0 wished; the room is not known yet)
> 16:35:10 mqtt/boiler/relay = yes until Wed 16:50 (Bedroom: 18.7 °C, 19.0 wished; the room is not known yet)
> 16:40:10 mqtt/boiler/relay = yes until Wed 16:55 (Bedroom: 18.7 °C, 19.0 wished; the room is not known yet)
16:45 reading t1 temperature 20.3 from=mqtt
> 16:45:10 mqtt/boiler/relay = yes until Wed 17:00 (Bedroom: 18.7 °C, 19.0 wished; the room is not known yet)
16:50 reading t2 temperature 18.8 from=mqtt
> 16:50:10 mqtt/boiler/relay = yes until Wed 17:05 (Bedroom: 18.8 °C, 19.0 wished; the room is not known yet)
> 16:55:10 mqtt/boiler/relay = yes until Wed 17:10 (Bedroom: 18.8 °C, 19.0 wished; the room is not known yet)
17:00 reading t1 temperature 20.3 from=mqtt
> 17:00:10 mqtt/boiler/relay = yes until Wed 17:15 (Bedroom: 18.8 °C, 19.0 wished; the room is not known yet)
> 17:05:10 mqtt/boiler/relay = yes until Wed 17:20 (Bedroom: 18.8 °C, 19.0 wished; the room is not known yet)
17:10 reading t2 temperature 19.3 from=mqtt
> 17:10:10 heating: boiler is switched off (no room asks for heat)
> 17:10:10 mqtt/boiler/relay = no (no room asks for heat)
17:30 nothing
