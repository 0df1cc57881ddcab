# Targets that change at once toggle nothing: four minutes on, three minutes off.
zone Europe/Paris
start 2025-10-29 16:00
room bath Bath
device t1 thermometer room=bath foreign face=mqtt
relay boiler rooms=bath heats=boiler obeys

16:00 reading boiler relay no from=mqtt
16:00 reading t1 temperature 19 from=mqtt
16:10 wish "Home app" bath 22 for=8h
> 16:10:00 wish: Bath: 22 °C until 00:10 (asked for in Home app)
> 16:10:00 heating: boiler is switched on (Bath: 19.0 °C, 22.0 wished; the room is not known yet)
> 16:10:00 mqtt/boiler/relay = yes until Wed 16:25 (Bath: 19.0 °C, 22.0 wished; the room is not known yet)
16:12 wish "Home app" bath 16 for=8h
> 16:12:00 wish: Bath: 16 °C until 00:12 (asked for in Home app)
> 16:14:00 heating: boiler is switched off (no room asks for heat)
> 16:14:00 mqtt/boiler/relay = no (no room asks for heat)
16:16 wish "Home app" bath 22 for=8h
> 16:16:00 wish: Bath: 22 °C until 00:16 (asked for in Home app)
16:17 wish "Home app" bath 16 for=8h
> 16:17:00 wish: Bath: 16 °C until 00:17 (asked for in Home app)
16:18 reading t1 temperature 19.1 from=mqtt
16:30 nothing
