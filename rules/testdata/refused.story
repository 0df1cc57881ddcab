# What cannot be granted is refused with the reason and changes nothing.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison frost=7 maximum=28
room bath Bath
device v1 NRV room=bath face=accessory target=10..30/0.5

16:30 view bath=schedule/21
16:31 wish MQTT bath 300
> 16:31:00 refused: MQTT: 300 °C for Bath (a target lies between the frost guard of 7 °C and the maximum of 28 °C)
16:31 wish MQTT bath 5
> 16:31:00 refused: MQTT: 5 °C for Bath (a target lies between the frost guard of 7 °C and the maximum of 28 °C)
16:31 wish MQTT bath NaN
> 16:31:00 refused: MQTT: NaN °C for Bath (a target lies between the frost guard of 7 °C and the maximum of 28 °C)
16:31 wish MQTT attic 20
> 16:31:00 refused: MQTT: a wish for room attic (no such room is known here)
16:31 wish MQTT mode party
> 16:31:00 refused: MQTT: the home's mode party (a home's mode is schedule, away or frost)
16:31 wish MQTT schedule none
> 16:31:00 refused: MQTT: schedule none (the home has no schedule of that id)
16:31 wish MQTT device v1 target 20
> 16:31:00 refused: MQTT: target 20 for v1 (a temperature is set for a room, not for one device of it)
16:31 wish MQTT device v1 siren yes
> 16:31:00 refused: MQTT: siren yes for v1 (NRV v1 has no siren that can be set)
16:31 wish MQTT device v9 siren yes
> 16:31:00 refused: MQTT: siren yes for v9 (no such device is known here)
16:31 wish MQTT bath 20 for=-2h
> 16:31:00 refused: MQTT: 20 °C for Bath (its end lies in the past)
16:31 wish MQTT hush
> 16:31:00 refused: MQTT: hush (no alarm sounds)
